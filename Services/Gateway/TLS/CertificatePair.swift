import Crypto
import Foundation
import NIOSSL

/// A certificate with its private key, as two files hold them.
struct CertificatePair: Sendable {
    /// Why two files are none, in words for the operator.
    struct Unusable: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// What makes connections of it.
    let context: NIOSSLContext
    let notAfter: Date
    /// Of both files, to see that they have changed.
    let digest: SHA256Digest

    /// Forward secret and authenticated; those of TLS 1.3 are always there. HTTP/2 allows no others (RFC 9113 §9.2.2).
    private static let ciphers: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    struct Contents {
        let certificate: Data
        let key: Data

        /// - Throws: ``Unusable`` when a file cannot be read.
        init(_ settings: TLSSettings) throws {
            certificate = try Self.read("tls.certificate-file", settings.certificateFile)
            key = try Self.read("tls.key-file", settings.keyFile)
        }

        var digest: SHA256Digest {
            var hash = SHA256()
            for file in [certificate, key] {
                withUnsafeBytes(of: file.count.littleEndian) { hash.update(bufferPointer: $0) }
                hash.update(data: file)
            }
            return hash.finalize()
        }

        private static func read(_ setting: String, _ path: String) throws -> Data {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Unusable(description: "\(setting): the file \(path) cannot be read")
            }
            return data
        }
    }

    /// - Throws: ``Unusable``.
    init(_ contents: Contents, now: Date = Date()) throws {
        let chain = (try? NIOSSLCertificate.fromPEMBytes(Array(contents.certificate))) ?? []
        guard let leaf = chain.first else {
            throw Unusable(description: "tls.certificate-file: it holds no certificate in PEM")
        }
        guard let key = try? NIOSSLPrivateKey(bytes: Array(contents.key), format: .pem) else {
            throw Unusable(description: "tls.key-file: it holds no private key in PEM that needs no password")
        }
        notAfter = Date(timeIntervalSince1970: TimeInterval(leaf.notValidAfter))
        guard now < notAfter else { throw Unusable(description: "tls.certificate-file: the certificate has expired") }
        guard now >= Date(timeIntervalSince1970: TimeInterval(leaf.notValidBefore)) else {
            throw Unusable(description: "tls.certificate-file: the certificate is not valid yet")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = Self.ciphers
        configuration.applicationProtocols = ["h2", "http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            // Most often the key of another certificate.
            throw Unusable(description: "tls.key-file: it is not the key of the certificate (\(error))")
        }
        digest = contents.digest
    }
}

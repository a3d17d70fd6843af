import Basics
import Foundation
import TestSupport

/// A self-signed certificate for `localhost` and its key, made by openssl in a folder of their own.
struct CertificateFiles: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private let folder: URL

    /// - Parameter days: how long the certificate is valid.
    init(days: Int = 30) async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await make(days: days)
    }

    var certificate: String { folder.appendingPathComponent("certificate.pem").path }
    var key: String { folder.appendingPathComponent("key.pem").path }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// Another pair in the same files.
    func make(days: Int = 30) async throws {
        _ = try await Self.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-days", "\(days)",
            ])
    }

    /// What a program prints; it must succeed. Waited for on a thread of its own, so that it holds up none of the tests beside.
    static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let (code, output) = try await SystemThread.run(named: "openssl") { try ChildProcess.run(program, arguments) }
        guard code == 0 else { throw Failure(description: "\(program) ended with \(code): \(output)") }
        return output
    }
}

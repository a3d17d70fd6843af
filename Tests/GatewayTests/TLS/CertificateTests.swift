import Foundation
import Hummingbird
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite("Certificates, replaced while the gateway runs", .timeLimit(.minutes(3)))
struct CertificateTests {
    @Test("a mismatched key, an expired certificate and an unreadable file each have their own message")
    func unusable() async throws {
        let (files, others) = (try await CertificateFiles(), try await CertificateFiles())
        defer {
            files.remove()
            others.remove()
        }
        func reason(_ certificate: String, _ key: String, after seconds: TimeInterval = 0) -> String {
            do {
                let contents = try CertificatePair.Contents(TLSSettings(certificateFile: certificate, keyFile: key))
                _ = try CertificatePair(contents, now: Date().addingTimeInterval(seconds))
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(reason(files.certificate, files.key) == "")
        #expect(reason(files.certificate, others.key).contains("not the key of the certificate"))
        #expect(reason(files.certificate, files.key, after: 31 * 86_400).contains("has expired"))
        #expect(reason(files.certificate, files.key, after: -86_400).contains("not valid yet"))
        #expect(reason(files.key, files.key).contains("holds no certificate"))
        #expect(reason(files.certificate, files.certificate).contains("holds no private key"))
        #expect(reason(files.certificate + ".none", files.key).contains("cannot be read"))
    }

    @Test("files that cannot be used leave the certificate in force, and a figure says so until they can")
    func reload() async throws {
        let files = try await CertificateFiles()
        defer { files.remove() }
        let metrics = MetricsRegistry()
        let certificates = try Certificates(
            TLSSettings(certificateFile: files.certificate, keyFile: files.key), metrics: metrics,
            logger: PostgresCluster.quietLogger)
        let first = certificates.context
        let key = try #require(FileManager.default.contents(atPath: files.key))
        try Data("nothing".utf8).write(to: URL(fileURLWithPath: files.key))
        certificates.look()
        #expect(metrics.text().contains("tls_certificate_refused 0"))
        certificates.look()
        #expect(metrics.text().contains("tls_certificate_refused 1"))
        #expect(certificates.context === first)
        try key.write(to: URL(fileURLWithPath: files.key))
        certificates.look()
        #expect(metrics.text().contains("tls_certificate_refused 0") && certificates.context === first)
        try await files.make(days: 60)
        certificates.look()
        #expect(certificates.context !== first)
        let seconds = Date().timeIntervalSince1970 + 59.5 * 86_400
        let line = metrics.text().split(separator: "\n").first { $0.hasPrefix("tls_certificate_not_after_seconds ") }
        #expect(line.flatMap { Double($0.split(separator: " ")[1]) }.map { $0 > seconds } == true)
        try FileManager.default.removeItem(atPath: files.key)
        certificates.look(isAsked: true)
        #expect(metrics.text().contains("tls_certificate_refused 1"))
    }

    @Test("no request fails while the certificate is replaced again and again, and new connections get the new one")
    func underLoad() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ in "ok" }
        } _: { port in
            try await SecureBench.with(
                upstreamPorts: [port], routes: [try ProxyBench.route("/x")]
            ) { bench async throws in
                let services = Task { try await bench.certificates.run() }
                defer { services.cancel() }
                let isOver = Signal()
                let answered = try await withThrowingTaskGroup(of: Int.self) { group in
                    // However this ends: the clients go on until they are told.
                    defer { isOver.set() }
                    for _ in 0..<4 {
                        group.addTask {
                            // One connection that lasts.
                            try await RawHTTP2.connect(to: bench.port) { client in
                                var stream = 1
                                while !isOver.isSet || stream < 11 {
                                    let outcome = try await client.ask(stream, RawHTTP2.request())
                                    #expect(outcome == .answered(200, "ok"))
                                    stream += 2
                                }
                                return stream / 2
                            }
                        }
                        group.addTask {
                            // A new connection for each.
                            var count = 0
                            while !isOver.isSet || count < 5 {
                                let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                                    try await client.ask(1, RawHTTP2.request())
                                }
                                #expect(outcome == .answered(200, "ok"))
                                count += 1
                            }
                            return count
                        }
                    }
                    var contexts = 0
                    for round in 0..<20 {
                        let before = bench.certificates.context
                        if round % 5 == 4 { try Data("bad".utf8).write(to: URL(fileURLWithPath: bench.files.key)) }
                        try await Task.sleep(for: .milliseconds(60))
                        try await bench.files.make()
                        while bench.certificates.context === before { try await Task.sleep(for: .milliseconds(5)) }
                        contexts += 1
                    }
                    isOver.set()
                    #expect(contexts == 20)
                    return try await group.reduce(0, +)
                }
                #expect(answered >= 40)
                // curl trusts the newest one only.
                #expect(try await bench.curl("\(bench.url)/x") == "ok")
            }
        }
    }
}

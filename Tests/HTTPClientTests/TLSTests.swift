import Basics
import Foundation
import HTTPClient
import Testing

/// A TLS server made of the `openssl` tool, with a fresh self-signed certificate for `localhost`.
private final class TLSServer {
    let certificateFile: String
    let port: Int
    private let folder: URL
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    static let openssl = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// - Parameter alpn: the protocol that the server agrees to.
    init(alpn: String, mode: String) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (certificate, key) = (
            folder.appending(path: "certificate.pem").path, folder.appending(path: "key.pem").path
        )
        certificateFile = certificate
        let maker = Process()
        maker.executableURL = URL(filePath: try #require(Self.openssl))
        maker.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ]
        maker.standardError = FileHandle.nullDevice
        // Not waitUntilExit: it runs a run loop on a thread of Swift's pool.
        let made = Signal<Void>()
        maker.terminationHandler = { _ in made.send() }
        try maker.run()
        await made.next()

        process.executableURL = maker.executableURL
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-alpn", alpn, mode,
        ]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        port = try #require(await Self.port(saidIn: output.fileHandleForReading))
    }

    /// The port that the system has given to the server, once the server listens there and says so; nil when it ends instead. A free
    /// port that was looked for before could be another test's by the time that the server starts.
    private static func port(saidIn output: FileHandle) async -> Int? {
        await SystemThread.run(named: "tls server") { () -> Int? in
            var said = ""
            while true {
                let data = output.availableData
                guard !data.isEmpty else { return nil }
                said += String(decoding: data, as: UTF8.self)
                if let accepting = said.firstMatch(of: /ACCEPT \S+:(\d+)\n/) { return Int(accepting.1) }
            }
        }
    }

    func stop() {
        // Started from a thread of Swift's pool it inherits that thread's blocked signals, SIGTERM among them.
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(at: folder)
    }
}

@Suite("TLS", .enabled(if: TLSServer.openssl != nil, "needs the openssl tool"), .timeLimit(.minutes(5)))
struct TLSTests {
    @Test("a certificate of an unknown authority is tlsFailed, and nothing is sent")
    func untrusted() async throws {
        let server = try await TLSServer(alpn: "http/1.1", mode: "-www")
        defer { server.stop() }
        try await withClient { client in
            let error = await httpError { try await client.execute(.init(url: "https://localhost:\(server.port)/")) }
            #expect(error?.code == .tlsFailed)
            #expect(error?.requestMayHaveBeenProcessed == false)
        }
    }

    @Test("a certificate of the given authority is trusted")
    func trusted() async throws {
        let server = try await TLSServer(alpn: "http/1.1", mode: "-www")
        defer { server.stop() }
        try await withClient {
            $0.caFile = server.certificateFile
        } _: { client in
            let response = try await client.execute(.init(url: "https://localhost:\(server.port)/"))
            #expect(response.status == 200)
        }
    }

    @Test("a certificate for another name is tlsFailed")
    func otherName() async throws {
        let server = try await TLSServer(alpn: "http/1.1", mode: "-www")
        defer { server.stop() }
        try await withClient {
            $0.caFile = server.certificateFile
        } _: { client in
            let error = await httpError { try await client.execute(.init(url: "https://127.0.0.1:\(server.port)/")) }
            #expect(error?.code == .tlsFailed)
        }
    }

    @Test("a server that speaks no TLS is tlsFailed")
    func noTLS() async throws {
        let server = try RawServer { connection in
            _ = connection.readSome()
            connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        defer { server.stop() }
        try await withClient { client in
            let error = await httpError { try await client.execute(.init(url: "https://127.0.0.1:\(server.port)/")) }
            #expect(error?.code == .tlsFailed)
        }
    }
}

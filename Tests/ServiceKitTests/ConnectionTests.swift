import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import Testing

@testable import ServiceKit

@Suite("Connections")
struct ConnectionTests {
    /// - Parameter patience: how long a body may take; unless a test is about that, longer than any takes.
    private func withService(
        patience: Duration = .seconds(60), _ body: (Int) async throws -> Void
    ) async throws {
        let router = Router(context: ServiceRequestContext.self)
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/hello", method: method) { _, _ in "hello" }
            router.on("/long", method: method) { _, _ in String(repeating: "x", count: 100_000) }
            router.on("/stream", method: method) { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "hello"))
                        try await writer.finish(nil)
                    })
            }
        }
        router.post("/echo") { request, context in
            let bytes = try await request.bodyBytes(upTo: 1000, within: patience)
            return String(decoding: bytes, as: UTF8.self)
        }
        router.post("/paced") { request, _ in
            let rate = BodyRate(bytesPerSecond: 1, grace: .milliseconds(200))
            let bytes = try await request.bodyBytes(upTo: 1000, within: .seconds(600), atLeast: rate)
            return String(decoding: bytes, as: UTF8.self)
        }
        try await LiveService.with(router) { service in
            try await body(try #require(URL(string: service.http)?.port))
        }
    }

    /// Sends and gives what comes back until the server closes.
    private func exchange(_ port: Int, _ requests: String...) async throws -> String {
        let connection = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await connection.executeThenClose { inbound, outbound in
            for request in requests { try await outbound.write(ByteBuffer(string: request)) }
            var text = ""
            for try await buffer in inbound { text += String(buffer: buffer) }
            return text
        }
    }

    /// The status and the problem of an answer that is one.
    private func problem(_ answer: String) throws -> Problem {
        let parts = answer.components(separatedBy: "\r\n\r\n")
        #expect(parts.count == 2, "\(answer)")
        let head = parts[0].lowercased()
        #expect(head.contains("content-type: application/problem+json"), "\(answer)")
        #expect(head.contains("connection: close"), "\(answer)")
        #expect(head.contains("content-length: \(parts[1].utf8.count)"), "\(answer)")
        let problem = try WireJSON.decode(Problem.self, from: Array(parts[1].utf8))
        #expect(head.hasPrefix("http/1.1 \(problem.status) "), "\(answer)")
        #expect(head.contains("x-request-id: \(problem.requestId)"), "\(answer)")
        return problem
    }

    @Test(
        "what is not HTTP is refused with a problem",
        arguments: [
            ("nonsense\r\n\r\n", 400), ("some more nonsense\r\n\r\n", 400), ("\u{16}\u{3}\u{1} /hello\r\n\r\n", 400),
            ("G\u{0} /hello HTTP/1.1\r\n\r\n", 400), (" GET /hello HTTP/1.1\r\n\r\n", 400),
            ("\(String(repeating: "A", count: 200_000))", 400), ("GET /hello HTTP/9.9\r\n\r\n", 400),
            ("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET /hello HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", 400),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("GET /hello HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n", 431),
            ("GET /hello HTTP/1.1\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n", 431),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX\r\n", 400),
        ])
    func malformed(request: String, status: Int) async throws {
        try await withService { port in
            let problem = try problem(try await exchange(port, request))
            #expect(problem.status == status, "\(problem.error)")
            #expect(
                problem.code
                    == (status == 431 ? .headersTooLarge : status == 405 ? .methodNotAllowed : .malformedRequest))
        }
    }

    @Test(
        "a body that does not arrive in time is 408, and the connection ends",
        arguments: ["Content-Length: 10", "Transfer-Encoding: chunked"])
    func slowBody(framing: String) async throws {
        try await withService(patience: .milliseconds(200)) { port in
            let problem = try problem(
                try await exchange(port, "POST /echo HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n5\r\n"))
            #expect(problem.status == 408)
            #expect(problem.code == .requestTimeout)
        }
    }

    @Test(
        "a short body that stops coming is 408 long before its time is over", .timeLimit(.minutes(5)),
        arguments: ["Content-Length: 10\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"])
    func pacedBody(sent: String) async throws {
        try await withService { port in
            let problem = try problem(try await exchange(port, "POST /paced HTTP/1.1\r\nHost: a\r\n\(sent)"))
            #expect(problem.status == 408)
        }
    }

    @Test(
        "the answer to a HEAD is its head, and the next answer follows it", arguments: ["/hello", "/long", "/nothing"])
    func head(path: String) async throws {
        try await withService { port in
            let answer = try await exchange(
                port, "HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let parts = answer.components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 3 && parts[1].hasPrefix("HTTP/1.1 200 ") && parts[2] == "hello", "\(answer)")
            if path == "/long" { #expect(parts[0].lowercased().contains("content-length: 100000"), "\(answer)") }
        }
    }

    @Test("a HEAD whose length is not known ends its connection and leaves no mark of a body's end")
    func unframedHead() async throws {
        try await withService { port in
            let answer = try await exchange(
                port, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            let parts = answer.components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 2 && parts[1].isEmpty, "\(answer)")
        }
    }
}

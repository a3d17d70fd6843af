import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What two readers of HTTP/1.1 may understand differently never reaches an upstream, nor does anything that is sent behind it.
@Suite("Ambiguous requests by HTTP/1.1, over live sockets", .serialized, .timeLimit(.minutes(3)))
struct SmugglingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// Head and body; ``SmugglingTests/hidden`` follows it on the connection.
        let request: String
        var testDescription: String { name }

        /// Lines of a head behind the first two, and a body.
        static func post(_ name: String, _ fields: String, _ body: String = "") -> Case {
            Case(name: name, request: "POST /x HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)")
        }

        static func get(_ name: String, _ fields: String) -> Case {
            Case(name: name, request: "GET /x HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n")
        }

        static func line(_ name: String, _ line: String) -> Case {
            Case(name: name, request: "\(line)\r\nHost: a\r\n\r\n")
        }
    }

    static let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    static let lengths: [Case] = [
        .post("two lengths", "Content-Length: 5\r\nContent-Length: 6", "hello!"),
        .post("the same length twice", "Content-Length: 5\r\nContent-Length: 5", "hello"),
        .post("a list of lengths", "Content-Length: 5, 5", "hello"),
        .post("a signed length", "Content-Length: +5", "hello"),
        .post("a negative length", "Content-Length: -5", "hello"),
        .post("a hexadecimal length", "Content-Length: 0x5", "hello"),
        .post("a length with a blank in it", "Content-Length: 1 0", "hellohello"),
        .post("a length beyond all numbers", "Content-Length: 99999999999999999999", "hello"),
        .post("an empty length", "Content-Length:", "hello"),
        .post("a blank before the colon of a length", "Content-Length : 5", "hello"),
        .post("a length and a coding", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        .post("a coding and a length", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
    ]

    static let codings: [Case] = [
        .post("chunked twice", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
        .post("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        .post("chunked and identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        .post("identity", "Transfer-Encoding: identity", "0\r\n\r\n"),
        .post("a coding before chunked", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        .post("a coding behind chunked", "Transfer-Encoding: chunked, gzip", "0\r\n\r\n"),
        .post("almost chunked", "Transfer-Encoding: xchunked", "0\r\n\r\n"),
        .post("quoted chunked", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n"),
        .post("a blank before the colon of a coding", "Transfer-Encoding : chunked", "0\r\n\r\n"),
        .post("a vertical tab before chunked", "Transfer-Encoding: \u{b}chunked", "0\r\n\r\n"),
        .post("a folded coding", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n"),
        Case(
            name: "a coding under HTTP/1.0",
            request: "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    private static let chunked = "Transfer-Encoding: chunked"

    static let chunks: [Case] = [
        .post("a signed chunk size", chunked, "+5\r\nhello\r\n0\r\n\r\n"),
        .post("a prefixed chunk size", chunked, "0x5\r\nhello\r\n0\r\n\r\n"),
        .post("a chunk size with a blank in it", chunked, "5 5\r\nhello\r\n0\r\n\r\n"),
        .post("a chunk size beyond all numbers", chunked, "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        .post("a chunk longer than its size", chunked, "4\r\nhello\r\n0\r\n\r\n"),
        .post("a chunk whose end is not a line's", chunked, "5\r\nhelloXX0\r\n\r\n"),
        .post("a chunk size that ends with a line feed", chunked, "5\nhello\r\n0\r\n\r\n"),
        .post("a chunk that ends with a line feed", chunked, "5\r\nhello\n0\r\n\r\n"),
        .post("a line feed in a chunk's extension", chunked, "5;a=\nb\r\nhello\r\n0\r\n\r\n"),
        .post("a NUL in a chunk's extension", chunked, "5;a=\0\r\nhello\r\n0\r\n\r\n"),
        .post("no chunk size", chunked, "\r\nhello\r\n0\r\n\r\n"),
        .post("a trailer that is no field", chunked, "0\r\nhello\r\n\r\n"),
        .post(
            "trailers beyond every head", chunked,
            "0\r\n" + String(repeating: "X: \(String(repeating: "a", count: 1000))\r\n", count: 60) + "\r\n"),
        .post(
            "more trailers than may be", chunked, "0\r\n" + String(repeating: "X: a\r\n", count: 150) + "\r\n"),
    ]

    static let heads: [Case] = [
        .get("a length of a GET", "Connection: close\r\nContent-Length: \(hidden.utf8.count)"),
        .get("chunks of a GET", "Connection: close\r\n\(chunked)\r\n\r\n0"),
        .get("a line feed in a field", "Accept: a\nX-Tenant-ID: b"),
        .get("a carriage return in a field", "Accept: a\rX-Tenant-ID: b"),
        .get("a NUL in a field", "Accept: a\0b"),
        .get("a folded field", "Accept: a\r\n X-Tenant-ID: b"),
        .get("a blank before a colon", "Accept : a"),
        .get("a field without a name", ": a"),
        .get("a field without a colon", "Accept"),
        .get("a name that is no word", "X{Y}: a"),
        Case(name: "a blank before the first field", request: "GET /x HTTP/1.1\r\n Host: a\r\nAccept: b\r\n\r\n"),
        Case(name: "heads that end with line feeds", request: "GET /x HTTP/1.1\nHost: a\n\n"),
        .line("a version to come", "GET /x HTTP/1.2"),
        .line("a version with two digits", "GET /x HTTP/1.10"),
        .line("no version", "GET /x"),
        .line("a tab", "GET\t/x HTTP/1.1"),
        .line("a blank in the target", "GET /x /y HTTP/1.1"),
        .line("a target with bytes of UTF-8", "GET /x?ü HTTP/1.1"),
        .line("a target of a name", "GET x HTTP/1.1"),
        .line("a target of a user", "GET http://a@b/x HTTP/1.1"),
        .line("a target of no host", "GET http:///x HTTP/1.1"),
        .line("a host that ends with a fragment", "GET http://a#/x HTTP/1.1"),
        .line("a host with a backslash", "GET http://a\\b/x HTTP/1.1"),
        .line("CONNECT", "CONNECT a:80 HTTP/1.1"),
        .line("a method in lower case", "get /x HTTP/1.1"),
        Case(name: "the preface of HTTP/2", request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .line("a target beyond every head", "GET /x?\(String(repeating: "a", count: 60_000)) HTTP/1.1"),
        .get("more fields than may be", (0..<150).map { "X-\($0): a" }.joined(separator: "\r\n")),
    ]

    /// Where they end is clear, what they ask for is not.
    static let unclear: [Case] = [
        .get("two hosts", "Host: b"),
        .get("a host and the same again", "Host: a"),
        Case(name: "no host", request: "GET /x HTTP/1.1\r\nAccept: a\r\n\r\n"),
        .line("a fragment", "GET /x#y HTTP/1.1"),
        .line("a target of another scheme", "GET ftp://a/x HTTP/1.1"),
        .line("a target with a dot segment", "GET /y/../x HTTP/1.1"),
        .line("a target with an encoded slash", "GET /y%2fx HTTP/1.1"),
        .line("a target with an encoded percent sign", "GET /%2578 HTTP/1.1"),
        .line("a target that holds a target", "GET /http://a/x HTTP/1.1"),
        .line("a target beyond the limit", "GET /x?\(String(repeating: "a", count: 9000)) HTTP/1.1"),
    ]

    @Test(
        "a request that asks for nothing clear is refused, and the one behind it is answered by itself",
        arguments: unclear)
    func refusedAlone(_ attack: Case) async throws {
        try await withUpstream { bench, asked async throws in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(attack.request + Self.hidden)
                return await connection.readUntilCutOff()
            }
            let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
            #expect(
                statuses.count == 2 && ["400", "404"].contains(statuses.first) && statuses.last == "200", "\(answer)")
            #expect(asked() == ["GET /hidden "])
        }
    }

    @Test(
        "is refused before the upstream, with all that follows, and proper requests are still answered",
        arguments: lengths + codings + chunks + heads)
    func refused(_ attack: Case) async throws {
        try await withUpstream { bench, asked async throws in
            let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(attack.request + Self.hidden)
                return await connection.readUntilCutOff()
            }
            let statuses = answer.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
            #expect(statuses.count <= 1, "\(answer)")
            #expect(statuses.first?.first.map { $0 == "4" || $0 == "5" } ?? true, "\(answer)")
            #expect(!answer.contains("ok"), "\(answer)")
            try await bench.idle()
            #expect(asked() == [])
            let proper = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(
                    "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
                return try await connection.readToEnd()
            }
            #expect(proper.hasPrefix("HTTP/1.1 200 "))
            #expect(asked() == ["POST /x hello"])
        }
    }

    /// An upstream that writes down what has come whole.
    private func withUpstream(
        _ body: @escaping @Sendable (ProxyBench, @escaping @Sendable () -> [String]) async throws -> Void
    ) async throws {
        let asked = Mutex<[String]>([])
        try await ProxyBench.withUpstream { router in
            for path in ["/x", "/hidden"] {
                for method in [HTTPRequest.Method.get, .post] {
                    router.on("\(path)", method: method) { request, _ in
                        let body = try await request.body.collect(upTo: 1 << 20)
                        asked.withLock { $0.append("\(request.method) \(request.uri.path) \(String(buffer: body))") }
                        return "ok"
                    }
                }
            }
        } _: { port in
            let routes = try ["/x", "/hidden"].map {
                try Fixture.route($0, ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            }
            try await ProxyBench.with(upstreamPorts: [port], routes: routes) { bench in
                try await body(bench) { asked.withLock { $0 } }
            }
        }
    }

    @Test(
        "what only looks strange is one request, and what follows it is another",
        arguments: [
            ("a chunk with an extension", "Transfer-Encoding: chunked", "5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n"),
            ("leading zeros", "Transfer-Encoding: chunked", "0005\r\nhello\r\n000\r\n\r\n"),
            ("trailers", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\nX-Tenant-ID: b\r\n\r\n"),
            ("a coding in upper case", "Transfer-Encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n"),
            ("blanks around a length", "Content-Length:  5  ", "hello"),
        ])
    func whole(name: String, framing: String, content: String) async throws {
        try await withUpstream { bench, asked async throws in
            let answers = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(
                    "POST /x HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n\(content)" + Self.hidden)
                return try await connection.readToEnd()
            }
            #expect(answers.components(separatedBy: "HTTP/1.1 200 ").count == 3, "\(answers)")
            #expect(asked() == ["POST /x hello", "GET /hidden "])
        }
    }
}

import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// What two readers of HTTP/2 and HTTP/1.1 may understand differently never reaches an upstream, which is asked in HTTP/1.1.
@Suite("Ambiguous requests by HTTP/2", .timeLimit(.minutes(3)))
struct HTTP2SmugglingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let fields: [(String, String)]
        var body: [[UInt8]] = []
        var testDescription: String { name }
    }

    private static let hello = Array("hello".utf8)

    static let cases: [Case] = [
        Case(name: "connection", fields: RawHTTP2.request("GET", "/x", [("connection", "x-y")])),
        Case(name: "keep-alive", fields: RawHTTP2.request("GET", "/x", [("keep-alive", "timeout=5")])),
        Case(name: "upgrade", fields: RawHTTP2.request("GET", "/x", [("upgrade", "h2c")])),
        Case(name: "proxy-connection", fields: RawHTTP2.request("GET", "/x", [("proxy-connection", "close")])),
        Case(
            name: "transfer-encoding", fields: RawHTTP2.request("POST", "/x", [("transfer-encoding", "chunked")]),
            body: [Array("0\r\n\r\nGET /y HTTP/1.1\r\n\r\n".utf8)]),
        Case(name: "te: gzip", fields: RawHTTP2.request("GET", "/x", [("te", "gzip, chunked")])),
        Case(name: "upper case", fields: RawHTTP2.request("GET", "/x", [("X-Tenant-ID", "a")])),
        Case(
            name: "line break in a value", fields: RawHTTP2.request("GET", "/x", [("accept", "a\r\nx-tenant-id: b")])),
        Case(name: "line feed in a value", fields: RawHTTP2.request("GET", "/x", [("accept", "a\nb: c")])),
        Case(name: "NUL in a value", fields: RawHTTP2.request("GET", "/x", [("accept", "a\0b")])),
        Case(name: "line break in a name", fields: RawHTTP2.request("GET", "/x", [("a\r\nb", "c")])),
        Case(name: "colon in a name", fields: RawHTTP2.request("GET", "/x", [("a: b", "c")])),
        Case(name: "line break in :path", fields: RawHTTP2.request("GET", "/x HTTP/1.1\r\nHost: b\r\n\r\n")),
        Case(name: "space in :path", fields: RawHTTP2.request("GET", "/x y")),
        Case(name: ":path without a slash", fields: RawHTTP2.request("GET", "x")),
        Case(name: "absolute :path", fields: RawHTTP2.request("GET", "http://localhost/x")),
        Case(name: "empty :path", fields: RawHTTP2.request("GET", "")),
        Case(name: "line break in :method", fields: RawHTTP2.request("GET /y HTTP/1.1\r\nA: b", "/x")),
        Case(name: "space in :method", fields: RawHTTP2.request("GET /x", "/x")),
        Case(name: "CONNECT", fields: [(":method", "CONNECT"), (":authority", "localhost:80")]),
        Case(name: "another host", fields: RawHTTP2.request("GET", "/x", [("host", "other")])),
        Case(name: "two hosts", fields: RawHTTP2.request("GET", "/x", [("host", "localhost"), ("host", "localhost")])),
        Case(
            name: "no host", fields: [(":method", "GET"), (":scheme", "https"), (":path", "/x")]),
        Case(
            name: "user in :authority",
            fields: [(":method", "GET"), (":scheme", "https"), (":authority", "a@localhost"), (":path", "/x")]),
        Case(
            name: "two :authority",
            fields: [
                (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":authority", "b"), (":path", "/x"),
            ]),
        Case(
            name: "plain scheme",
            fields: [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", "/x")]),
        Case(
            name: "line break in :scheme",
            fields: [(":method", "GET"), (":scheme", "https\r\na: b"), (":authority", "localhost"), (":path", "/x")]),
        Case(name: ":path after a field", fields: RawHTTP2.request("GET", "/x", [("accept", "a"), (":path", "/y")])),
        Case(name: "an unknown pseudo field", fields: RawHTTP2.request("GET", "/x", []) + [(":a", "b")]),
        Case(name: ":status", fields: [(":status", "200")] + RawHTTP2.request()),
        Case(
            name: "content-length too short", fields: RawHTTP2.request("POST", "/x", [("content-length", "2")]),
            body: [hello]),
        Case(
            name: "content-length too long", fields: RawHTTP2.request("POST", "/x", [("content-length", "9")]),
            body: [hello]),
        Case(
            name: "content-length of no body",
            fields: RawHTTP2.request("POST", "/x", [("content-length", "5")])),
        Case(
            name: "two lengths",
            fields: RawHTTP2.request("POST", "/x", [("content-length", "5"), ("content-length", "6")]), body: [hello]),
        Case(
            name: "a list of lengths", fields: RawHTTP2.request("POST", "/x", [("content-length", "5, 5")]),
            body: [hello]),
        Case(
            name: "a signed length", fields: RawHTTP2.request("POST", "/x", [("content-length", "+5")]), body: [hello]),
        Case(
            name: "too many fields",
            fields: RawHTTP2.request("GET", "/x", (0..<120).map { ("x-\($0)", "a") })),
    ]

    /// A body need not say its length by HTTP/2, nor come together with the head.
    @Test(
        "a body without a length arrives whole, and one of a GET is refused",
        arguments: [
            (method: "POST", pieces: ["hello"], status: 200), ("POST", ["he", "", "llo"], 200),
            ("POST", [String(repeating: "x", count: 60_000)], 200), ("POST", [""], 200), ("GET", [""], 200),
            ("GET", ["hello"], 400),
        ], [false, true])
    func bodiesWithoutLength(_ sent: (method: String, pieces: [String], status: Int), isSlow: Bool) async throws {
        try await ProxyBench.withUpstream { router in
            for method in [HTTPRequest.Method.get, .post] {
                router.on("/x", method: method) { request, _ in
                    String(buffer: try await request.body.collect(upTo: 1 << 20))
                }
            }
        } _: { port in
            let route = try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            try await SecureBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                    try await client.send(bytes: RawHTTP2.head(1, RawHTTP2.request(sent.method, "/x"), isEnd: false))
                    for (place, piece) in sent.pieces.enumerated() {
                        if isSlow { try await Task.sleep(for: .milliseconds(50)) }
                        let bytes = Array(piece.utf8)
                        for start in stride(from: 0, to: max(1, bytes.count), by: 16_384) {
                            let end = min(start + 16_384, bytes.count)
                            let isLast = place == sent.pieces.count - 1 && end == bytes.count
                            try await client.send(0, isLast ? 1 : 0, 1, Array(bytes[start..<end]))
                        }
                    }
                    return try await client.outcome(of: 1)
                }
                guard case .answered(let status, let body) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(status == sent.status)
                if status == 200 { #expect(body == sent.pieces.joined()) }
            }
        }
    }

    @Test("is refused before the upstream, and proper requests are still answered", arguments: cases)
    func refused(_ attack: Case) async throws {
        let asked = Mutex<[String]>([])
        try await ProxyBench.withUpstream { router in
            for method in [HTTPRequest.Method.get, .post] {
                router.on("/x", method: method) { request, _ in
                    // A body that is not whole never becomes a request here.
                    let body = try await request.body.collect(upTo: 1 << 20)
                    asked.withLock { $0.append("\(request.method) \(String(buffer: body))") }
                    return "ok"
                }
            }
        } _: { port in
            let route = try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            try await SecureBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                    try await client.ask(1, attack.fields, body: attack.body)
                }
                switch outcome {
                case .answered(let status, let body):
                    #expect((400..<500).contains(status), "\(attack.name): \(status) \(body)")
                    #expect(body.contains("\"success\":false"), "\(attack.name): \(body)")
                case .reset(let code), .goodbye(let code): #expect(code == RawHTTP2.Code.malformed, "\(attack.name)")
                case .closed: Issue.record("\(attack.name): closed without a word")
                }
                #expect(asked.withLock { $0 } == [], "\(attack.name)")
                let proper = try await RawHTTP2.connect(to: bench.port) { client in
                    try await client.ask(
                        1, RawHTTP2.request("POST", "/x", [("content-length", "5")]), body: [Self.hello])
                }
                #expect(proper == .answered(200, "ok"))
                #expect(asked.withLock { $0 } == ["POST hello"])
                try await bench.idle()
            }
        }
    }

    @Test("a host that stands in Host alone, or says the same, is the host")
    func host() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { request, _ in request.headers[.forwarded] ?? "" }
        } _: { port in
            try await SecureBench.with(
                upstreamPorts: [port], routes: [try ProxyBench.route("/x")]
            ) { bench async throws in
                let alone: [(String, String)] = [
                    (":method", "GET"), (":scheme", "https"), (":path", "/x"), ("host", "acme.example"),
                ]
                let same = alone.prefix(3) + [(":authority", "acme.example"), ("host", "ACME.example")]
                try await RawHTTP2.connect(to: bench.port) { client in
                    for (stream, fields) in [(1, alone), (3, Array(same))] {
                        guard case .answered(200, let forwarded) = try await client.ask(stream, fields) else {
                            Issue.record("\(fields)")
                            continue
                        }
                        #expect(forwarded.contains("host=\"acme.example\"") || forwarded.contains("host=acme.example"))
                    }
                }
            }
        }
    }
}

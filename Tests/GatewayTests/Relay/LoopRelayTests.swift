import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Relaying on the event loop, over live sockets", .timeLimit(.minutes(3)))
struct LoopRelayTests {
    @Test("a whole short request stays on its loop; HEAD, a stream and a body that is long or comes in pieces do not")
    func ways() async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                return String(body.readableBytes)
            }
            router.get("/x") { _, _ in "none" }
            router.get("/stream") { _, _ in "none" }
        } _: { port in
            let routes = [
                try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction)),
                try ProxyBench.route("/stream", isStreaming: true),
            ]
            try await ProxyBench.with(upstreamPorts: [port], routes: routes) { bench async throws in
                let long = String(repeating: "x", count: 70_000)
                let cases: [(request: String, rest: String, answer: String, isRelayed: Bool)] = [
                    ("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "", "none", true),
                    ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "", "3", true),
                    ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "", "0", true),
                    ("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", "", "none", false),
                    ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "abc", "3", false),
                    ("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n\(long)", "", "70000", false),
                    (
                        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "",
                        "3",
                        false
                    ),
                    ("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", "", "", false),
                ]
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    for (request, rest, answer, isRelayed) in cases {
                        // Else the request before could pass for this one, and the rest come with the head.
                        try await bench.idle()
                        let before = bench.relay.relayed.load(ordering: .relaxed)
                        try await connection.write(request)
                        if !rest.isEmpty {
                            try await waitUntil("the request is under way") { !bench.inFlight.isIdle }
                            try await connection.write(rest)
                        }
                        let text = try await connection.read(until: "\r\n\r\n\(answer)")
                        #expect(text.hasPrefix("HTTP/1.1 200 "), "\(request.prefix(60)): \(text)")
                        let after = bench.relay.relayed.load(ordering: .relaxed)
                        #expect(after - before == (isRelayed ? 1 : 0), "\(request.prefix(60))")
                    }
                }
            }
        }
    }

    @Test("requests that are sent ahead are answered in their order, whichever way each goes")
    func order() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x/{n}") { _, context in
                let number = try context.parameters.require("n")
                // Those that come first take longest.
                if number.hasSuffix("0") { try await Task.sleep(for: .milliseconds(30)) }
                return "<\(number)>"
            }
            router.post("/x/{n}") { _, context in "<\(try context.parameters.require("n"))>" }
        } _: { port in
            let route = try Fixture.route("/x/{n}", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let requests = (10..<40).map { number in
                    // Every third goes to the router.
                    number % 3 == 0
                        ? "POST /x/\(number) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                        : "GET /x/\(number) HTTP/1.1\r\nHost: a\r\n\r\n"
                }
                let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write(requests.joined())
                    return try await connection.read(until: "<39>")
                }
                let answers = text.split(separator: "<").dropFirst().map { $0.prefix { $0 != ">" } }
                #expect(answers.map { Int($0) } == Array(10..<40), "\(answers)")
                #expect(bench.relay.relayed.load(ordering: .relaxed) > 0)
            }
        }
    }

    @Test("a connection to a node serves one request after the other")
    func kept() async throws {
        let connections = Mutex(0)
        try await RawServer.with { connection in
            connections.withLock { $0 += 1 }
            var connection = connection
            while try await !connection.read(until: "\r\n\r\n").isEmpty {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")]) {
                bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    for _ in 1...5 {
                        try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(try await connection.read(until: "ok").hasPrefix("HTTP/1.1 200 "))
                    }
                }
            }
        }
        #expect(connections.withLock { $0 } == 1)
    }

    @Test("a connection that the node has closed meanwhile fails no idempotent request and says nothing of the node")
    func closedMeanwhile() async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            // The next one is read and not answered, as by a node that closes just now.
            _ = try await connection.read(until: "\r\n\r\n")
        } _: { port in
            let health = GatewayConfiguration.Health(failuresToOpen: 1, openFor: .seconds(3600))
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")], health: health) {
                bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    for _ in 1...5 {
                        try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(try await connection.read(until: "ok").hasPrefix("HTTP/1.1 200 "))
                    }
                }
            }
        }
    }

    @Test(
        "a request that may not be sent again and finds its connection closed says nothing of the node",
        arguments: [false, true])
    func closedUnderChange(isClientGone: Bool) async throws {
        let (arrived, go) = (Signal(), Signal())
        let lines = Mutex("")
        if !isClientGone { go.set() }
        try await RawServer.with { connection in
            var connection = connection
            while true {
                let head = try await connection.read(until: "\r\n\r\n")
                guard head.hasPrefix("GET") else { break }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
            arrived.set()
            await go.wait()
        } _: { port in
            let route = try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            try await ProxyBench.with(
                upstreamPorts: [port], routes: [route], health: .init(failuresToOpen: 1, openFor: .seconds(3600)),
                accessLines: { text in lines.withLock { $0 += text } }
            ) { bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await connection.read(until: "ok").hasPrefix("HTTP/1.1 200 "))
                    try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    await arrived.wait()
                    if isClientGone {
                        let options = try #require(connection.channel as? any SocketOptionProvider)
                        try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                    } else {
                        #expect(try await connection.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 502 "))
                    }
                }
                if isClientGone {
                    try await waitUntil("the gateway has noticed") { lines.withLock { $0.contains("POST") } }
                    go.set()
                }
                try await bench.idle()
                #expect(try await bench.get("/x").status == 200)
            }
        }
    }

    @Test("an answer without a length is as long as its connection, which serves no request that was sent ahead")
    func unframed() async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\n\r\nwhole")
        } _: { port in
            let route = try Fixture.route("/x", ["GET": nil, "POST": nil], target: .upstream(.mlPrediction))
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write(
                        "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
                            + "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return try await connection.readToEnd()
                }
                #expect(text.components(separatedBy: "HTTP/1.1 200 ").count == 3, "\(text)")
                #expect(text.components(separatedBy: "whole").count == 3, "\(text)")
            }
        }
    }

    /// A tenant's user whose standing a test takes away.
    private struct Revocable: Authenticator {
        let principal: Principal
        let isRevoked: Signal

        func authenticate(_ credential: Credential) async throws -> Verdict { .accepted(principal) }
        func warm(_ credential: Credential) -> Principal? { principal }
        func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict {
            isRevoked.isSet ? .denied(.notAuthenticated()) : .accepted(principal)
        }
    }

    @Test("a long answer on its event loop is cut off when access is revoked")
    func revoked() async throws {
        let (revoked, over) = (Signal(), Signal())
        let tenant = Fixture.tenant(plan: .starter)
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            _ = try? await connection.readToEnd()
            over.set()
        } _: { port in
            let route = try Fixture.route(
                "/x", ["GET": Route.Requirement(resource: .employees, action: .read)], scope: .tenant,
                target: .upstream(.mlPrediction), timeout: .seconds(3600))
            let configuration = GatewayConfiguration(
                routes: [route], upstreams: [:], plans: [.starter: .init(perSecond: 1, burst: 10)],
                address: .init(perSecond: 1, burst: 1))
            let upstream = Upstream(
                .mlPrediction, baseURLs: ["http://127.0.0.1:\(port)"],
                health: .init(failuresToOpen: 100, openFor: .seconds(1)))
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let line = ProxyBench.line(
                configuration, client, upstream,
                authenticators: [Revocable(principal: Fixture.user(tenant.id), isRevoked: revoked)], tenants: [tenant])
            let (application, relay) = ProxyBench.application(LiveLine(line))
            defer { relay.close() }
            try await application.testable().test(.live) { gateway in
                let text = try await RawConnection.connect(to: gateway.port ?? 0) { connection in
                    try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer known\r\n\r\n")
                    #expect(try await connection.read(until: "first").contains("first"))
                    #expect(relay.relayed.load(ordering: .relaxed) == 1)
                    revoked.set()
                    // By the revocation: the route's time is longer than the test's.
                    return try await connection.readToEnd()
                }
                #expect(!text.contains("0\r\n\r\n"))
            }
            await over.wait()
            await client.shutdown()
        }
    }
}

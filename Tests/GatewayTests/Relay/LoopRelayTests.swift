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

    /// A tenant's user whose standing a test decides once it is asked about.
    private struct Doubtful: Authenticator {
        let principal: Principal
        let standing: @Sendable (Principal) async -> Verdict

        func authenticate(_ credential: Credential) async throws -> Verdict { .accepted(principal) }
        func warm(_ credential: Credential) -> Principal? { principal }
        func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict { await standing(principal) }
    }

    /// A gateway for one tenant's user, in front of an upstream that speaks raw bytes.
    private func withReader(
        of serve: @escaping @Sendable (RawConnection) async throws -> Void,
        standing: @escaping @Sendable (Principal) async -> Verdict,
        _ body: @escaping @Sendable (ProxyBench) async throws -> Void
    ) async throws {
        let tenant = Fixture.tenant(plan: .starter)
        try await RawServer.with(serve) { port in
            let route = try Fixture.route(
                "/x", ["GET": Route.Requirement(resource: .employees, action: .read)], scope: .tenant,
                target: .upstream(.mlPrediction), timeout: .seconds(3600))
            let configuration = GatewayConfiguration(
                routes: [route], upstreams: [:], plans: [.starter: .init(perSecond: 1, burst: 10)],
                address: .init(perSecond: 1, burst: 1))
            try await ProxyBench.with(
                configuration, upstreamPort: port,
                authenticators: [Doubtful(principal: Fixture.user(tenant.id), standing: standing)], tenants: [tenant],
                body)
        }
    }

    private static let asking = "GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer known\r\n\r\n"
    private static let beginning = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"

    @Test("a long answer on its event loop is cut off when access is revoked")
    func revoked() async throws {
        let (revoked, over) = (Signal(), Signal())
        try await withReader { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write(Self.beginning)
            _ = try? await connection.readToEnd()
            over.set()
        } standing: { principal in
            revoked.isSet ? .denied(.notAuthenticated()) : .accepted(principal)
        } _: { bench async throws in
            let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(Self.asking)
                #expect(try await connection.read(until: "first").contains("first"))
                #expect(bench.relay.relayed.load(ordering: .relaxed) == 1)
                revoked.set()
                // By the revocation: the route's time is longer than the test's.
                return try await connection.readToEnd()
            }
            #expect(!text.contains("0\r\n\r\n"))
            await over.wait()
        }
    }

    @Test(
        "what comes while nobody can say whether the reader may have it waits, in its order", arguments: [true, false])
    func undecided(isAllowed: Bool) async throws {
        let (asked, sent, decided) = (Signal(), Signal(), Signal())
        try await withReader { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write(Self.beginning)
            // Also while nothing is sent it is asked.
            await asked.wait()
            try await connection.write("6\r\nsecond\r\n")
            try await connection.write("5\r\nthird\r\n0\r\n\r\n")
            sent.set()
            _ = try? await connection.readToEnd()
        } standing: { principal in
            asked.set()
            await decided.wait()
            return isAllowed ? .accepted(principal) : .denied(.notAuthenticated())
        } _: { bench async throws in
            let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                try await connection.write(Self.asking)
                var text = try await connection.read(until: "first")
                await sent.wait()
                // The gateway has time to pass it on.
                try await Task.sleep(for: .milliseconds(200))
                decided.set()
                if isAllowed {
                    text += try await connection.read(until: "0\r\n\r\n")
                } else {
                    text += try await connection.readToEnd()
                }
                return text
            }
            #expect(bench.relay.relayed.load(ordering: .relaxed) == 1)
            #expect(text.contains("first\r\n6\r\nsecond\r\n5\r\nthird\r\n0\r\n\r\n") == isAllowed, "\(text)")
            #expect(text.contains("second") == isAllowed, "\(text)")
        }
    }
}

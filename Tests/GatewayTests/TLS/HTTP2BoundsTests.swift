import Contracts
import Hummingbird
import NIOCore
import ServiceKit
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("What one connection of HTTP/2 may ask of the gateway", .timeLimit(.minutes(3)))
struct HTTP2BoundsTests {
    /// A proxy whose upstream answers `/x` once `go` is set, `/quick` at once and `/large` with a megabyte.
    private func with<R: Sendable>(
        _ arguments: [String] = [], http2: HTTP2Connection.Limits? = nil, go: Signal = Signal(),
        _ body: @escaping @Sendable (SecureBench) async throws -> R
    ) async throws -> R {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ in
                await go.wait()
                return "done"
            }
            router.get("/quick") { _, _ in "quick" }
            router.get("/large") { _, _ in ByteBuffer(repeating: UInt8(ascii: "a"), count: 1 << 20) }
        } _: { port in
            let routes = try ["/x", "/quick", "/large"].map { try ProxyBench.route($0) }
            let most = InFlight.Limits(tenant: 4000, user: 4000, address: 4000)
            return try await SecureBench.with(
                upstreamPorts: [port], routes: routes, inFlight: .init(node: 4000, brief: most, streams: most),
                arguments: arguments, http2: http2, body)
        }
    }

    @Test("of many streams at once the limit is served, and the others are refused and may be sent again")
    func manyStreams() async throws {
        let go = Signal()
        var limits = HTTP2Connection.Limits()
        limits.streams = 10
        try await with(http2: limits, go: go) { bench async throws in
            // The client has not heard of the limit yet.
            let (served, refused) = try await RawHTTP2.connect(to: bench.port) { client in
                let streams = (0..<90).map { $0 * 2 + 1 }
                let ping = RawHTTP2.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])
                try await client.send(bytes: streams.flatMap { RawHTTP2.head($0, RawHTTP2.request()) } + ping)
                var (served, refused, hasAll) = (0, 0, false)
                while !hasAll || served + refused < 90, let frame = try await client.next() {
                    if frame.code == RawHTTP2.Code.refused, frame.type == 3 { refused += 1 }
                    // The answer to the ping: all streams have been looked at.
                    if frame.type == 6 { hasAll = true }
                    if hasAll { go.set() }
                    if frame.isEnd { served += 1 }
                }
                return (served, refused)
            }
            #expect((served, refused) == (10, 80))
            try await bench.idle()
        }
    }

    @Test("a client that opens a thousand streams whatever the limit is sent away, and nothing of it stays")
    func thousandStreams() async throws {
        let go = Signal()
        try await with(go: go) { bench async throws in
            let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                // The last one would be answered.
                try await client.send(
                    bytes: (0..<1000).flatMap { RawHTTP2.head($0 * 2 + 1, RawHTTP2.request()) }
                        + RawHTTP2.head(2001, RawHTTP2.request("GET", "/quick")))
                return try await client.outcome(of: 2001)
            }
            #expect(outcome == .goodbye(RawHTTP2.Code.malformed))
            go.set()
            try await bench.idle()
            let again = try await RawHTTP2.connect(to: bench.port) { client in
                try await client.ask(1, RawHTTP2.request("GET", "/quick"))
            }
            #expect(again == .answered(200, "quick"))
        }
    }

    @Test("a client that goes on past the limit all the same is sent away")
    func neverEnough() async throws {
        let go = Signal()
        var limits = HTTP2Connection.Limits()
        (limits.streams, limits.refusals) = (1, 20)
        try await with(http2: limits, go: go) { bench async throws in
            let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                try await client.send(bytes: (0..<40).flatMap { RawHTTP2.head($0 * 2 + 1, RawHTTP2.request()) })
                return try await client.outcome(of: 79)
            }
            go.set()
            #expect(outcome == .goodbye(RawHTTP2.Code.calm))
        }
    }

    enum Flood: String, CaseIterable, Sendable {
        case resets, provokedResets, pings, settings, priorities, emptyFrames, continuations

        /// The flood, and then what a server that has put up with it would answer on stream ``last``.
        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            switch self {
            case .emptyFrames: bytes += RawHTTP2.head(1, RawHTTP2.request(), isEnd: false)
            case .continuations: bytes += RawHTTP2.frame(1, 0, 1, RawHTTP2.block(RawHTTP2.request("GET", "/quick")))
            default: break
            }
            for number in 0..<300 { bytes += piece(number, stream: number * 2 + 1) }
            if self == .continuations { return bytes + RawHTTP2.frame(9, 4, 1, RawHTTP2.block([("x", "a")])) }
            return bytes + RawHTTP2.head(last, RawHTTP2.request("GET", "/quick"))
        }

        var last: Int { self == .continuations ? 1 : 9999 }

        private func piece(_ number: Int, stream: Int) -> [UInt8] {
            switch self {
            // CVE-2023-44487
            case .resets: RawHTTP2.head(stream, RawHTTP2.request()) + RawHTTP2.frame(3, 0, stream, [0, 0, 0, 8])
            // CVE-2025-8671: a window that is widened by nothing makes the server reset the stream.
            case .provokedResets:
                RawHTTP2.head(stream, RawHTTP2.request()) + RawHTTP2.frame(8, 0, stream, [0, 0, 0, 0])
            case .pings: RawHTTP2.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])
            case .settings: RawHTTP2.frame(4, 0, 0)
            case .priorities: RawHTTP2.frame(2, 0, stream, [0, 0, 0, 0, 1])
            case .emptyFrames: RawHTTP2.frame(0, 0, 1)
            case .continuations: RawHTTP2.frame(9, 0, 1, RawHTTP2.block([("x-\(number)", "a")]))
            }
        }
    }

    @Test("a flood ends its connection and no other", arguments: Flood.allCases)
    func flood(_ flood: Flood) async throws {
        let go = Signal()
        try await with(go: go) { bench async throws in
            try await RawHTTP2.connect(to: bench.port) { other in
                let answer2 = try await other.ask(1, RawHTTP2.request("GET", "/quick"))
                #expect(answer2 == .answered(200, "quick"))
                let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                    try await client.send(bytes: flood.bytes)
                    return try await client.outcome(of: flood.last)
                }
                guard case .goodbye(let code) = outcome else {
                    Issue.record("\(flood): \(outcome)")
                    return
                }
                #expect([RawHTTP2.Code.calm, RawHTTP2.Code.malformed].contains(code), "\(flood): \(code)")
                let answer3 = try await other.ask(3, RawHTTP2.request("GET", "/quick"))
                #expect(answer3 == .answered(200, "quick"))
            }
            go.set()
            try await bench.idle()
        }
    }

    @Test("a head that grows beyond what was agreed ends the connection")
    func largeHead() async throws {
        try await with { bench async throws in
            let outcome = try await RawHTTP2.connect(to: bench.port) { client in
                let fields = (0..<90).map { ("x-\($0)", String(repeating: "a", count: 1000)) }
                let block = RawHTTP2.block(RawHTTP2.request("GET", "/quick", fields))
                let pieces = stride(from: 0, to: block.count, by: 16_000).map {
                    Array(block[$0..<min(block.count, $0 + 16_000)])
                }
                for (index, piece) in pieces.enumerated() {
                    try await client.send(
                        bytes: RawHTTP2.frame(
                            index == 0 ? 1 : 9, (index == 0 ? 1 : 0) | (index == pieces.count - 1 ? 4 : 0), 1, piece))
                }
                return try await client.outcome(of: 1)
            }
            #expect(outcome.status != 200, "\(outcome)")
            let again = try await RawHTTP2.connect(to: bench.port) { client in
                try await client.ask(1, RawHTTP2.request("GET", "/quick"))
            }
            #expect(again == .answered(200, "quick"))
        }
    }

    @Test("a client that does not read loses the stream, and the gateway holds little for it")
    func unread() async throws {
        try await with(["--http-write-timeout=300ms"]) { bench async throws in
            try await RawHTTP2.connect(to: bench.port, greets: false) { client in
                // No window at all: not even the end of a short answer can be sent.
                try await client.greet(settings: [(4, 0)])
                let answer4 = try await client.ask(1, RawHTTP2.request("GET", "/large"))
                #expect(answer4 == .reset(8))
                let answer5 = try await client.ask(3, RawHTTP2.request("GET", "/quick"))
                #expect(answer5 == .reset(8))
            }
            try await bench.idle()
        }
    }

    @Test("an idle connection is closed, with GOAWAY")
    func idle() async throws {
        try await with(["--http-idle-timeout=5s"]) { bench async throws in
            let frames = try await RawHTTP2.connect(to: bench.port) { client in
                _ = try await client.ask(1, RawHTTP2.request("GET", "/quick"))
                while try await client.next() != nil {}
                return client.seen
            }
            #expect(frames.filter { $0.type == 7 }.map(\.code) == [0, 0])
        }
    }

    @Test("a server that is being stopped says so, and what is under way ends well")
    func drain() async throws {
        let go = Signal()
        try await with(["--shutdown-drain=300ms"], go: go) { bench async throws in
            try await RawHTTP2.connect(to: bench.port) { client in
                try await client.send(bytes: RawHTTP2.head(1, RawHTTP2.request()))
                let answer6 = try await client.ask(3, RawHTTP2.request("GET", "/quick"))
                #expect(answer6 == .answered(200, "quick"))
                async let stopped: Void = bench.group.triggerGracefulShutdown()
                await stopped
                // The answer to one more request, still taken, is told first.
                while try await client.next().map({ $0.type != 7 }) ?? false {}
                #expect(client.seen.last?.code == 0)
                go.set()
                let answer7 = try await client.outcome(of: 1)
                #expect(answer7 == .answered(200, "done"))
                while try await client.next() != nil {}
            }
        }
    }
}

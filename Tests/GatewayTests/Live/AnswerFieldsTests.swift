import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("What the gateway adds to answers, over live sockets", .timeLimit(.minutes(3)))
struct AnswerFieldsTests {
    private static let page = "https://app.example"
    private static let tenant = Fixture.tenant(plan: .starter)
    private static let credential = (name: "Authorization", value: "Bearer \(OneToken.token)")

    private func with(
        upstreamPort: Int, isWarm: Bool = true, crossOrigin: CrossOrigin? = nil,
        _ body: @escaping @Sendable (ProxyBench) async throws -> Void
    ) async throws {
        let route = try Fixture.route(
            "/x", ["GET": Route.Requirement(resource: .employees, action: .read)], scope: .tenant,
            target: .upstream(.mlPrediction))
        let configuration = GatewayConfiguration(
            routes: [route], upstreams: [:], plans: [.starter: .init(perSecond: 1, burst: 100)],
            address: .init(perSecond: 1, burst: 1), requestHeaders: ["x-feature"], crossOrigin: crossOrigin)
        let caller = OneToken(principal: Fixture.user(Self.tenant.id), isWarm: isWarm)
        try await ProxyBench.with(
            configuration, upstreamPort: upstreamPort, authenticators: [caller], tenants: [Self.tenant], body)
    }

    /// A gateway that lets one page ask, and an upstream whose answers vary already.
    private func withPage(_ body: @escaping @Sendable (ProxyBench) async throws -> Void) async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ in
                Response(
                    status: .ok, headers: [.vary: "Accept-Encoding"], body: .init(byteBuffer: .init(string: "x")))
            }
        } _: { port in
            try await with(
                upstreamPort: port, crossOrigin: CrossOrigin(origins: [Self.page], maximumAge: .seconds(60)), body)
        }
    }

    @Test("all answers say that they depend on the origin, and those to an allowed page that it may read them")
    func crossOrigin() async throws {
        try await withPage { bench async throws in
            let plain = try await bench.send("GET", "/x", [Self.credential])
            #expect(bench.relay.relayed.load(ordering: .relaxed) == 1)
            #expect(plain.status == 200)
            #expect(plain.values("Vary") == ["Accept-Encoding", "Origin"])
            #expect(plain.header("Access-Control-Allow-Origin") == nil)
            let read = try await bench.send("GET", "/x", [Self.credential, ("Origin", Self.page)])
            #expect(read.status == 200 && read.values("Vary") == ["Accept-Encoding", "Origin"])
            #expect(read.values("Access-Control-Allow-Origin") == [Self.page])
            #expect(read.header("Access-Control-Expose-Headers")?.contains("RateLimit") == true)
            #expect(bench.relay.relayed.load(ordering: .relaxed) == 2)
            let other = try await bench.send("GET", "/x", [Self.credential, ("Origin", "https://evil.example")])
            #expect(other.values("Vary") == ["Accept-Encoding", "Origin"])
            #expect(other.header("Access-Control-Allow-Origin") == nil)
            for path in ["/x", "/nothing"] {
                let refused = try await bench.send("GET", path, [("Origin", Self.page)])
                #expect([401, 404].contains(refused.status) && refused.values("Vary") == ["Origin"])
                #expect(refused.values("Access-Control-Allow-Origin") == [Self.page])
            }
        }
    }

    @Test("a browser learns the methods of a route and all fields that requests may bring, without a credential")
    func preflight() async throws {
        try await withPage { bench async throws in
            func ask(_ origin: String) async throws -> Reply {
                try await bench.send("OPTIONS", "/x", [("Access-Control-Request-Method", "GET"), ("Origin", origin)])
            }
            let answer = try await ask(Self.page)
            #expect(answer.status == 204 && answer.values("Access-Control-Allow-Origin") == [Self.page])
            #expect(answer.header("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS")
            let fields = Set(
                (answer.header("Access-Control-Allow-Headers") ?? "").split(separator: ", ").map { String($0) })
            for name in ["authorization", "x-tenant-id", "if-match", "inference-header-content-length", "x-feature"] {
                #expect(fields.contains(name), "\(name)")
            }
            let other = try await ask("https://evil.example")
            #expect(other.status == 204 && other.header("Access-Control-Allow-Origin") == nil)
            #expect(other.header("Allow") == "GET, HEAD, OPTIONS" && other.values("Vary") == ["Origin"])
        }
    }

    @Test(
        "a request that was counted is told what is left, also when no service answers, whichever way it goes",
        arguments: [true, false])
    func left(isWarm: Bool) async throws {
        try await with(upstreamPort: try FreePort.take(), isWarm: isWarm) { bench async throws in
            let answer = try await bench.send("GET", "/x", [Self.credential])
            #expect(bench.relay.relayed.load(ordering: .relaxed) == (isWarm ? 1 : 0))
            #expect(answer.status == 503)
            #expect(answer.values("RateLimit").count == 1 && answer.values("RateLimit-Policy").count == 1)
            let forbidden = try await bench.send(
                "GET", "/x", [Self.credential, ("X-Tenant-ID", "\(TenantID())")])
            #expect(forbidden.status == 403 && forbidden.values("RateLimit").count == 1)
        }
    }
}

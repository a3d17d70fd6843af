import Contracts
import HTTPClient
import HTTPTypes
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

/// Knows one token, without asking anybody.
struct OneToken: Authenticator {
    let principal: Principal
    var isWarm = true
    static let token = "known"

    func authenticate(_ credential: Credential) async throws -> Verdict {
        credential.token == Self.token ? .accepted(principal) : .denied(.notAuthenticated())
    }

    func warm(_ credential: Credential) -> Principal? {
        isWarm && credential.token == Self.token ? principal : nil
    }
}

@Suite("Admission without waiting")
struct WarmAdmissionTests {
    private static let tenant = Fixture.tenant(plan: .starter)
    private let inFlight = InFlightStage(.standard)

    /// A line whose tenant may ask twice at once.
    private func line(_ authenticator: OneToken, tenants: [TenantSummary] = [tenant]) throws -> GatewayLine {
        let route = try Fixture.route(
            "/x", ["GET": Route.Requirement(resource: .employees, action: .read)], scope: .tenant,
            target: .upstream(.mlPrediction))
        let configuration = GatewayConfiguration(
            routes: [route], upstreams: [:], plans: [.starter: .init(perSecond: 0.001, burst: 2)],
            address: .init(perSecond: 1, burst: 1))
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://127.0.0.1:1"], health: .init(failuresToOpen: 1, openFor: .seconds(1)))
        return ProxyBench.line(
            configuration, HTTPClient(logger: PostgresCluster.quietLogger), upstream, inFlight: inFlight,
            authenticators: [authenticator], tenants: tenants)
    }

    private func asked(_ line: GatewayLine, _ fields: HTTPFields = [:]) throws -> GatewayLine.Asked {
        var request = HTTPRequest(method: .get, scheme: "http", authority: "erm.example", path: "/x")
        request.headerFields = fields
        if request.headerFields[.authorization] == nil {
            request.headerFields[.authorization] = "Bearer \(OneToken.token)"
        }
        return try line.asked(
            try line.route.match(method: "GET", target: "/x"), request, peer: ClientAddress("192.0.2.1"))
    }

    private func admit(_ line: GatewayLine, _ fields: HTTPFields = [:]) throws -> Admission? {
        try line.admitWarm(try asked(line, fields), RequestRecord(method: "GET"))
    }

    private func user(_ permissions: [Permission] = DefaultRole.viewer.permissions) -> Principal {
        Fixture.user(Self.tenant.id, permissions)
    }

    @Test("a cached, authorised caller is admitted, counted and charged")
    func admitted() throws {
        let admission = try admit(try line(OneToken(principal: user())))
        #expect(admission?.tenant == Self.tenant && admission?.left?.requests == 1)
        #expect(!inFlight.isIdle)
    }

    @Test(
        "an uncached, unknown, unauthorised or foreign caller goes to the router and consumes no quota"
    )
    func left() throws {
        let unknown: HTTPFields = [.authorization: "Bearer unknown"]
        let other: HTTPFields = [.tenantID: "\(TenantID())"]
        let suspended = Fixture.tenant(Self.tenant.id, plan: .starter, isActive: false)
        let nobody = Principal(kind: .user(UserID(), session: SessionID()), tenant: Self.tenant.id)
        let cases: [(GatewayLine, HTTPFields)] = [
            (try line(OneToken(principal: user(), isWarm: false)), [:]),
            (try line(OneToken(principal: user())), unknown),
            (try line(OneToken(principal: user())), other),
            (try line(OneToken(principal: user()), tenants: [suspended]), [:]),
            (try line(OneToken(principal: user()), tenants: []), [:]),
            (try line(OneToken(principal: nobody)), [:]),
            (try line(OneToken(principal: .platformOperator)), [:]),
        ]
        for (line, fields) in cases { #expect(try admit(line, fields) == nil) }
        #expect(inFlight.isIdle)
        // Nothing was charged: both requests of the plan are there.
        let line = cases[1].0
        #expect(try admit(line)?.left?.requests == 1)
    }

    @Test("a tenant beyond its plan is refused on the event loop too")
    func limit() async throws {
        let line = try line(OneToken(principal: user()))
        for _ in 1...2 { #expect(try admit(line) != nil) }
        let refusal = try await problem { try admit(line) as Any }
        #expect(refusal.status == .tooManyRequests && refusal.headers[.rateLimit] != nil)
    }

    /// What three requests are refused with.
    private func refusals(_ line: GatewayLine, _ fields: HTTPFields = [:]) async throws -> [ProblemError] {
        var refusals: [ProblemError] = []
        for _ in 1...3 {
            refusals.append(
                try await problem { try await line.admit(try asked(line, fields), RequestRecord(method: "GET")) })
        }
        return refusals
    }

    @Test("forbidden requests count against the plan")
    func forbidden() async throws {
        let nobody = Principal(kind: .user(UserID(), session: SessionID()), tenant: Self.tenant.id)
        let refusals = try await refusals(try line(OneToken(principal: nobody)))
        #expect(refusals.map(\.status) == [.forbidden, .forbidden, .tooManyRequests])
        #expect(refusals.map { $0.headers[values: .rateLimit].count } == [1, 1, 1])
    }

    @Test(
        "requests that name another tenant, and those of a suspended one, count against the plan of the credential's tenant"
    )
    func otherTenant() async throws {
        let other = try await refusals(try line(OneToken(principal: user())), [.tenantID: "\(TenantID())"])
        #expect(other.map(\.code) == [.tenantMismatch, .tenantMismatch, .rateLimited])
        let suspended = Fixture.tenant(Self.tenant.id, plan: .starter, isActive: false)
        let refused = try await refusals(try line(OneToken(principal: user()), tenants: [suspended]))
        #expect(refused.map(\.code) == [.tenantUnavailable, .tenantUnavailable, .rateLimited])
        #expect((other + refused).map { $0.headers[values: .rateLimit].count } == Array(repeating: 1, count: 6))
    }
}

import Contracts
import HTTPTypes
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

@Suite("Limit stage")
struct LimitStageTests {
    private let allowance = GatewayConfiguration.Allowance(perSecond: 2, burst: 3)

    @Test("a burst passes, the next waits for its token")
    func burst() {
        var bucket = TokenBucket(allowance, now: Fixture.start)
        for _ in 1...3 { #expect(bucket.take(allowance, now: Fixture.start) == nil) }
        #expect(bucket.take(allowance, now: Fixture.start) == .milliseconds(500))
        #expect(bucket.take(allowance, now: Fixture.start + .milliseconds(500)) == nil)
        #expect(bucket.take(allowance, now: Fixture.start + .milliseconds(500)) == .milliseconds(500))
    }

    @Test("an allowance refills to the burst and no further")
    func refill() {
        var bucket = TokenBucket(allowance, now: Fixture.start)
        let later = Fixture.start + .seconds(3600)
        for _ in 1...3 { #expect(bucket.take(allowance, now: later) == nil) }
        #expect(bucket.take(allowance, now: later) != nil)
        #expect(!bucket.isFull(allowance, now: later + .seconds(1)))
        #expect(bucket.isFull(allowance, now: later + .seconds(2)))
    }

    @Test("a clock that stands still or goes back gives nothing")
    func backwards() {
        var bucket = TokenBucket(allowance, now: Fixture.start)
        for _ in 1...3 { _ = bucket.take(allowance, now: Fixture.start) }
        #expect(bucket.take(allowance, now: Fixture.start - .seconds(10)) != nil)
    }

    private func stage() -> LimitStage {
        LimitStage(
            GatewayConfiguration(
                routes: [], upstreams: [:],
                plans: [.starter: .init(perSecond: 0.1, burst: 1), .enterprise: .init(perSecond: 1, burst: 2)],
                address: .init(perSecond: 1, burst: 1)), now: { Fixture.start })
    }

    @Test("a tenant beyond its plan gets Retry-After, and other tenants are not affected")
    func tenants() async throws {
        let stage = stage()
        let (small, other, large) = (Fixture.tenant(), Fixture.tenant(), Fixture.tenant(plan: .enterprise))
        try stage.admit(small)
        let problem = try await problem { try stage.admit(small) }
        #expect(problem.status == .tooManyRequests)
        #expect(problem.headers[.retryAfter] == "10")
        try stage.admit(other)
        try stage.admit(large)
        try stage.admit(large)
    }

    @Test("a plan without an allowance is refused")
    func unknownPlan() async throws {
        let problem = try await problem { try stage().admit(Fixture.tenant(plan: .professional)) }
        #expect(problem.status == .forbidden)
    }

    private func stageOfUsers() -> LimitStage {
        LimitStage(
            GatewayConfiguration(
                routes: [], upstreams: [:], plans: [.starter: .init(perSecond: 1, burst: 5)],
                address: .init(perSecond: 1, burst: 1), userPlans: [.starter: .init(perSecond: 0.5, burst: 2)],
                classes: ["reports": [.starter: .init(perSecond: 0.25, burst: 1)]]), now: { Fixture.start })
    }

    @Test("each user or key has an allowance of its own, and exceeding it takes nothing from the others")
    func users() async throws {
        let stage = stageOfUsers()
        let tenant = Fixture.tenant()
        let greedy = Principal.Kind.user(UserID(), session: SessionID())
        for _ in 1...2 { try stage.admit(tenant, by: greedy) }
        for _ in 1...10 {
            let problem = try await problem { try stage.admit(tenant, by: greedy) }
            #expect(problem.status == .tooManyRequests && problem.headers[.retryAfter] == "2")
            #expect(problem.headers[.rateLimit] == "\"user\";r=0;t=2")
        }
        for _ in 1...2 { try stage.admit(tenant, by: .apiKey(APIKeyID())) }
        let last = try stage.admit(tenant, by: .user(UserID(), session: SessionID()))
        #expect(last.fields[.rateLimit] == "\"plan\";r=0;t=5")
        #expect(last.fields[.rateLimitPolicy] == "\"plan\";q=5;w=5, \"user\";q=2;w=4")
        let problem = try await problem { try stage.admit(tenant, by: .apiKey(APIKeyID())) }
        #expect(problem.headers[.rateLimit] == "\"plan\";r=0;t=1")
    }

    @Test("a user's sessions count together, and a class of routes by itself")
    func classes() async throws {
        let stage = stageOfUsers()
        let (tenant, user) = (Fixture.tenant(), UserID())
        let left = try stage.admit(tenant, by: .user(user, session: SessionID()), in: "reports")
        #expect(left.fields[.rateLimit] == "\"class\";r=0;t=4")
        let refusal = try await problem {
            try stage.admit(tenant, by: .user(UserID(), session: SessionID()), in: "reports")
        }
        #expect(refusal.headers[.retryAfter] == "4" && refusal.headers[.rateLimit] == "\"class\";r=0;t=4")
        try stage.admit(tenant, by: .user(user, session: SessionID()))
        #expect(
            try await problem { try stage.admit(tenant, by: .user(user, session: SessionID())) }.status
                == .tooManyRequests)
        try stage.admit(Fixture.tenant(), by: .user(UserID(), session: SessionID()), in: "reports")
    }

    @Test("of a stranger's many addresses no more are told to other nodes than these can bear")
    func manyAddresses() throws {
        let stage = stage()
        for number in 0..<(LimitMeters.mostAddresses + 100) {
            let address = try #require(ClientAddress("10.0.\(number / 250).\(number % 250)"))
            for _ in 1...2 { stage.chargeGuess(address) }
        }
        #expect(stage.demands().count == LimitMeters.mostAddresses)
    }

    @Test("addresses are counted one by one")
    func addresses() async throws {
        let stage = stage()
        try stage.admit(address: try #require(ClientAddress("192.0.2.1")))
        let problem = try await problem { try stage.admit(address: try #require(ClientAddress("192.0.2.1"))) }
        #expect(problem.status == .tooManyRequests)
        try stage.admit(address: try #require(ClientAddress("192.0.2.2")))
    }
}

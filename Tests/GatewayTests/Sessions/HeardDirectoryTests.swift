import Contracts
import HTTPTypes
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Knows one tenant and every user, and counts what it is asked.
private final class CountingDirectory: TenantDirectory, PrincipalDirectory {
    let tenant: TenantSummary
    private let state = Mutex((questions: 0, isDown: false))

    init(_ tenant: TenantSummary) { self.tenant = tenant }

    var questions: Int { state.withLock { $0.questions } }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    private func asked<Answer: Sendable>(_ answer: Answer) throws -> Answer {
        try state.withLock { state in
            state.questions += 1
            guard !state.isDown else { throw ProblemError.unavailable("gone") }
            return answer
        }
    }

    func tenant(_ id: TenantID) async throws -> TenantSummary? { try asked(tenant) }
    func tenant(subdomain: Subdomain) async throws -> TenantSummary? {
        try asked(subdomain.rawValue == tenant.subdomain ? tenant : nil)
    }
    func roles(of tenant: TenantID) async throws -> [RoleGrants] { try asked([]) }
    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? { nil }
    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? {
        try asked(
            UserGrants(
                userId: user, tenantId: tenant, email: "a@acme.example", name: "A", isActive: true, roles: [],
                permissions: []))
    }
}

@Suite("A directory that hears of changes")
struct HeardDirectoryTests {
    private let tenant = Fixture.tenant()
    private let user = UserID()
    private let colleague = UserID()
    private let changes = ScriptedChanges()
    private let offset = ClockOffset()

    private final class ClockOffset: Sendable {
        private let value = Mutex(Duration.zero)
        var now: ContinuousClock.Instant { Fixture.start + value.withLock { $0 } }
        func advance(_ duration: Duration) { value.withLock { $0 += duration } }
    }

    private func parts(
        _ tenant: TenantSummary? = nil
    ) -> (source: CountingDirectory, directory: CachedDirectory, follower: ChangeFollower) {
        let now: @Sendable () -> ContinuousClock.Instant = { [offset] in offset.now }
        let source = CountingDirectory(tenant ?? self.tenant)
        let follower = ChangeFollower(
            "tenant-admin", source: changes, silence: .seconds(1), logger: PostgresCluster.quietLogger, now: now)
        return (source, CachedDirectory(source, changes: follower, now: now), follower)
    }

    @Test("a user who sends a request a minute is served from the cache")
    func quiet() async throws {
        let (source, directory, follower) = parts()
        try await follower.ask()
        _ = try await directory.principal(user, in: tenant.id)
        _ = try await directory.tenant(tenant.id)
        for _ in 1...9 {
            offset.advance(.seconds(60))
            try await follower.ask()
            #expect(try await directory.principal(user, in: tenant.id)?.userId == user)
            #expect(directory.warm(principal: user, in: tenant.id)?.grants.userId == user)
            #expect(directory.warm(tenant: tenant.id) == tenant)
        }
        #expect(source.questions == 2)
    }

    @Test("only changed entries are fetched again")
    func changed() async throws {
        let (source, directory, follower) = parts()
        func warm() -> [Bool] {
            [
                directory.warm(principal: user, in: tenant.id) != nil,
                directory.warm(principal: colleague, in: tenant.id) != nil, directory.warm(tenant: tenant.id) != nil,
                directory.warm(rolesOf: tenant.id) != nil,
            ]
        }
        let cases: [(Change, [Bool])] = [
            (Change(.user, of: tenant.id, subject: user.description), [false, true, true, true]),
            (Change(.user, of: TenantID(), subject: user.description), [true, true, true, true]),
            (Change(.roles, of: tenant.id), [false, false, true, false]),
            (Change(.tenant, of: tenant.id, subject: "acme"), [true, true, false, true]),
            (Change(ChangeKind(rawValue: "of_a_later_release"), of: tenant.id), [false, false, false, false]),
        ]
        for (change, stays) in cases {
            for id in [user, colleague] { _ = try await directory.principal(id, in: tenant.id) }
            _ = try await directory.tenant(tenant.id)
            _ = try await directory.roles(of: tenant.id)
            try await follower.ask()
            if source.questions == 4 {
                // The first answer makes everything before it forgotten.
                #expect(warm() == [false, false, false, false])
                for id in [user, colleague] { _ = try await directory.principal(id, in: tenant.id) }
                _ = try await directory.tenant(tenant.id)
                _ = try await directory.roles(of: tenant.id)
            }
            #expect(warm() == [true, true, true, true])
            changes.tell(change)
            try await follower.ask()
            #expect(warm() == stays, "\(change)")
        }
    }

    @Test("subdomains of no tenant, however many, do not evict those of tenants")
    func madeUpSubdomains() async throws {
        let (source, directory, follower) = parts()
        try await follower.ask()
        let acme = try #require(Subdomain(rawValue: "acme"))
        for _ in 1...2 { #expect(try await directory.tenant(subdomain: acme) == tenant) }
        #expect(source.questions == 2)
        let count = 2_100
        for number in 1...count {
            let name = try #require(Subdomain(rawValue: "made-up-\(number)"))
            #expect(try await directory.tenant(subdomain: name) == nil)
        }
        #expect(source.questions == 2 + count)
        #expect(try await directory.tenant(subdomain: acme) == tenant)
        #expect(source.questions == 2 + count)
        // After a change the tenant is asked for again, by its name too.
        changes.tell(Change(.tenant, of: tenant.id, subject: "acme"))
        try await follower.ask()
        #expect(try await directory.tenant(subdomain: acme) == tenant)
        #expect(source.questions == 3 + count)
    }

    @Test("requests of a suspended tenant are refused without a question to tenant-admin each")
    func suspended() async throws {
        let (source, directory, follower) = parts(Fixture.tenant(tenant.id, isActive: false))
        try await follower.ask()
        for _ in 1...10 {
            let ofUser = try await problem { try await directory.principal(user, in: tenant.id) }
            let ofKey = try await problem { try await directory.roles(of: tenant.id) }
            #expect(ofUser.code == .tenantUnavailable && ofKey.code == .tenantUnavailable)
        }
        #expect(source.questions == 1)
    }

    @Test("without the change feed the directory queries tenant-admin, and answers 503 when it cannot")
    func silent() async throws {
        let (source, directory, follower) = parts()
        try await follower.ask()
        _ = try await directory.principal(user, in: tenant.id)
        changes.setDown(true)
        offset.advance(.milliseconds(999))
        _ = try? await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) != nil)
        offset.advance(.milliseconds(1))
        #expect(directory.warm(principal: user, in: tenant.id) == nil)
        _ = try await directory.principal(user, in: tenant.id)
        // Twice about the user, and each time about the user's tenant.
        #expect(source.questions == 4)

        source.setDown(true)
        offset.advance(.milliseconds(500))
        let refusal = try await problem { try await directory.principal(user, in: tenant.id) }
        #expect(refusal.status == .serviceUnavailable)

        // Heard again: what was told meanwhile is acted on before anything remembered is trusted.
        source.setDown(false)
        _ = try await directory.principal(user, in: tenant.id)
        changes.setDown(false)
        changes.tell(Change(.user, of: tenant.id, subject: user.description))
        offset.advance(.seconds(1))
        try await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) == nil)
    }

    @Test("after a restore or a fail-over every cached entry is invalid")
    func diverged() async throws {
        let (_, directory, follower) = parts()
        try await follower.ask()
        _ = try await directory.principal(user, in: tenant.id)
        try await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) != nil)
        changes.diverge()
        try await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) == nil)
    }

    @Test("an answer's age counts from its request, not from its arrival")
    func late() async throws {
        let (_, directory, follower) = parts()
        try await follower.ask()
        _ = try await directory.principal(user, in: tenant.id)
        offset.advance(.milliseconds(600))
        changes.whileAnswering { [offset] in offset.advance(.seconds(2)) }
        try await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) == nil)
        changes.whileAnswering(nil)
        try await follower.ask()
        #expect(directory.warm(principal: user, in: tenant.id) != nil)
    }
}

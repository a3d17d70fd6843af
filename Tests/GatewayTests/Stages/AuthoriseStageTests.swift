import Contracts
import HTTPTypes
import ServiceKit
import Testing

@testable import Gateway

@Suite("Authorise stage")
struct AuthoriseStageTests {
    private let read = Route.Requirement(resource: .employees, action: .read)

    private func judge(_ scope: Route.Scope, _ principal: Principal?, _ requirement: Route.Requirement? = nil) throws {
        try AuthoriseStage().authorise(
            try Fixture.match(try Fixture.route("/x", ["GET": requirement], scope: scope)), principal)
    }

    @Test("a public route needs no principal")
    func everybody() throws { try judge(.public, nil) }

    @Test("every other route needs a principal", arguments: [Route.Scope.signedIn, .tenant, .platform])
    func nobody(scope: Route.Scope) async throws {
        let problem = try await problem { try judge(scope, nil, read) }
        #expect(problem.status == .unauthorized)
    }

    @Test("a permission opens its route")
    func allowed() throws {
        try judge(.tenant, Fixture.user(TenantID(), [Permission(resource: "employees", actions: ["read"])]), read)
    }

    @Test(
        "a permission for something else does not",
        arguments: [
            [], [Permission(resource: "employees", actions: ["write"])],
            [Permission(resource: "projects", actions: ["*"])],
            [Permission(resource: "*", actions: [])],
        ])
    func notAllowed(permissions: [Permission]) async throws {
        let problem = try await problem { try judge(.tenant, Fixture.user(TenantID(), permissions), read) }
        #expect(problem.status == .forbidden)
    }

    @Test("a tenant's route without a stated permission is denied to everybody")
    func denyByDefault() async throws {
        let problem = try await problem { try judge(.tenant, Fixture.user(TenantID()), nil) }
        #expect(problem.status == .forbidden)
    }

    @Test("a tenant's * does not open a platform route")
    func platform() async throws {
        let problem = try await problem { try judge(.platform, Fixture.user(TenantID())) }
        #expect(problem.status == .forbidden)
        try judge(.platform, .platformOperator)
    }

    @Test("the platform operator has no access to a tenant's routes")
    func operatorInTenant() async throws {
        let problem = try await problem { try judge(.tenant, .platformOperator, read) }
        #expect(problem.status == .forbidden)
    }

    @Test("any credential opens a route for the signed in")
    func signedIn() throws {
        try judge(.signedIn, .platformOperator)
        try judge(.signedIn, Fixture.user(TenantID(), []))
    }
}

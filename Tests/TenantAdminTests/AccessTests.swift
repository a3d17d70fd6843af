import Contracts
import HTTPTypes
import ServiceIdentity
import Testing

@testable import TenantAdmin

@Suite("Access")
struct AccessTests {
    static let operatorRoutes: [(HTTPRequest.Method, String)] = [
        (.get, "/api/v1/tenants"), (.post, "/api/v1/tenants"), (.get, "/api/v1/tenants/ID"),
        (.patch, "/api/v1/tenants/ID"), (.delete, "/api/v1/tenants/ID"), (.post, "/api/v1/tenants/ID/suspend"),
        (.post, "/api/v1/tenants/ID/resume"), (.post, "/api/v1/tenants/ID/restore"),
        (.get, "/api/v1/tenants/ID/usage"), (.get, "/api/v1/tenants/ID/export"),
        (.get, "/api/v1/messages"), (.post, "/api/v1/messages/claim"), (.delete, "/api/v1/messages/ID"),
    ]

    static let tenantRoutes: [(HTTPRequest.Method, String)] = [
        (.get, "/api/v1/employees"), (.post, "/api/v1/employees"), (.get, "/api/v1/employees/ID"),
        (.patch, "/api/v1/employees/ID"), (.delete, "/api/v1/employees/ID"), (.get, "/api/v1/projects"),
        (.post, "/api/v1/projects"), (.get, "/api/v1/projects/ID"), (.patch, "/api/v1/projects/ID"),
        (.delete, "/api/v1/projects/ID"), (.get, "/api/v1/allocations"), (.post, "/api/v1/allocations"),
        (.get, "/api/v1/allocations/ID"), (.patch, "/api/v1/allocations/ID"), (.delete, "/api/v1/allocations/ID"),
        (.get, "/api/v1/departments"), (.post, "/api/v1/departments"), (.get, "/api/v1/departments/ID"),
        (.patch, "/api/v1/departments/ID"), (.delete, "/api/v1/departments/ID"), (.get, "/api/v1/skills"),
        (.post, "/api/v1/skills"), (.get, "/api/v1/skills/ID"), (.patch, "/api/v1/skills/ID"),
        (.delete, "/api/v1/skills/ID"), (.get, "/api/v1/employees/ID/skills"), (.post, "/api/v1/employees/ID/skills"),
        (.put, "/api/v1/employees/ID/skills"), (.get, "/api/v1/employees/ID/skills/ID"),
        (.put, "/api/v1/employees/ID/skills/ID"),
        (.delete, "/api/v1/employees/ID/skills/ID"), (.get, "/api/v1/capacity-history"),
        (.post, "/api/v1/capacity-history"), (.put, "/api/v1/capacity-history"),
        (.delete, "/api/v1/capacity-history"), (.get, "/api/v1/capacity-history/ID/2024-01-01"),
        (.put, "/api/v1/capacity-history/ID/2024-01-01"), (.delete, "/api/v1/capacity-history/ID/2024-01-01"),
        (.get, "/api/v1/imports"), (.get, "/api/v1/invitations"),
        (.post, "/api/v1/invitations"), (.get, "/api/v1/invitations/ID"), (.delete, "/api/v1/invitations/ID"),
        (.get, "/api/v1/usage"),
        (.get, "/api/v1/reports/utilization"), (.get, "/api/v1/reports/availability"),
        (.get, "/api/v1/reports/over-allocations"), (.delete, "/api/v1/users/ID"), (.get, "/api/v1/users/ID/roles"),
        (.put, "/api/v1/users/ID/roles"), (.post, "/api/v1/roles"), (.get, "/api/v1/roles/ID"),
        (.patch, "/api/v1/roles/ID"), (.delete, "/api/v1/roles/ID"), (.patch, "/api/v1/settings"),
        (.post, "/api/v1/imports?kind=skills"), (.get, "/api/v1/imports/ID"), (.get, "/api/v1/users"),
        (.post, "/api/v1/users"), (.get, "/api/v1/users/ID"), (.patch, "/api/v1/users/ID"), (.get, "/api/v1/roles"),
        (.get, "/api/v1/settings"), (.put, "/api/v1/settings"), (.get, "/api/v1/audit-logs"),
        (.get, "/api/v1/audit-logs/verification"), (.get, "/api/v1/audit-logs/keys"),
    ]

    static let internalRoutes: [(HTTPRequest.Method, String)] = [
        (.get, "/internal/v1/tenants/ID"), (.get, "/internal/v1/tenants/by-subdomain/acme"),
        (.post, "/internal/v1/tenants/ID/credentials/verify"), (.get, "/internal/v1/tenants/ID/principals/ID"),
        (.post, "/internal/v1/tenants/ID/credentials/owner"),
        (.get, "/internal/v1/tenants/ID/roles"), (.get, "/internal/v1/tenants/ID/time-zone"),
        (.get, "/internal/v1/tenants/ID/history"),
    ]

    @Test("without a valid assertion every route answers 401")
    func failClosed() async throws {
        try await TestService.run { service in
            let stranger = AssertionSigner(issuer: .gateway, keyPair: ServiceKeyPair())
            let forged = try stranger.assertion(for: .tenantAdmin, caller: .platformOperator)
            let elsewhere = try service.signers[.gateway]!.assertion(for: .mlTraining, caller: .platformOperator)
            let borrowed = AssertionSigner(issuer: .gateway, keyPair: ServiceKeyPair())
            let tokens: [String?] = [
                nil, "", "nonsense", forged, elsewhere, try borrowed.assertion(for: .tenantAdmin, caller: nil),
            ]
            for (method, path) in Self.operatorRoutes + Self.tenantRoutes + Self.internalRoutes {
                for token in tokens {
                    let reply = try await service.send(
                        method, path.replacing("ID", with: TenantID().description), as: token)
                    #expect(reply.status == 401, "\(method) \(path)")
                }
            }
        }
    }

    @Test("a tenant's admin, * included, is not the platform operator")
    func adminIsNotOperator() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            for (method, path) in Self.operatorRoutes {
                let reply = try await service.send(
                    method, path.replacing("ID", with: tenant.id.description), as: service.token(tenant.id))
                #expect(reply.status == 403, "\(method) \(path)")
            }
        }
    }

    @Test("the platform operator and a user without permissions reach nothing inside a tenant")
    func denyByDefault() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let tokens = [
                try service.operatorToken, try service.token(tenant.id, []),
                try service.token(tenant.id, [Permission(resource: "tenants", actions: ["*"])]),
            ]
            for (method, path) in Self.tenantRoutes {
                for token in tokens {
                    let reply = try await service.send(
                        method, path.replacing("ID", with: tenant.id.description), as: token)
                    #expect(reply.status == 403, "\(method) \(path)")
                    #expect(try reply.problem.code == .permissionDenied)
                }
            }
        }
    }

    @Test("a viewer reads and writes nothing")
    func viewer() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let viewer = try service.token(tenant.id, DefaultRole.viewer.permissions)
            let project = CreateProject(externalId: "p", name: "P")

            #expect(try await service.send(.get, "/api/v1/projects", as: viewer).status == 200)
            #expect(try await service.send(.post, "/api/v1/projects", as: viewer, json: project).status == 403)
            let manager = try service.token(tenant.id, DefaultRole.manager.permissions)
            #expect(try await service.send(.post, "/api/v1/projects", as: manager, json: project).status == 201)
        }
    }

    @Test("services reach the internal routes meant for them only, and only for the assertion's own tenant")
    func internalRoutesByIssuer() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let path = "/internal/v1/tenants/\(tenant.id)"
            let gateway = try service.token(of: .gateway)
            let training = try service.token(of: .mlTraining)

            #expect(try await service.send(.get, path, as: gateway).status == 200)
            #expect(try await service.send(.get, path, as: training).status == 401)
            #expect(try await service.send(.get, path + "/history", as: gateway).status == 401)
            #expect(try await service.send(.get, path + "/history", as: training).status == 200)
            #expect(try await service.send(.get, path + "/limits", as: gateway).status == 401)
            #expect(
                try await service.send(.get, path + "/limits", as: service.token(of: .mlPrediction)).status == 401)
            let limits = try await service.send(.get, path + "/limits", as: training)
            #expect(try limits.data(TenantLimits.self) == .standard(tenant.plan))
            let nobody = "/internal/v1/tenants/\(TenantID())/limits"
            #expect(try await service.send(.get, nobody, as: training).status == 404)
            #expect(try await service.send(.get, "/api/v1/tenants", as: training).status == 401)
            let other = try service.token(TenantID())
            #expect(try await service.send(.get, path + "/roles", as: other).status == 403)
        }
    }
}

/// A body as a client writes it.
struct CreateProject: Codable {
    var externalId: String
    var name: String
    var status: String?
}

import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Roles")
struct RoleTests {
    private static let planner = [Permission(resource: "projects", actions: ["read", "write"])]

    @Test("a role is made, changed for its holders, and deleted when it has none")
    func lifecycle() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let created = try await service.send(
                .post, "/api/v1/roles", as: token,
                json: CreateRoleRequest(name: "planner", permissions: Self.planner))
            let role: Role = try created.data()
            let path = "/api/v1/roles/\(role.id)"
            let user: User = try await service.send(
                .post, "/api/v1/users", as: token,
                json: CreateUserRequest(email: "mia@acme.example", name: "Mia", roles: ["planner"])
            ).data()
            let wider = Self.planner + [Permission(resource: "reports", actions: ["read"])]
            let changed = try await service.send(
                .patch, path, as: token, json: UpdateRoleRequest(name: "lead", permissions: wider),
                headers: ["If-Match": try #require(created.headers[.eTag])])
            let principal: UserGrants = try await service.send(
                .get, "/internal/v1/tenants/\(tenant.id)/principals/\(user.id)", as: service.token(of: .gateway)
            ).data()
            let inUse = try await service.send(.delete, path, as: token)
            let roles = "/api/v1/users/\(user.id)/roles"
            let taken = try await service.send(.put, roles, as: token, json: UserRoles(roles: ["viewer"]))
            let gone = try await service.send(.delete, path, as: token)

            #expect(created.status == 201)
            #expect(role.isBuiltin == false)
            #expect(try changed.data(Role.self).name == "lead")
            #expect(principal.roles == ["lead"])
            #expect(principal.permissions == wider)
            #expect(inUse.status == 409)
            #expect(try inUse.problem.errors.map(\.field) == ["users"])
            #expect(try taken.data(UserRoles.self) == UserRoles(roles: ["viewer"]))
            #expect(gone.status == 204)
            #expect(try await service.all("roles", of: tenant.id, as: Role.self).count == 4)
        }
    }

    @Test("the default roles can be neither changed nor deleted nor made again")
    func defaultRoles() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            for role in try await service.all("roles", of: tenant.id, as: Role.self) {
                let path = "/api/v1/roles/\(role.id)"
                let changed = try await service.send(
                    .patch, path, as: token, json: UpdateRoleRequest(permissions: Self.planner))
                #expect(role.isBuiltin)
                #expect(changed.status == 409)
                #expect(try await service.send(.delete, path, as: token).status == 409)
                let again = try await service.send(
                    .post, "/api/v1/roles", as: token,
                    json: CreateRoleRequest(name: role.name, permissions: Self.planner))
                #expect(again.status == 409)
            }
        }
    }

    @Test("names of roles that differ by case, blanks or Unicode form are one, and none looks like another")
    func oneName() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func make(_ name: String) async throws -> Int {
                try await service.send(
                    .post, "/api/v1/roles", as: token, json: CreateRoleRequest(name: name, permissions: Self.planner)
                ).status
            }
            #expect(try await make("  Caf\u{E9} lead ") == 201)
            let roles = try await service.all("roles", of: tenant.id, as: Role.self)
            let lead = try #require(roles.first { $0.name == "Caf\u{E9} lead" })
            #expect(try await make("CAFE\u{301}  LEAD") == 409)
            #expect(try await make("Admin") == 409)
            #expect(try await make("adm\u{200B}in") == 422)
            func rename(_ name: String) async throws -> Int {
                try await service.send(
                    .patch, "/api/v1/roles/\(lead.id)", as: token, json: UpdateRoleRequest(name: name)
                ).status
            }
            #expect(try await rename("caf\u{E9} Lead") == 200)
            #expect(try await rename(" VIEWER") == 409)
        }
    }

    @Test("a role beyond the caller's own permissions cannot be made, widened, narrowed or deleted")
    func noEscalation() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let helper = try service.token(
                tenant.id, Self.planner + [Permission(resource: "roles", actions: ["*"])])
            func make(_ permissions: [Permission]) async throws -> Int {
                try await service.send(
                    .post, "/api/v1/roles", as: helper,
                    json: CreateRoleRequest(name: "r\(permissions.count)", permissions: permissions)
                ).status
            }
            let strong: Role = try await service.send(
                .post, "/api/v1/roles", as: service.token(tenant.id),
                json: CreateRoleRequest(
                    name: "strong", permissions: [Permission(resource: "users", actions: ["*"])])
            ).data()
            let path = "/api/v1/roles/\(strong.id)"
            let weak = Self.planner
            let narrowed = try await service.send(.patch, path, as: helper, json: UpdateRoleRequest(permissions: weak))
            let own: Role = try await service.send(
                .post, "/api/v1/roles", as: helper, json: CreateRoleRequest(name: "own", permissions: weak)
            ).data()
            let widened = try await service.send(
                .patch, "/api/v1/roles/\(own.id)", as: helper,
                json: UpdateRoleRequest(permissions: [Permission(resource: "*", actions: ["read"])]))

            #expect(try await make([Permission(resource: "projects", actions: ["*"])]) == 403)
            #expect(try await make([Permission(resource: "*", actions: ["read"])]) == 403)
            #expect(narrowed.status == 403)
            #expect(try await service.send(.delete, path, as: helper).status == 403)
            #expect(widened.status == 403)
        }
    }

    @Test("a misspelt resource or action is named instead of granting nothing")
    func misspelt() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let reply = try await service.send(
                .post, "/api/v1/roles", as: service.token(tenant.id),
                text:
                    #"{"name":"","permissions":[{"resource":"tenants","actions":["read","reed"]},{"resource":"ml","actions":[]}]}"#
            )

            #expect(
                Set(try reply.problem.errors.map(\.field)) == [
                    "name", "permissions[0].resource", "permissions[0].actions[1]", "permissions[1].actions",
                ])
        }
    }

    @Test("a user's roles are read and replaced under their tag, never beyond what the caller holds")
    func userRoles() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let user: User = try await service.send(
                .post, "/api/v1/users", as: token, json: CreateUserRequest(email: "mia@acme.example", name: "Mia")
            ).data()
            let path = "/api/v1/users/\(user.id)/roles"
            let read = try await service.send(.get, path, as: token)
            let tag = try #require(read.headers[.eTag])
            let put = try await service.send(
                .put, path, as: token, json: UserRoles(roles: ["manager", "viewer"]), headers: ["If-Match": tag])
            let stale = try await service.send(
                .put, path, as: token, json: UserRoles(roles: []), headers: ["If-Match": tag])
            let helper = try service.token(
                tenant.id, DefaultRole.viewer.permissions + [Permission(resource: "users", actions: ["*"])])
            let beyond = try await service.send(.put, path, as: helper, json: UserRoles(roles: ["admin"]))
            let unknown = try await service.send(.put, path, as: token, json: UserRoles(roles: ["viewer", "boss"]))
            let admin = try await service.all("users?email=admin@acme.example", of: tenant.id, as: User.self)[0]
            let lastAdmin = try await service.send(
                .put, "/api/v1/users/\(admin.id)/roles", as: token, json: UserRoles(roles: []))

            #expect(try read.data(UserRoles.self).roles == ["user"])
            #expect(try put.data(UserRoles.self).roles == ["manager", "viewer"])
            #expect(stale.status == 412)
            #expect(beyond.status == 403)
            #expect(try unknown.problem.errors.map(\.field) == ["roles[1]"])
            #expect(lastAdmin.status == 409)
        }
    }

    @Test("a deleted user is gone, and neither the last admin nor a stronger user can be deleted")
    func deleteUser() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let user: User = try await service.send(
                .post, "/api/v1/users", as: token, json: CreateUserRequest(email: "mia@acme.example", name: "Mia")
            ).data()
            let admin = try await service.all("users?email=admin@acme.example", of: tenant.id, as: User.self)[0]
            let helper = try service.token(
                tenant.id, DefaultRole.user.permissions + [Permission(resource: "users", actions: ["*"])])

            #expect(try await service.send(.delete, "/api/v1/users/\(admin.id)", as: helper).status == 403)
            #expect(try await service.send(.delete, "/api/v1/users/\(admin.id)", as: token).status == 409)
            #expect(try await service.send(.delete, "/api/v1/users/\(user.id)", as: helper).status == 204)
            #expect(try await service.send(.get, "/api/v1/users/\(user.id)", as: token).status == 404)
            let principal = try await service.send(
                .get, "/internal/v1/tenants/\(tenant.id)/principals/\(user.id)", as: service.token(of: .gateway))
            #expect(principal.status == 404)
        }
    }
}

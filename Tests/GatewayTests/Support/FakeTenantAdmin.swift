import Basics
import Contracts
import Foundation
import Hummingbird
import NIOCore
import ServiceIdentity
import ServiceKit
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Gateway

/// A tenant-admin that speaks the contract over a real socket, with tenants and users kept in memory.
final class FakeTenantAdmin: Sendable {
    struct Person: Sendable {
        var principal: UserGrants
        var password: String
    }

    private struct State {
        var tenants: [TenantID: TenantSummary] = [:]
        var people: [UserID: Person] = [:]
        var grants: [RoleGrants] = DefaultRole.allCases.map {
            RoleGrants(id: RoleID(), name: $0.rawValue, permissions: $0.permissions)
        }
        /// nil: none is told.
        var timeZone: String? = "Asia/Kolkata"
        var isBroken = false
        var mistrusts = false
        var questions = 0
        /// What proxied requests looked like when they arrived.
        var seen: [(caller: Caller?, headers: [String: String], uri: String)] = []

        /// As the real one refuses all questions about a tenant that is suspended or gone.
        func requireActive(_ tenant: TenantID) throws -> State {
            guard tenants[tenant]?.isActive == true else {
                throw ProblemError.permissionDenied(
                    "The tenant is unknown, suspended or deleted.", code: .tenantUnavailable)
            }
            return self
        }
    }

    private let state = Mutex(State())
    /// Set: the stream of events goes on and ends.
    let secondEvent = Signal()
    /// How long the check of a password takes.
    let hashing = Mutex(Duration.zero)
    /// Set: password resets are answered.
    let resets = Signal()
    let uploads = Uploads()
    /// What a deletion of a role is answered with.
    let roleDeletion = Mutex<@Sendable () async throws -> Response>({ Answer.noContent() })

    /// Uploads that have begun to arrive, that have arrived, and how many were applied.
    final class Uploads: Sendable {
        let begun = Signal()
        let arrived = Signal()
        let completed = Mutex(0)
        /// What has arrived waits for this before it is applied; nil: it does not wait.
        let mayComplete = Mutex<Signal?>(nil)
        /// Whether what has arrived is applied, or not, once its sender hangs up; nil: without waiting for that.
        let isAppliedAtHangUp = Mutex<Bool?>(nil)
    }

    var questions: Int { state.withLock { $0.questions } }
    var seen: [(caller: Caller?, headers: [String: String], uri: String)] { state.withLock { $0.seen } }

    func addTenant(subdomain: String, plan: Plan = .enterprise) -> TenantSummary {
        let tenant = Fixture.tenant(TenantID(), subdomain: subdomain, plan: plan)
        state.withLock { $0.tenants[tenant.id] = tenant }
        return tenant
    }

    func addUser(_ email: String, _ password: String, in tenant: TenantID, _ role: DefaultRole = .admin) -> UserID {
        let id = UserID()
        let principal = UserGrants(
            userId: id, tenantId: tenant, email: email, name: email, isActive: true, roles: [role.rawValue],
            permissions: role.permissions)
        state.withLock { $0.people[id] = Person(principal: principal, password: password) }
        return id
    }

    /// Everything is answered with 500 from now on, or no more.
    func setBroken(_ isBroken: Bool) { state.withLock { $0.isBroken = isBroken } }

    /// nil: none is told from now on.
    func setTimeZone(_ name: String?) { state.withLock { $0.timeZone = name } }

    /// Has not the key to verify the gateway.
    func setMistrusting(_ mistrusts: Bool) { state.withLock { $0.mistrusts = mistrusts } }

    func setTenant(_ id: TenantID, active: Bool) {
        state.withLock { state in
            guard let old = state.tenants[id] else { return }
            state.tenants[id] = Fixture.tenant(id, subdomain: old.subdomain, plan: old.plan, isActive: active)
        }
    }

    func setUser(_ id: UserID, active: Bool? = nil, role: DefaultRole? = nil) {
        state.withLock { state in
            guard let old = state.people[id]?.principal else { return }
            state.people[id]?.principal = UserGrants(
                userId: old.userId, tenantId: old.tenantId, email: old.email, name: old.name,
                isActive: active ?? old.isActive, roles: role.map { [$0.rawValue] } ?? old.roles,
                permissions: role?.permissions ?? old.permissions, credentialVersion: old.credentialVersion)
        }
    }

    /// As a tenant's admin, or the user by a mail, sets a new one.
    func setPassword(_ password: String, of id: UserID) {
        state.withLock { state in
            guard let old = state.people[id]?.principal else { return }
            state.people[id] = Person(
                principal: UserGrants(
                    userId: old.userId, tenantId: old.tenantId, email: old.email, name: old.name,
                    isActive: old.isActive, roles: old.roles, permissions: old.permissions,
                    credentialVersion: old.credentialVersion + 1), password: password)
        }
    }

    func setGrants(of role: String, _ permissions: [Permission]) {
        state.withLock { state in
            let id = state.grants.first { $0.name == role }?.id ?? RoleID()
            state.grants.removeAll { $0.name == role }
            state.grants.append(RoleGrants(id: id, name: role, permissions: permissions))
        }
    }

    func roleID(_ name: String) -> RoleID? { state.withLock { $0.grants.first { $0.name == name }?.id } }

    func renameRole(_ name: String, to other: String) {
        state.withLock { state in
            state.grants = state.grants.map {
                $0.name == name ? RoleGrants(id: $0.id, name: other, permissions: $0.permissions) : $0
            }
        }
    }

    func removeRole(_ name: String) { state.withLock { $0.grants.removeAll { $0.name == name } } }

    func application(verifier: AssertionVerifier) -> ServiceApplication {
        let router = Router(context: ServiceRequestContext.self)
        let group = router.group().add(middleware: FromGateway(callers: InternalCallers(verifier: verifier)))
        group.get("/internal/v1/tenants/by-subdomain/{subdomain}") { _, context in
            let subdomain = try context.parameter("subdomain")
            return try self.answer { state in state.tenants.values.first { $0.subdomain == subdomain } }
        }
        group.get("/internal/v1/tenants/{id}") { _, context in
            let id: TenantID = try context.identifier("id")
            return try self.answer { $0.tenants[id] }
        }
        group.get("/internal/v1/tenants/{id}/principals/{user}") { _, context in
            let id: UserID = try context.identifier("user")
            let tenant: TenantID = try context.identifier("id")
            return try self.answer { try $0.requireActive(tenant).people[id]?.principal }
        }
        group.get("/internal/v1/tenants/{id}/roles") { _, context in
            let tenant: TenantID = try context.identifier("id")
            return try self.answer { try $0.requireActive(tenant).grants }
        }
        // Not counted: it says nothing of what somebody may do.
        group.get("/internal/v1/tenants/{id}/time-zone") { _, _ in
            guard let name = self.state.withLock({ $0.timeZone }) else { throw ProblemError.internalError(cause: nil) }
            return try Answer.data(TenantTimeZone(timeZone: name))
        }
        group.post("/internal/v1/tenants/{id}/credentials/verify") { request, context in
            let tenant: TenantID = try context.identifier("id")
            let login = try await request.payload(VerifyCredentialsRequest.self, context: context)
            try await Task.sleep(for: self.hashing.withLock { $0 })
            return try self.answer { state in
                guard
                    let person = try state.requireActive(tenant).people.values.first(where: {
                        $0.principal.email == login.email && $0.principal.tenantId == tenant
                    }), person.password == login.password
                else { throw ProblemError.notAuthenticated("Wrong.", code: .invalidCredentials) }
                return person.principal
            }
        }
        group.post("/internal/v1/tenants/{id}/credentials/owner") { request, context in
            let tenant: TenantID = try context.identifier("id")
            let asked = try await request.payload(AddressOwnerRequest.self, context: context)
            return try self.answer { state in
                try state.requireActive(tenant).people.values.first {
                    $0.principal.email == asked.email && $0.principal.tenantId == tenant
                }.map { AddressOwner(userId: $0.principal.userId) }
            }
        }
        group.get("/api/v1/employees") { request, context in try self.echo(request, context) }
        group.get("/api/v1/tenants") { request, context in try self.echo(request, context) }
        group.post("/api/v1/auth/password-reset") { request, context in
            await self.resets.wait()
            return try self.echo(request, context)
        }
        // The real one knows the account by the token; here the token is its address.
        group.post("/api/v1/auth/password-reset/confirm") { request, _ in
            let body = try JSONDecoder().decode(
                [String: String].self, from: Data(try await request.bodyBytes(upTo: 1000)))
            var response = Answer.noContent()
            response.headers[.init(HeaderName.provenAccount)!] = Base64URL.encode(Array((body["token"] ?? "").utf8))
            return response
        }
        group.post("/api/v1/imports") { request, context in
            for try await _ in request.body { self.uploads.begun.set() }
            self.uploads.arrived.set()
            if let signal = self.uploads.mayComplete.withLock({ $0 }) {
                // A test whose guard is gone fails after a while, and does not wait for ever.
                _ = await withTimeLimit(.seconds(30)) { await signal.wait() }
            }
            if let isApplied = self.uploads.isAppliedAtHangUp.withLock({ $0 }) {
                let isHungUp = Signal()
                HangUpWatch.observe(context.channel) { isHungUp.set() }
                _ = await withTimeLimit(.seconds(30)) { await isHungUp.wait() }
                guard isApplied else { throw CancellationError() }
            }
            self.uploads.completed.withLock { $0 += 1 }
            return Answer.noContent()
        }
        group.delete("/api/v1/roles/{id}") { _, _ in
            let answer = self.roleDeletion.withLock { $0 }
            return try await answer()
        }
        // An ml-training's stream of events: one at once, the rest when the test says so.
        router.get("/api/v1/training/jobs/{jobId}/events") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/event-stream"],
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "data: first\n\n"))
                    // As the real one ends its streams when it is stopped.
                    await withGracefulShutdownHandler {
                        await self.secondEvent.wait()
                    } onGracefulShutdown: {
                        self.secondEvent.set()
                    }
                    try await writer.write(ByteBuffer(string: "data: second\n\n"))
                    try await writer.finish(nil)
                })
        }
        return ServiceApplication(router: router)
    }

    private func answer<Payload: Codable & Sendable>(_ read: (inout State) throws -> Payload?) throws -> Response {
        let payload = try state.withLock { state in
            state.questions += 1
            guard !state.isBroken else { throw ProblemError.internalError(cause: nil) }
            return try read(&state)
        }
        guard let payload else { throw ProblemError.notFound("It") }
        return try Answer.data(payload)
    }

    private func echo(_ request: Request, _ context: ServiceRequestContext) throws -> Response {
        guard !state.withLock({ $0.mistrusts }) else { throw ProblemError.notAuthenticated() }
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        state.withLock { $0.seen.append((context.caller, headers, request.head.path ?? "")) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: "{}")))
    }
}

/// Only requests with the gateway's assertion pass.
private struct FromGateway: RouterMiddleware {
    let callers: InternalCallers

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        try await next(request, try callers.verified(request, context, rule: .services([.gateway])))
    }
}

import Contracts
import ServiceKit
import ServiceStorage

/// Asking people to become users.
struct InvitationsController: Controller {
    let invitations: Invitations

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "invitations", "listInvitations", .may(.read, .users), use: list)
        routes.on(
            .post, "invitations", "createInvitation", .may(.write, .users), takes: [.idempotencyKey],
            fails: [.conflict, .quotaExceeded], use: create)
        routes.on(.get, "invitations/{id}", "getInvitation", .may(.read, .users), use: show)
        routes.on(
            .delete, "invitations/{id}", "revokeInvitation", .may(.write, .users), takes: [.ifMatch],
            fails: [.conflict], use: revoke)
        routes.on(
            .post, "invitations/{id}/anonymise", "anonymiseInvitation", .may(.delete, .users), fails: [.conflict],
            use: anonymise)
        routes.on(
            .post, "auth/invitations/accept", "acceptInvitation", .namedTenant,
            fails: [.invalidCredentials, .conflict, .quotaExceeded], use: accept)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<InvitationFilter, NewestFirst<InvitationEntity>>
    ) async throws -> Listed<Invitation> {
        let found = try await invitations.page(
            of: call.tenant, status: query.filter.status, limit: query.page.readLimit, after: query.page.after)
        return try Listed(found, query.page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    private func create(_ call: TenantCall, _ payload: CreateInvitationRequest) async throws -> Created<Invitation> {
        let invitation = try await invitations.create(
            payload, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(invitation, at: "invitations/\(invitation.id)")
    }

    private func show(_ call: TenantCall) async throws -> Tagged<Invitation> {
        try Tagged(try await invitations.invitation(try call.id("id"), of: call.tenant))
    }

    private func revoke(_ call: TenantCall) async throws -> NoContent {
        try await invitations.revoke(try call.id("id"), by: call.caller) { try call.checkIfMatch($0) }
        return NoContent()
    }

    private func anonymise(_ call: TenantCall) async throws -> OK<Anonymisation> {
        OK(try await invitations.anonymise(try call.id("id"), by: call.caller))
    }

    /// The token says who it is.
    private func accept(_ call: Call<TenantID>, _ payload: AcceptInvitationRequest) async throws -> Created<User> {
        let user = try await invitations.accept(payload, in: call.tenant, requestID: call.requestID)
        return try Created(user, at: "users/\(user.id)", headers: .notStored)
    }
}

struct InvitationFilter: RouteQuery {
    let status: InvitationStatus?
    init(_ query: inout QueryParameters) { status = query.choice("status") }
}

import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Asking people to become users.
///
/// | method | path                       | permission                     |
/// | ------ | -------------------------- | ------------------------------ |
/// | GET    | `/invitations?status=`     | users: read                    |
/// | POST   | `/invitations`             | users: write                   |
/// | GET    | `/invitations/{id}`        | users: read                    |
/// | DELETE | `/invitations/{id}`        | users: write                   |
/// | POST   | `/auth/invitations/accept` | none: the token says who it is |
struct InvitationsController: Sendable {
    let invitations: Invitations

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("invitations", use: list)
        group.post("invitations", use: create)
        group.get("invitations/:id", use: show)
        group.delete("invitations/:id", use: revoke)
        group.post("auth/invitations/accept", use: accept)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .users)
        var query = try QueryParameters(request)
        let page = query.page()
        let status: InvitationStatus? = query.choice("status")
        try query.finish()
        let last: NewestFirst<InvitationEntity>? = try RowCursor.decode(from: page.cursor)
        let found = try await invitations.page(of: caller.tenant, status: status, limit: page.limit + 1, after: last)
        return try Answer.page(found, limit: page.limit) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .users)
        try request.rejectQuery()
        let payload = try await request.payload(CreateInvitationRequest.self, context: context)
        let invitation = try await invitations.create(
            payload, by: try context.editor(caller), once: try request.idempotencyKey(of: caller, for: payload))
        return try Answer.created(
            invitation, location: "/api/v1/invitations/\(invitation.id)",
            headers: [.eTag: try EntityTag(of: invitation).headerValue])
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .users)
        try request.rejectQuery()
        let invitation = try await invitations.invitation(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(invitation, tag: try EntityTag(of: invitation), for: request)
    }

    @Sendable func revoke(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .users)
        try request.rejectQuery()
        try await invitations.revoke(try context.identifier("id"), by: try context.editor(caller)) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }

    @Sendable func accept(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.namedTenant()
        try request.rejectQuery()
        let payload = try await request.payload(AcceptInvitationRequest.self, context: context)
        let user = try await invitations.accept(payload, in: tenant, requestID: context.requestID)
        return try Answer.created(user, location: "/api/v1/users/\(user.id)", headers: [.cacheControl: "no-store"])
    }
}

import Contracts
import Hummingbird
import ServiceKit
import ServiceStorage

/// A tenant's API keys.
///
/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/api-keys | api_keys: read |
/// | POST | /api/v1/api-keys | api_keys: write |
/// | DELETE | /api/v1/api-keys/{id} | api_keys: delete |
///
/// A POST under an `Idempotency-Key` gives the same answer for a day, with the same secret; see ``KeyCreation``.
struct APIKeyController: LocalController {
    let keys: APIKeys

    static let routes: [(LocalRoutes.Key, @Sendable (Self) -> LocalRoutes.Handler)] = [
        (.init("GET", "/api/v1/api-keys"), { $0.list }),
        (.init("POST", "/api/v1/api-keys"), { $0.create }),
        (.init("DELETE", "/api/v1/api-keys/{id}"), { $0.revoke }),
    ]

    @Sendable func list(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        let tenant = try context.authorise(.read, on: .apiKeys).tenant
        let page = try request.pageQuery()
        let cursor = try page.cursor.map { try RowCursor.decode(APIKeyCursor.self, from: $0) }
        // One more than asked for says whether there is a next page.
        let found = try await keys.store.keys(of: tenant, after: cursor, limit: page.limit + 1)
        let shown = found.prefix(page.limit)
        let next =
            try found.count > page.limit
            ? shown.last.map { try RowCursor.encode(APIKeyCursor(createdAt: $0.createdAt, id: $0.id)) } : nil
        return try Answer.list(shown.map(\.summary), nextCursor: next)
    }

    @Sendable func create(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        let caller = try context.authorise(.write, on: .apiKeys)
        guard let maker = admission.principal else { throw ProblemError.notAuthenticated() }
        try request.rejectQuery()
        let payload = try await request.payload(CreateAPIKeyRequest.self, context: context)
        let once = try request.idempotencyKey(of: caller, for: payload)
        let created = try await keys.make(
            payload, by: maker, of: caller.tenant, once: once, requestID: context.requestID)
        return try Answer.created(created, headers: [.cacheControl: "no-store"])
    }

    @Sendable func revoke(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        let tenant = try context.authorise(.delete, on: .apiKeys).tenant
        guard let id = admission.match.parameters["id"].flatMap({ APIKeyID($0) }) else {
            throw ProblemError.validation("id", "must be a UUID")
        }
        try await keys.revoke(id, of: tenant, by: context.author())
        return Answer.noContent()
    }
}

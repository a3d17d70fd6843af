import Contracts
import ServiceKit
import ServiceStorage

/// A tenant's API keys.
///
/// A POST under an `Idempotency-Key` gives the same answer for a day, with the same secret; see ``KeyCreation``.
struct APIKeyController: Controller {
    let keys: APIKeys

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "api-keys", "listAPIKeys", .may(.read, .apiKeys), use: list)
        routes.on(
            .post, "api-keys", "createAPIKey", .may(.write, .apiKeys), takes: [.idempotencyKey], fails: [.conflict],
            use: create)
        routes.on(.delete, "api-keys/{id}", "revokeAPIKey", .may(.delete, .apiKeys), use: revoke)
    }

    private func list(_ call: TenantCall, _ page: PageQuery<APIKeyCursor>) async throws -> Listed<APIKeySummary> {
        let found = try await keys.page(of: call.tenant, after: page.after, limit: page.readLimit)
        return try Listed(found, page) { APIKeyCursor(createdAt: $0.createdAt, id: $0.id) }
    }

    private func create(_ call: TenantCall, _ payload: CreateAPIKeyRequest) async throws -> Created<CreatedAPIKey> {
        let once = try call.idempotencyKey(for: payload)
        let created = try await keys.make(payload, by: call.caller, once: once)
        return try Created(created, at: nil, headers: .notStored)
    }

    private func revoke(_ call: TenantCall) async throws -> NoContent {
        try await keys.revoke(try call.id("id"), of: call.tenant, by: call.author)
        return NoContent()
    }
}

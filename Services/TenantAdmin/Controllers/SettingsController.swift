import Contracts
import Hummingbird
import ServiceKit

/// The tenant's own settings by name.
///
/// | method | path        | permission       |
/// | ------ | ----------- | ---------------- |
/// | GET    | `/settings` | settings: read   |
/// | PUT    | `/settings` | settings: update |
/// | PATCH  | `/settings` | settings: update |
struct SettingsController: Sendable {
    let settings: Settings

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("settings", use: show)
        group.put("settings") { try await change($0, $1, replacing: true) }
        group.patch("settings") { try await change($0, $1, replacing: false) }
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .settings)
        try request.rejectQuery()
        let settings = try await settings.all(of: caller.tenant)
        return try Answer.resource(settings, tag: try EntityTag(of: settings), for: request)
    }

    private func change(
        _ request: Request, _ context: ServiceRequestContext, replacing: Bool
    ) async throws -> Response {
        let caller = try context.authorise(.update, on: .settings)
        try request.rejectQuery()
        let payload = try await request.payload(TenantSettings.self, context: context)
        let settings = try await settings.apply(
            payload, replacing: replacing, to: caller.tenant, by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(settings, tag: try EntityTag(of: settings), for: request)
    }
}

import Contracts
import ServiceKit

/// The tenant's own settings by name.
struct SettingsController: Controller {
    let settings: Settings

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "settings", "getSettings", .may(.read, .settings), use: show)
        routes.on(.put, "settings", "putSettings", .may(.update, .settings), takes: [.ifMatch], use: replace)
        routes.on(.patch, "settings", "updateSettings", .may(.update, .settings), takes: [.ifMatch], use: update)
    }

    private func show(_ call: TenantCall) async throws -> Tagged<TenantSettings> {
        try Tagged(try await settings.all(of: call.tenant))
    }

    private func replace(_ call: TenantCall, _ payload: TenantSettings) async throws -> Tagged<TenantSettings> {
        try await change(call, payload, replacing: true)
    }

    private func update(_ call: TenantCall, _ payload: TenantSettings) async throws -> Tagged<TenantSettings> {
        try await change(call, payload, replacing: false)
    }

    private func change(
        _ call: TenantCall, _ payload: TenantSettings, replacing: Bool
    ) async throws -> Tagged<TenantSettings> {
        try Tagged(
            try await settings.apply(payload, replacing: replacing, to: call.tenant, by: call.author) {
                try call.checkIfMatch($0)
            })
    }
}

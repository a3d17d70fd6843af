import Contracts
import Postgres

/// A tenant's own settings by name.
struct Settings: Sendable {
    let database: TenantDatabase

    func all(of tenant: TenantID) async throws -> TenantSettings {
        try await database.withTenant(tenant, readOnly: true) { try await Self.all(on: $0) }
    }

    /// Sets the names given, removes those given as null.
    /// - Returns: all settings afterwards.
    func apply(_ changes: TenantSettings, to tenant: TenantID, by author: Author) async throws -> TenantSettings {
        let names = changes.settings.keys.sorted()
        return try await database.withTenant(tenant) { connection in
            for name in names {
                if let value = changes.settings[name], value != .null {
                    try await connection.execute(
                        """
                        insert into tenant_settings (key, value) values (\(name), \(json: value))
                        on conflict (key) do update set value = excluded.value, updated_at = now()
                        """)
                } else {
                    try await connection.execute("delete from tenant_settings where key = \(name)")
                }
            }
            let details: [String: JSONValue] = ["names": .array(names.map(JSONValue.string))]
            try await AuditLog.record(Change("update", "settings", nil, details: details), by: author, on: connection)
            return try await Self.all(on: connection)
        }
    }

    private static func all(on connection: PostgresConnection) async throws -> TenantSettings {
        let rows = try await connection.query("select key, value from tenant_settings")
        let pairs = try rows.map { row in
            (try row.decode("key", as: String.self), try row.decode("value", as: PostgresJSON<JSONValue>.self).value)
        }
        return TenantSettings(settings: Dictionary(uniqueKeysWithValues: pairs))
    }
}

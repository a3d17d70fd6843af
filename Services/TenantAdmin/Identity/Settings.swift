import Contracts
import Foundation
import Postgres
import ServiceKit

/// A tenant's own settings by name.
struct Settings: Sendable {
    let database: TenantDatabase

    func all(of tenant: TenantID) async throws -> TenantSettings {
        try await database.withTenant(tenant, readOnly: true) { try await Self.all(on: $0) }
    }

    /// Of all civil dates.
    func timeZone(of tenant: TenantID) async throws -> String {
        try await database.withTenant(tenant, readOnly: true) { connection in
            let rows = try await connection.query(
                "SELECT value #>> '{}' AS value FROM tenant_settings WHERE key = 'timezone'")
            return try rows.first?.decode("value", as: String.self) ?? "UTC"
        }
    }

    /// Sets the names given, removes those given as null and, when `replacing`, all others.
    /// - Returns: all settings afterwards.
    /// - Throws: what `precondition` throws; 422 when there would be too many.
    func apply(
        _ changes: TenantSettings, replacing: Bool, to tenant: TenantID, by author: Author,
        if precondition: @Sendable (TenantSettings) throws -> Void
    ) async throws -> TenantSettings {
        try await database.creating(in: tenant) { _, connection in
            // Later changes of the settings wait for this one and see its result.
            try await connection.execute("LOCK TABLE tenant_settings IN SHARE ROW EXCLUSIVE MODE")
            let before = try await Self.all(on: connection)
            try precondition(before)
            try await Self.requireKnownZone(changes, on: connection)
            let removed = replacing ? Set(before.settings.keys).subtracting(changes.settings.keys) : []
            let names = removed.union(changes.settings.keys).sorted()
            for name in names {
                if let value = changes.settings[name], value != .null {
                    try await connection.execute(
                        """
                        INSERT INTO tenant_settings (key, value) VALUES (\(name), \(json: value))
                        ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now()
                        """)
                } else {
                    try await connection.execute("DELETE FROM tenant_settings WHERE key = \(name)")
                }
            }
            let after = try await Self.all(on: connection)
            guard after.settings.count <= TenantSettings.maximumCount else {
                throw ProblemError.validation(
                    "settings", "must have at most \(TenantSettings.maximumCount) entries in all")
            }
            var change = try Change.write(
                "update", "settings", nil, before: before.settings, after: after.settings)
            change.details["names"] = .array(names.map(JSONValue.string))
            try await AuditLog.record(change, by: author, on: connection)
            return after
        }
    }

    /// The database computes with the time zone, and so do services: both have to know its name.
    static func requireKnownZone(_ changes: TenantSettings, on connection: PostgresConnection) async throws {
        guard let zone = changes.settings[KnownSetting.timezone.rawValue]?.stringValue else { return }
        let known = try await connection.query("SELECT FROM pg_timezone_names WHERE name = \(zone)")
        guard !known.isEmpty, TimeZone(identifier: zone) != nil else {
            throw ProblemError.validation(
                "settings.timezone", "must be the name of a time zone, such as Europe/Berlin or UTC")
        }
    }

    /// What becomes of a booking that takes more than the person has.
    static func overbooking(on connection: PostgresConnection) async throws -> Overbooking {
        try overbooking(try await connection.query(overbookingQuestion))
    }

    /// What ``overbooking(_:)`` reads, for a batch of questions.
    static let overbookingQuestion: SQL =
        "SELECT value #>> '{}' AS value FROM tenant_settings WHERE key = 'overbooking'"

    static func overbooking(_ rows: [PostgresRow]) throws -> Overbooking {
        try rows.first?.decode("value", as: Overbooking.self) ?? .warn
    }

    private static func all(on connection: PostgresConnection) async throws -> TenantSettings {
        let rows = try await connection.query("SELECT key, value FROM tenant_settings")
        let pairs = try rows.map { row in
            (try row.decode("key", as: String.self), try row.decode("value", as: PostgresJSON<JSONValue>.self).value)
        }
        return TenantSettings(settings: Dictionary(uniqueKeysWithValues: pairs))
    }
}

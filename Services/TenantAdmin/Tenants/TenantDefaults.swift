import Contracts
import Postgres

/// What a new tenant begins with, unless it asks for nothing.
struct TenantDefaults: Sendable {
    let companyName: String

    private static let departments = ["Engineering", "Product", "Design"]
    private static let skills = [
        ("JavaScript", "Programming languages"), ("TypeScript", "Programming languages"), ("React", "Frameworks"),
        ("Node.js", "Platforms"), ("PostgreSQL", "Databases"),
    ]

    /// Inside the transaction that makes the tenant, acting as it.
    func create(on connection: PostgresConnection) async throws {
        var settings = KnownSetting.defaults
        settings[.companyName] = .string(companyName)
        try await connection.executeBatch(
            [
                "INSERT INTO departments (name) SELECT unnest(\(Self.departments)::text[])",
                """
                INSERT INTO skills (name, category)
                SELECT * FROM unnest(\(Self.skills.map(\.0))::text[], \(Self.skills.map(\.1))::text[])
                """,
            ]
                + settings.map { setting, value -> SQL in
                    "INSERT INTO tenant_settings (key, value) VALUES (\(setting), \(json: value))"
                })
    }
}

import Contracts
import Postgres

/// What a new tenant begins with, unless it asks for nothing.
///
/// Departments and skills, the same for all, are written beforehand into a schema that is made ahead: the first row of such a table has
/// the backend look through the functions of all tenants' schemas that are named as its triggers are.
struct TenantDefaults: Sendable {
    let companyName: String

    private static let departments = ["Engineering", "Product", "Design"]
    private static let skills = [
        ("JavaScript", "Programming languages"), ("TypeScript", "Programming languages"), ("React", "Frameworks"),
        ("Node.js", "Platforms"), ("PostgreSQL", "Databases"),
    ]

    /// Statements that write departments and skills, in one transaction with the default roles (``ImportedDefaults``).
    static var examples: [SQL] {
        [
            "INSERT INTO departments (name) SELECT unnest(\(departments)::text[])",
            """
            INSERT INTO skills (name, category)
            SELECT * FROM unnest(\(skills.map(\.0))::text[], \(skills.map(\.1))::text[])
            """,
        ]
    }

    /// Takes ``examples`` out of a schema that nobody has used yet.
    static let withoutExamples: [SQL] = ["DELETE FROM skills", "DELETE FROM departments"]

    /// The settings. Inside the transaction that makes the tenant, acting as it.
    func createSettings(on connection: PostgresConnection) async throws {
        var settings = KnownSetting.defaults
        settings[.companyName] = .string(companyName)
        let values = Dictionary(uniqueKeysWithValues: settings.map { ($0.rawValue, $1) })
        // One statement, whose trigger looks once which tenant it is.
        try await connection.execute(
            "INSERT INTO tenant_settings (key, value) SELECT * FROM jsonb_each(\(json: values)::jsonb)")
    }
}

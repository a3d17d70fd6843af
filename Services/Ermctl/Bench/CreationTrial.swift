import Basics
import Foundation

/// What the objects of a new tenant's schema cost in plain SQL: those of the template, as `pg_dump` writes them, by `psql`, each schema in
/// a transaction of its own with its commit.
///
/// The comparison is with a creation that finds no schema made ahead (`TENANTS_READY_SCHEMAS=0`), and favours plain SQL: it makes no role, no
/// first user, no rows and no record of migrations, and asks nobody who may do so.
struct CreationTrial {
    let programs: PostgresPrograms

    private static let schemas = (0..<5).map { "bench_plain_\($0)" }

    /// - Returns: milliseconds a schema, and how many schemas made ahead there are.
    func measure() throws -> (plain: Double, readySchemas: Int) {
        let ready = try programs.psql("SELECT count(*) FROM tenant_admin.ready_schemas")
        let template = try programs.dump("tenant_template")
        let scripts = Self.schemas.map { schema in
            "BEGIN;\n\(template.replacing("tenant_template", with: schema))\nCOMMIT;\n"
        }
        let drop = Self.schemas.map { "DROP SCHEMA IF EXISTS \($0) CASCADE;\n" }.joined()
        // Notices of what is not there, and of the objects that go along.
        let quietly = "SET client_min_messages = warning;\n" + drop
        _ = try programs.psql(quietly)
        defer { _ = try? programs.psql(quietly) }
        let taken = try ContinuousClock().measure { _ = try programs.psql(scripts.joined()) }
        return (taken.inSeconds * 1000 / Double(scripts.count), Int(ready) ?? 0)
    }
}

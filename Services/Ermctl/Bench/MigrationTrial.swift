import Basics
import Foundation

/// One more migration for all tenants of a running platform: rolled out by `tenant-admin migrate-tenants`, and as plain SQL by `psql`, one
/// tenant after the other. Both are taken back.
struct MigrationTrial {
    /// tenant-admin's own database URL.
    let databaseURL: String
    /// The executable.
    let tenantAdmin: String
    /// The folder with every service's migrations.
    let migrations: String

    struct Figures {
        let tenants: Int
        /// Milliseconds a tenant.
        let rolledOut: Double
        /// Milliseconds a tenant.
        let plain: Double
    }

    private static let number = 9999

    /// A table and an index, as migrations mostly bring, and a lock on a table that is in use.
    private static let statements = """
        CREATE TABLE bench_migration (id uuid PRIMARY KEY, note text NOT NULL);
        CREATE INDEX bench_migration_by_note ON bench_migration (note);
        CREATE INDEX bench_migration_employees ON employees (created_at);
        """

    private static let reversal = """
        DROP INDEX IF EXISTS bench_migration_employees;
        DROP TABLE IF EXISTS bench_migration;
        """

    /// - Throws: `CommandFailure` where tenants are behind, and where a program fails.
    func measure() throws -> Figures {
        let newest = try psql("SELECT max(number) FROM tenant_template.schema_migrations")
        let behind = try psql("SELECT count(*) FROM tenant_admin.tenants WHERE schema_version <> \(newest)")
        guard behind == "0", newest != "\(Self.number)" else {
            throw CommandFailure("\(behind) tenants are not at the newest migration; migrate them first.")
        }
        // Quoted by the database itself.
        let tenants = try psql(
            """
            SELECT format('SET LOCAL ROLE %I; SET LOCAL search_path = %I;', role_name, schema_name)
            FROM tenant_admin.tenants ORDER BY id
            """
        ).split(separator: "\n").map(String.init)
        guard !tenants.isEmpty else { throw CommandFailure("There are no tenants.") }
        let count = Double(tenants.count)
        do {
            let plain = try ContinuousClock().measure { try each(tenants, Self.statements) }
            try each(tenants, Self.reversal)
            let folder = try migrationsWithOneMore()
            defer { try? FileManager.default.removeItem(at: folder) }
            let seconds = try rollOut(folder)
            try takeBack(tenants, to: newest)
            return Figures(
                tenants: tenants.count, rolledOut: seconds * 1000 / count, plain: plain.inSeconds * 1000 / count)
        } catch {
            try? takeBack(tenants, to: newest)
            throw error
        }
    }

    /// One transaction a tenant, as in a roll-out.
    private func each(_ tenants: [String], _ statements: String) throws {
        _ = try psql(tenants.map { "BEGIN;\n\($0)\n\(statements)\nCOMMIT;\n" }.joined())
    }

    private func takeBack(_ tenants: [String], to newest: String) throws {
        let unrecorded = "DELETE FROM schema_migrations WHERE number = \(Self.number);"
        try each(tenants + ["SET LOCAL search_path = tenant_template;"], "\(Self.reversal)\n\(unrecorded)")
        _ = try psql(
            "UPDATE tenant_admin.tenants SET schema_version = \(newest) WHERE schema_version = \(Self.number)")
    }

    private func migrationsWithOneMore() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-migrations-\(UUID())")
        try FileManager.default.copyItem(at: URL(fileURLWithPath: migrations), to: folder)
        try Data(Self.statements.utf8).write(to: folder.appendingPathComponent("tenant/\(Self.number)_bench.sql"))
        return folder
    }

    /// - Returns: the seconds that it says it took.
    private func rollOut(_ folder: URL) throws -> Double {
        let output = try Program.output(
            of: [tenantAdmin, "migrate-tenants", "--migrations-directory", folder.path, "--parallel", "1"],
            environment: ["DATABASE_URL": databaseURL])
        let name = "seconds="
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let seconds = Double(line.dropFirst(name.count))
        else { throw CommandFailure("tenant-admin migrate-tenants does not say how long it took: \(output)") }
        return seconds
    }

    /// - Returns: what the statements give, unaligned and without headers.
    private func psql(_ statements: String) throws -> String {
        guard var url = URLComponents(string: databaseURL) else {
            throw CommandFailure("The database's URL cannot be parsed.")
        }
        // A command line can be read by others.
        let password = url.password
        url.password = nil
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("erm-\(UUID()).sql")
        try Data(statements.utf8).write(to: script)
        defer { try? FileManager.default.removeItem(at: script) }
        return try Program.output(
            of: ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", script.path, url.string ?? databaseURL],
            environment: password.map { ["PGPASSWORD": $0] } ?? [:]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

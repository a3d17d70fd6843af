import Basics
import Foundation

/// One more migration for all tenants of a running platform: rolled out by `tenant-admin migrate-tenants`, and as plain SQL by `psql`, one
/// tenant after the other. Both are taken back.
///
/// The same statements make the same objects of the same owner, in one transaction a tenant with its commit, on one connection at a time.
/// Plain SQL writes no record of what was applied and waits for locks as long as they last. It is run before the roll-out and
/// after it, and the shorter time counts, so that what the first run finds cold is not held against it.
struct MigrationTrial {
    /// tenant-admin's own database URL.
    let databaseURL: String
    let programs: PostgresPrograms
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
        let newest = try programs.psql("SELECT max(number) FROM tenant_template.schema_migrations")
        let behind = try programs.psql("SELECT count(*) FROM tenant_admin.tenants WHERE schema_version <> \(newest)")
        guard behind == "0", newest != "\(Self.number)" else {
            throw CommandFailure("\(behind) tenants are not at the newest migration; migrate them first.")
        }
        // Quoted by the database itself.
        let tenants = try programs.psql(
            """
            SELECT format('SET LOCAL ROLE %I; SET LOCAL search_path = %I;', role_name, schema_name)
            FROM tenant_admin.tenants ORDER BY id
            """
        ).split(separator: "\n").map(String.init)
        guard !tenants.isEmpty else { throw CommandFailure("There are no tenants.") }
        let count = Double(tenants.count)
        do {
            let before = try plain(tenants)
            let folder = try migrationsWithOneMore()
            defer { try? FileManager.default.removeItem(at: folder) }
            let seconds = try rollOut(folder)
            try takeBack(tenants, to: newest)
            let after = try plain(tenants)
            return Figures(
                tenants: tenants.count, rolledOut: seconds * 1000 / count, plain: min(before, after) * 1000 / count)
        } catch {
            try? takeBack(tenants, to: newest)
            throw error
        }
    }

    /// - Returns: the seconds that plain SQL takes, before its objects are dropped.
    private func plain(_ tenants: [String]) throws -> Double {
        let taken = try ContinuousClock().measure { try each(tenants, Self.statements) }
        try each(tenants, Self.reversal)
        return taken.inSeconds
    }

    /// One transaction a tenant, as in a roll-out.
    private func each(_ tenants: [String], _ statements: String) throws {
        _ = try programs.psql(tenants.map { "BEGIN;\n\($0)\n\(statements)\nCOMMIT;\n" }.joined())
    }

    private func takeBack(_ tenants: [String], to newest: String) throws {
        let unrecorded = "DELETE FROM schema_migrations WHERE number = \(Self.number);"
        try each(tenants + ["SET LOCAL search_path = tenant_template;"], "\(Self.reversal)\n\(unrecorded)")
        _ = try programs.psql(
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
}

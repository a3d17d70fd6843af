import Contracts
import Postgres
import Synchronization

/// Databases with every service's role and schema in them, each made once in this process and copied for the tests: a copy takes a
/// part of the time of the scripts, which wait for one another, too.
final class DatabaseTemplates: Sendable {
    struct Template: Sendable {
        let name: String
        /// A script that gives, in a copy, the rights on the database itself.
        let rights: String
    }

    static let shared = DatabaseTemplates()

    private let making = Mutex<[ServiceName?: Task<Template, any Error>]>([:])

    /// - Parameter service: the one whose migrations are applied.
    func template(migrated service: ServiceName?) async throws -> Template {
        try await making.withLock { making in
            if let begun = making[service] { return begun }
            let begun = Task { try await Self.made(migrated: service) }
            making[service] = begun
            return begun
        }.value
    }

    private static func made(migrated service: ServiceName?) async throws -> Template {
        let (name, url) = try await PostgresCluster.lastingDatabase("template")
        let databases = try await ServiceDatabases.prepare(url)
        if let service {
            _ = try await PostgresCluster.withPool(on: databases.url(of: service)) { pool in
                try await MigrationRunner(
                    pool: pool, schema: service.rawValue.replacing("-", with: "_"),
                    directory: ServiceDatabases.migrations(service.rawValue), logger: PostgresCluster.quietLogger
                ).run()
            }
        }
        return Template(name: name, rights: try await rights(on: url))
    }

    /// What `compose/roles.sql` has granted on its database, as statements about the one that they run in.
    private static func rights(on url: String) async throws -> String {
        let granted = try await ServiceDatabases.value(
            """
            SELECT string_agg(format('EXECUTE format(''GRANT %s ON DATABASE %%I TO %I'', current_database());',
                acl.privilege_type, pg_get_userbyid(acl.grantee)), ' ')
            FROM pg_database d, aclexplode(d.datacl) acl WHERE d.datname = current_database() AND acl.grantee <> 0
            """, on: url)
        return """
            DO $$ BEGIN
                EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
                \(granted ?? "")
            END $$
            """
    }
}

import Contracts
import Foundation
import HTTPTypes
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import TestSupport
import Testing

@Suite("A service's database")
struct ServiceDatabaseTests {
    /// A folder of migrations of the test's own.
    func withMigrations(_ files: [String: String], _ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, sql) in files { try Data(sql.utf8).write(to: folder.appendingPathComponent(name)) }
        try await body(folder.path)
    }

    static let rows = """
        CREATE TABLE rows (tenant_id uuid NOT NULL, name text NOT NULL UNIQUE);
        ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
        ALTER TABLE rows FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON rows USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
        """

    func with(
        url: String, migrations: String, schema: String = "ml_training", _ body: (ServiceDatabase) async throws -> Void
    ) async throws {
        let database = ServiceDatabase(
            configuration: try .patient(url: url), schema: schema, migrationsDirectory: migrations,
            logger: PostgresCluster.quietLogger, firstPause: .milliseconds(10))
        let group = ServiceGroup(configuration: .init(services: [database], logger: PostgresCluster.quietLogger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(database)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func waitUntilReady(_ database: ServiceDatabase) async throws {
        while await database.readiness.check() != nil { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test("it migrates its own schema, and names need no schema in a transaction")
    func migrates() async throws {
        try await withMigrations(["0001_rows.sql": Self.rows]) { migrations in
            try await ServiceDatabases.withDatabases("kit") { databases in
                try await with(url: databases.mlTraining, migrations: migrations) { database in
                    try await waitUntilReady(database)
                    let count = try await database.withTransaction { connection in
                        try await connection.query("SELECT count(*) FROM rows")[0].decode(at: 0, as: Int.self)
                    }
                    #expect(count == 0)
                }
            }
        }
    }

    @Test("one tenant's unit of work sees and writes its own rows only, and leaves nothing on the connection")
    func rowIsolation() async throws {
        try await withMigrations(["0001_rows.sql": Self.rows]) { migrations in
            try await ServiceDatabases.withDatabases("kit") { databases in
                try await with(url: databases.mlTraining, migrations: migrations) { database in
                    try await waitUntilReady(database)
                    let (one, other) = (TenantID(), TenantID())
                    for tenant in [one, other] {
                        _ = try await database.withTenantRows(tenant) { connection in
                            try await connection.execute("INSERT INTO rows VALUES (\(tenant), \(tenant.description))")
                        }
                    }
                    func visible(_ connection: PostgresConnection) async throws -> [TenantID] {
                        try await connection.query("SELECT tenant_id FROM rows").map {
                            try $0.decode(at: 0, as: TenantID.self)
                        }
                    }
                    #expect(try await database.withTenantRows(one) { try await visible($0) } == [one])
                    #expect(try await database.withTransaction { try await visible($0) } == [])
                    let error = await #expect(throws: PostgresError.self) {
                        try await database.withTenantRows(one) { connection in
                            try await connection.execute("INSERT INTO rows VALUES (\(other), 'planted')")
                        }
                    }
                    #expect(error?.sqlState == "42501")
                }
            }
        }
    }

    @Test(
        "an empty database that is not in UTF-8 is refused with what to do, and one that is in use is used",
        .timeLimit(.minutes(2)))
    func encoding() async throws {
        try await withMigrations(["0001_rows.sql": Self.rows]) { migrations in
            try await PostgresCluster.withDatabase("kit", encoding: "SQL_ASCII") { url in
                try await with(url: url, migrations: migrations, schema: "kit") { database in
                    try await waitUntil("the service says why it is not ready") {
                        let reason = await database.readiness.check() ?? ""
                        return reason.contains("SQL_ASCII") && reason.contains("ENCODING 'UTF8'")
                    }
                }
                #expect(try await ServiceDatabases.value("SELECT to_regnamespace('kit')::text", on: url) == nil)

                // By a release that did not ask.
                try await PostgresCluster.withPool(on: url) { pool in
                    _ = try await MigrationRunner(
                        pool: pool, schema: "kit", directory: migrations, logger: PostgresCluster.quietLogger
                    ).run()
                }
                try await with(url: url, migrations: migrations, schema: "kit") { try await waitUntilReady($0) }
            }
        }
    }

    @Test("without the database it runs, says why it is not ready, answers 503, and recovers by itself")
    func comesUpWithout() async throws {
        try await withMigrations(["0001_rows.sql": Self.rows]) { migrations in
            try await PostgresCluster.withDatabase("kit") { url in
                // The role the service logs in with does not exist yet, as on a server that is only being set up.
                let role = "kit_\(UUID().uuidString.lowercased().replacing("-", with: "").prefix(12))"
                let own = try PostgresCluster.url(url, user: role, password: "x")
                let admin = PostgresPool(
                    configuration: try .patient(url: url), logger: PostgresCluster.quietLogger)
                try await with(url: own, migrations: migrations, schema: "kit") { database in
                    #expect(await database.readiness.check()?.hasPrefix("migrations are not applied yet") == true)
                    let error = await #expect(throws: PostgresError.self) { try await database.withConnection { _ in } }
                    #expect(error.map { ProblemError(mapping: $0) }?.status == .serviceUnavailable)

                    try await admin.withConnection { connection in
                        try await connection.executeScript(
                            "CREATE ROLE \(role) login password 'x'; CREATE SCHEMA kit AUTHORIZATION \(role)")
                    }
                    try await waitUntilReady(database)
                }
                try await admin.withConnection { connection in
                    try await connection.executeScript("DROP OWNED BY \(role) CASCADE; DROP ROLE \(role)")
                }
                await admin.close()
            }
        }
    }

    /// A statement that names a table which the database does not have.
    func problem(of database: ServiceDatabase) async throws -> ProblemError {
        let error = await #expect(throws: PostgresError.self) {
            try await database.withTransaction { _ = try await $0.query("SELECT * FROM missing") }
        }
        return ProblemError(mapping: try #require(error))
    }

    @Test("what is missing before the migrations is 503 with Retry-After, and afterwards a fault of the service")
    func missingTable() async throws {
        try await ServiceDatabases.withDatabases("kit") { databases in
            try await withMigrations(["0001_wrong.sql": "SELECT 1 / 0;"]) { migrations in
                try await with(url: databases.mlTraining, migrations: migrations) { database in
                    let problem = try await problem(of: database)
                    #expect(problem.status == .serviceUnavailable && problem.headers[.retryAfter] == "1")
                }
            }
            try await withMigrations(["0001_rows.sql": Self.rows]) { migrations in
                try await with(url: databases.mlTraining, migrations: migrations) { database in
                    try await waitUntilReady(database)
                    #expect(try await problem(of: database).status == .internalServerError)
                }
            }
        }
    }

    @Test("columns of the wire types survive the database")
    func columns() async throws {
        try await PostgresCluster.withPool("kit") { pool in
            let (id, day) = (ProjectID(), try #require(CivilDate("2024-02-29")))
            try await pool.withConnection { connection in
                let row = try await connection.query(
                    "SELECT \(id)::uuid AS id, \(day)::date AS day, \(ProjectStatus.onHold)::text AS status, \([id])::uuid[] AS ids"
                )[0]
                #expect(try row.decode("id", as: ProjectID.self) == id)
                #expect(try row.decode("day", as: CivilDate.self) == day)
                #expect(try row.decode("status", as: ProjectStatus.self) == .onHold)
                #expect(try row.decode("ids", as: [ProjectID].self) == [id])
            }
        }
    }

    @Test(
        "a database error's problem is general and never names a constraint",
        arguments: [
            (PostgresError.Code.poolExhausted, 503), (.connectionFailed, 503), (.connectionLost, 503), (.timedOut, 503),
            (.decoding, 500), (.protocolViolation, 500),
        ])
    func codes(code: PostgresError.Code, status: Int) {
        let problem = ProblemError(mapping: PostgresError(code, "internal words"))
        #expect(problem.status.code == status)
        #expect(!problem.sentence.contains("internal words"))
    }

    @Test(
        "states of the server become the client's statuses",
        arguments: [
            ("23505", 409), ("23503", 409), ("23514", 422), ("22003", 422), ("40001", 503), ("57P01", 503),
            ("42601", 500),
        ])
    func states(sqlState: String, status: Int) {
        var error = PostgresError(.server, "duplicate key")
        error.sqlState = sqlState
        error.constraintName = "secret_constraint"
        let problem = ProblemError(mapping: error)
        #expect(problem.status.code == status)
        #expect(!problem.sentence.contains("secret_constraint"))
    }

    @Test("a full disk is 503 with Retry-After, and the node is not ready meanwhile")
    func fullDisk() async throws {
        try await PostgresCluster.withDatabase("full") { url in
            try await withMigrations([:]) { folder in
                try await with(url: url, migrations: folder, schema: "shop") { database in
                    await database.readiness.becomesReady()
                    let error = await #expect(throws: PostgresError.self) {
                        try await database.withTransaction { connection in
                            try await connection.executeScript(
                                "do $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$")
                        }
                    }
                    let problem = try #require(error?.problem)
                    let reason = await database.readiness.check()
                    database.pool.diskHasRoom()
                    let after = await database.readiness.check()

                    #expect(problem.status == .serviceUnavailable && problem.headers[.retryAfter] == "30")
                    #expect(reason == "the database's disk is full")
                    #expect(after == nil)
                }
            }
        }
    }
}

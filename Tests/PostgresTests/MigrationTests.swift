import Foundation
import Postgres
import TestSupport
import Testing

@Suite("Migrations")
struct MigrationTests {
    private func withFolder(_ files: [String: String], _ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "erm-migrations-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try write(text, to: name, in: folder.path) }
        try await body(folder.path)
    }

    private func write(_ text: String, to name: String, in folder: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
    }

    private func runner(_ pool: PostgresPool, _ folder: String, schema: String = "shop") -> MigrationRunner {
        MigrationRunner(pool: pool, schema: schema, directory: folder, logger: PostgresCluster.quietLogger)
    }

    private let files = [
        "0001_items.sql": "CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1);",
        "0002_names.sql": "ALTER TABLE items ADD COLUMN name text;",
        "README.md": "not a migration",
    ]

    @Test("files are applied once, in order, in the schema")
    func applies() async throws {
        try await PostgresCluster.withPool("migrate") { pool in
            try await withFolder(files) { folder in
                #expect(try await runner(pool, folder).run() == ["0001_items.sql", "0002_names.sql"])
                #expect(try await runner(pool, folder).run().isEmpty)
                try write("CREATE TABLE more ()", to: "0003_more.sql", in: folder)
                #expect(try await runner(pool, folder).run() == ["0003_more.sql"])
                let names = try await pool.withConnection { connection in
                    try await connection.query("SELECT name FROM shop.items").map {
                        try $0.decode("name", as: String?.self)
                    }
                }
                #expect(names == [nil])
            }
        }
    }

    @Test("many runners at once apply each file once")
    func concurrentRunners() async throws {
        try await PostgresCluster.withPool("concurrent") { pool in
            try await withFolder(files) { folder in
                let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                    for _ in 0..<8 {
                        let runner = runner(pool, folder)
                        group.addTask { try await runner.run() }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(applied.sorted() == ["0001_items.sql", "0002_names.sql"])
            }
        }
    }

    @Test(
        "a migration waits for a lock a moment at a time, so that nobody queues behind it for as long as a reader reads",
        .timeLimit(.minutes(2)))
    func lockedTable() async throws {
        try await PostgresCluster.withPool("patient") { pool in
            try await withFolder(files) { folder in
                try await runner(pool, folder).run()
                try write("ALTER TABLE items ADD COLUMN weight int", to: "0003_weight.sql", in: folder)
                var patience = LockPatience()
                // However long this machine takes for what follows.
                patience.attempts = .max
                let runner = MigrationRunner(
                    pool: pool, schema: "shop", directory: folder, patience: patience,
                    logger: PostgresCluster.quietLogger)

                let migration = try await pool.withTransaction { reader in
                    _ = try await reader.query("SELECT FROM shop.items")
                    let migration = Task { try await runner.run() }
                    try await waitUntilRunning("ADD COLUMN weight", seenBy: pool)
                    let others = try await pool.withConnection { try await $0.query("SELECT FROM shop.items") }
                    #expect(others.count == 1)
                    return migration
                }

                #expect(try await migration.value == ["0003_weight.sql"])
            }
        }
    }

    @Test("an edited, a missing and a late file are refused")
    func tampering() async throws {
        try await PostgresCluster.withPool("tamper") { pool in
            try await withFolder(files) { folder in
                try await runner(pool, folder).run()
                try write("ALTER TABLE items ADD COLUMN name varchar;", to: "0002_names.sql", in: folder)
                let edited = try await postgresError { try await runner(pool, folder).run() }
                #expect(edited.code == .migration && edited.description.contains("0002_names.sql was edited"))
                try write(files["0002_names.sql"] ?? "", to: "0002_names.sql", in: folder)
                try FileManager.default.removeItem(atPath: folder + "/0001_items.sql")
                let missing = try await postgresError { try await runner(pool, folder).run() }
                #expect(missing.code == .migration && missing.description.contains("missing"))
                try write(files["0001_items.sql"] ?? "", to: "0001_items.sql", in: folder)
                try write("SELECT 1", to: "0000_late.sql", in: folder)
                let late = try await postgresError { try await runner(pool, folder).run() }
                #expect(late.code == .migration && late.description.contains("0000_late.sql"))
            }
        }
    }

    @Test("a file in place of one that was applied is not applied again, and nodes that have the former file go on")
    func replaced() async throws {
        try await PostgresCluster.withPool("replaced") { pool in
            try await withFolder(files) { former in
                try await withFolder(files) { new in
                    let checksum = try Migration(name: "0002_names.sql", sql: files["0002_names.sql"] ?? "").checksum
                    let text = "-- In place of \(checksum)\nALTER TABLE items ADD COLUMN name text DEFAULT 'new';"
                    try write(text, to: "0002_names.sql", in: new)
                    for (schema, first, second) in [("formerly", former, new), ("anew", new, former)] {
                        #expect(try await runner(pool, first, schema: schema).run().count == 2)
                        #expect(try await runner(pool, second, schema: schema).run().isEmpty)
                    }
                    let names = try await pool.withConnection { connection in
                        try await connection.query(
                            "SELECT name FROM formerly.items UNION ALL SELECT name FROM anew.items"
                        ).map { try $0.decode("name", as: String?.self) }
                    }
                    #expect(names == [nil, "new"])
                    try write("SELECT 1", to: "0001_items.sql", in: new)
                    let edited = try await postgresError { try await runner(pool, new, schema: "anew").run() }
                    #expect(edited.description.contains("0001_items.sql was edited"))
                }
            }
        }
    }

    @Test("an older version runs on a newer schema, and the newer goes on where it was")
    func olderVersion() async throws {
        try await PostgresCluster.withPool("older") { pool in
            try await withFolder(files) { older in
                try await withFolder(files) { newer in
                    try write("CREATE TABLE more ()", to: "0003_more.sql", in: newer)
                    try await runner(pool, newer).run()
                    #expect(try await runner(pool, older).run().isEmpty)
                    try write("CREATE TABLE most ()", to: "0004_most.sql", in: newer)
                    #expect(try await runner(pool, newer).run() == ["0004_most.sql"])
                }
            }
        }
    }

    @Test("a failing file leaves nothing behind, and those before it stay")
    func failingFile() async throws {
        try await PostgresCluster.withPool("failfile") { pool in
            var files = files
            files["0003_bad.sql"] = "CREATE TABLE half (); INSERT INTO nowhere VALUES (1);"
            try await withFolder(files) { folder in
                let error = try await postgresError { try await runner(pool, folder).run() }
                #expect(
                    error.code == .migration && error.sqlState == "42P01" && error.description.contains("0003_bad.sql"))
                try await pool.withConnection { connection in
                    let applied = try await Migrations.applied(in: "shop", on: connection).map(\.number)
                    #expect(applied == [1, 2])
                    let half = try await connection.query("SELECT to_regclass('shop.half')::text")[0]
                    #expect(try half.decode(at: 0, as: String?.self) == nil)
                }
            }
        }
    }

    @Test(
        "a file that ends its transaction is refused",
        arguments: ["commit; begin;", "COMMIT", "rollback; begin;", "SELECT 1; abort", "end;", "commit and chain"])
    func endsTransaction(text: String) async throws {
        try await PostgresCluster.withPool("endstx") { pool in
            try await withFolder(["0001_commit.sql": text]) { folder in
                let error = try await postgresError { try await runner(pool, folder).run() }
                #expect(error.code == .migration && error.description.contains("0001_commit.sql"))
            }
        }
    }

    @Test("a file may end in a comment or change the search path: the next one starts in the schema")
    func unevenFiles() async throws {
        try await PostgresCluster.withPool("uneven") { pool in
            let files = [
                "0001_a.sql": "CREATE TABLE a () -- all", "0002_b.sql": "SET search_path = pg_catalog",
                "0003_c.sql": "CREATE TABLE c ()",
            ]
            try await withFolder(files) { folder in
                let migrations = try Migrations.load(directory: folder)
                try await pool.withTransaction { connection in
                    try await connection.execute("CREATE SCHEMA shop")
                    try await Migrations.apply(migrations, to: "shop", on: connection)
                    #expect(try await connection.query("SELECT FROM a, c, shop.a x, shop.c y").isEmpty)
                }
            }
        }
    }

    @Test("a squashed script stands for the migrations up to its number, and failures name the file")
    func squashed() async throws {
        try await PostgresCluster.withPool("squashed") { pool in
            var files = files
            files["0003_more.sql"] = "CREATE TABLE more ()"
            try await withFolder(files) { folder in
                let migrations = try Migrations.load(directory: folder)
                let whole = "CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (1) -- whole"
                let squashed = try Migration(name: "0002_squashed.sql", sql: whole)
                @Sendable func create(_ schema: String, _ migrations: [Migration], _ squashed: Migration?) async throws
                {
                    try await pool.withTransaction { connection in
                        try await connection.execute("CREATE SCHEMA \(identifier: schema)")
                        try await Migrations.create(schema, by: migrations, squashed: squashed, on: connection)
                        #expect(try await connection.query("SELECT id, name FROM items, more").isEmpty)
                    }
                }
                try await create("one by one", migrations, nil)
                try await create("squashed", migrations, squashed)
                let broken = try Migration(name: "0002_squashed.sql", sql: "CREATE TABLE items (id nothing)")
                let first = try await postgresError { try await create("a", migrations, broken) }
                let bad = try Migration(name: "0003_bad.sql", sql: "CREATE TABLE items ()")
                let later = try await postgresError { try await create("b", migrations.dropLast() + [bad], squashed) }
                let records = try await pool.withConnection { connection in
                    [
                        try await Migrations.applied(in: "one by one", on: connection),
                        try await Migrations.applied(in: "squashed", on: connection),
                    ].map { $0.map { "\($0)" } }
                }

                #expect(records[0].count == 3 && records[0] == records[1])
                #expect(first.code == .migration && first.description.contains("0002_squashed.sql"))
                #expect(later.code == .migration && later.description.contains("0003_bad.sql"))
            }
        }
    }

    @Test("misnamed files and files of one number are refused")
    func names() async throws {
        for bad in ["1_a.sql", "0001-a.sql", "0001_.sql", "abcd_a.sql"] {
            #expect(throws: PostgresError.self) { try Migration(name: bad, sql: "") }
        }
        try await withFolder(["0001_a.sql": "", "0001_b.sql": ""]) { folder in
            #expect(throws: PostgresError.self) { try Migrations.load(directory: folder) }
        }
        #expect(throws: PostgresError.self) { try Migrations.load(directory: "/nowhere") }
    }

    private static let zeros = String(repeating: "0", count: 64)

    @Test(
        "a file in place of what is no checksum is refused, as its own text would go by any name",
        arguments: ["the names", "", Self.zeros + ", which was slow", Self.zeros + "\r"])
    func replacedNothing(former: String) {
        #expect(throws: PostgresError.self) {
            try Migration(name: "0001_a.sql", sql: "-- In place of \(former)\nSELECT 1;")
        }
    }

    @Test("the checksum is the file's SHA-256")
    func checksum() throws {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(try Migration(name: "0001_abc.sql", sql: "abc").checksum == expected)
    }

    @Test("the same files make several schemas, each in the caller's transaction and role")
    func tenantSchemas() async throws {
        try await PostgresCluster.withPool("tenants") { pool in
            try await withFolder(files) { folder in
                let migrations = try Migrations.load(directory: folder)
                for schema in ["tenant \"a\"", "tenant_b"] {
                    try await pool.withTransaction { connection in
                        try await connection.execute("CREATE SCHEMA \(identifier: schema)")
                        let applied = try await Migrations.apply(migrations, to: schema, on: connection)
                        #expect(applied.count == 2)
                        #expect(try await connection.query("SELECT id FROM items").count == 1)
                    }
                }
            }
        }
    }
}

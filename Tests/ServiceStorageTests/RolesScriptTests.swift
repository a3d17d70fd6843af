import Foundation
import Postgres
import TestSupport
import Testing

@Suite("compose/roles.sql")
struct RolesScriptTests {
    @Test("several processes apply it to one new cluster at once, in one database and in several")
    func concurrently() async throws {
        let url = try await PostgresCluster.databaseElsewhere()
        try await ServiceDatabases.run("CREATE DATABASE another", on: url)
        let other = try #require(URL(string: url)).deletingLastPathComponent().appendingPathComponent("another")
        try await withThrowingTaskGroup(of: ServiceDatabases.self) { group in
            for database in [url, other.absoluteString] {
                for _ in 0..<4 { group.addTask { try await ServiceDatabases.prepare(database) } }
            }
            for try await databases in group {
                #expect(
                    try await ServiceDatabases.value("SELECT current_user", on: databases.mlTraining)
                        == "erm_ml_training")
            }
        }
    }

    @Test("applied again to an earlier release's database, it adds what is new and keeps the signed heads")
    func upgrade() async throws {
        try await PostgresCluster.withDatabase("roles") { url in
            let databases = try await ServiceDatabases.prepare(url)
            // What the release before did not have.
            try await ServiceDatabases.run(
                """
                DROP FUNCTION erm_audit.is_forgotten(uuid);
                DROP TABLE erm_audit.forgotten;
                INSERT INTO erm_audit.heads (tenant_id, seq, hash, anchored_at, key_id, signature)
                VALUES ('00000000-0000-4000-8000-000000000001', 1, sha256('x'), now(), 'key', 'AAAA')
                """, on: url)
            _ = try await ServiceDatabases.prepare(url)
            func value(_ query: String) async throws -> String? {
                try await ServiceDatabases.value(query, on: databases.tenantAdmin)
            }
            let id = "'00000000-0000-4000-8000-000000000001'::uuid"
            #expect(try await value("SELECT erm_audit.is_forgotten(\(id))::text") == "false")
            #expect(try await value("SELECT count(*)::text FROM erm_audit.heads") == "1")
            #expect(try await value("SELECT erm_audit.forget(\(id))::text") == "1")
            #expect(try await value("SELECT erm_audit.is_forgotten(\(id))::text") == "true")
            await #expect(throws: PostgresError.self) {
                try await value("SELECT erm_provisioning.create_tenant_role(\(id))::text")
            }
        }
    }

    @Test("while it is applied, tenants' roles are made and dropped")
    func keepsOutItselfOnly() async throws {
        let file = ServiceDatabases.repository.appendingPathComponent("compose/roles.sql")
        let text = try String(contentsOf: file, encoding: .utf8)
        let lock = try #require(text.split(separator: "\n").first { $0.hasPrefix("LOCK TABLE") })
        try await PostgresCluster.withDatabase("roles") { url in
            let pool = PostgresPool(
                configuration: try .patient(url: url), logger: PostgresCluster.quietLogger)
            let role = "erm_test_\(UUID().uuidString.prefix(8).lowercased())"
            do {
                try await pool.withTransaction { connection in
                    try await connection.executeScript(String(lock))
                    try await ServiceDatabases.run(
                        "SET lock_timeout = '60s'; CREATE ROLE \"\(role)\"; DROP ROLE \"\(role)\"", on: url)
                }
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }
}

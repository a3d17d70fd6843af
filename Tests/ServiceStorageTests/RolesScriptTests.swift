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

    @Test("while it is applied, tenants' roles are made and dropped")
    func keepsOutItselfOnly() async throws {
        let file = ServiceDatabases.repository.appendingPathComponent("compose/roles.sql")
        let text = try String(contentsOf: file, encoding: .utf8)
        let lock = try #require(text.split(separator: "\n").first { $0.hasPrefix("LOCK TABLE") })
        try await PostgresCluster.withDatabase("roles") { url in
            let pool = PostgresPool(
                configuration: try PostgresConfiguration(url: url), logger: PostgresCluster.quietLogger)
            let role = "erm_test_\(UUID().uuidString.prefix(8).lowercased())"
            do {
                try await pool.withTransaction { connection in
                    try await connection.executeScript(String(lock))
                    try await ServiceDatabases.run(
                        "SET lock_timeout = '10s'; CREATE ROLE \"\(role)\"; DROP ROLE \"\(role)\"", on: url)
                }
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }
}

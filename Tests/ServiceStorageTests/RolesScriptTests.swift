import Foundation
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
}

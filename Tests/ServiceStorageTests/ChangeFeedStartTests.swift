import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@Suite("A change feed before its migrations")
struct ChangeFeedStartTests {
    private func with(_ body: (PostgresPool, ChangeFeed) async throws -> Void) async throws {
        try await ServiceDatabases.withDatabases("feedstart") { databases in
            let pool = PostgresPool(
                configuration: try .patient(url: databases.gateway), logger: PostgresCluster.quietLogger)
            let feed = ChangeFeed(pool: pool, schema: "gateway", heartbeat: .zero, logger: PostgresCluster.quietLogger)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(pool, feed)) } catch { outcome = .failure(error) }
            await pool.close()
            try outcome.get()
        }
    }

    @Test("a request before the migrations is answered with 503")
    func missing() async throws {
        try await with { _, feed in
            let error = await #expect(throws: ProblemError.self) { try await feed.news(after: nil) }
            #expect(error?.status == .serviceUnavailable)
        }
    }

    @Test("requests during the migrations are answered with 503 or wait, and succeed once the tables exist")
    func applied() async throws {
        try await with { pool, feed in
            let migrating = Task {
                try await MigrationRunner(
                    pool: pool, schema: "gateway", directory: ServiceDatabases.migrations("gateway"),
                    logger: PostgresCluster.quietLogger
                ).run()
            }
            var news: ChangeNews?
            while news == nil {
                do {
                    news = try await feed.news(after: nil)
                } catch let problem as ProblemError {
                    #expect(problem.status == .serviceUnavailable)
                }
            }
            #expect(news?.isContinuous == false)
            _ = try await migrating.value
        }
    }
}

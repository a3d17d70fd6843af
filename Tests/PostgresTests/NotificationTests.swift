import Postgres
import TestSupport
import Testing

@Suite("Notifications")
struct NotificationTests {
    @Test("notifications arrive, a lost connection is made again, and the listener learns of it")
    func reconnect() async throws {
        try await PostgresCluster.withPool("notify") { pool in
            var configuration = pool.configuration
            configuration.applicationName = "listener"
            let notifications = PostgresNotifications(
                configuration: configuration, channels: ["changes", "Odd \"name"], logger: PostgresCluster.quietLogger)
            var iterator = notifications.makeAsyncIterator()
            #expect(await iterator.next(isolation: #isolation) == .listening)

            try await pool.withConnection { connection in
                _ = try await connection.query("SELECT pg_notify('changes', '1'), pg_notify('Odd \"name', 'ü')")
            }
            #expect(await iterator.next(isolation: #isolation) == .notification(channel: "changes", payload: "1"))
            #expect(await iterator.next(isolation: #isolation) == .notification(channel: "Odd \"name", payload: "ü"))

            let listener: Int = try await pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'listener'
                    """)[0].decode(at: 0)
            }
            try await terminate(listener, through: pool)
            #expect(await iterator.next(isolation: #isolation) == .reconnected)
            try await pool.withConnection { _ = try await $0.query("SELECT pg_notify('changes', '2')") }
            #expect(await iterator.next(isolation: #isolation) == .notification(channel: "changes", payload: "2"))
        }
    }

    @Test("a cancelled listener ends")
    func cancelled() async throws {
        try await PostgresCluster.withPool("unlisten") { pool in
            let notifications = PostgresNotifications(
                configuration: pool.configuration, channels: ["x"], logger: PostgresCluster.quietLogger)
            let (started, continuation) = AsyncStream<Void>.makeStream()
            let task = Task {
                for await _ in notifications { continuation.yield() }
            }
            for await _ in started { break }
            task.cancel()
            await task.value
        }
    }
}

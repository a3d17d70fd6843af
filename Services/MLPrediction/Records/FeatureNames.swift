import Basics
import Contracts
import Postgres
import ServiceStorage
import Synchronization

/// Keeps the names of features once for all predictions that were made with them, in `ml_prediction.feature_sets`.
final class FeatureNames: Sendable {
    typealias Instant = ContinuousClock.Instant

    private struct Key: Hashable {
        let tenant: TenantID
        let set: FeatureSet
    }

    /// For so long a set is taken to be stored that was: a database put back to an earlier state gets it again.
    private static let memory = Duration.seconds(60)

    private let database: ServiceDatabase
    private let now: @Sendable () -> Instant
    private let known = Mutex(RecentEntries<Key, Instant>(maximumCount: 10_000))

    init(database: ServiceDatabase, now: @escaping @Sendable () -> Instant = { .now }) {
        self.database = database
        self.now = now
    }

    /// Returns once the set is stored.
    func keep(_ set: FeatureSet, of tenant: TenantID) async throws {
        let (key, time) = (Key(tenant: tenant, set: set), now())
        if known.withLock({ $0.use(key).map { time - $0 < Self.memory } ?? false }) { return }
        _ = try await database.withTenantRows(tenant) { connection in
            try await connection.execute(
                """
                INSERT INTO feature_sets (tenant_id, digest, names) VALUES (\(tenant), \(set.digest), \(wire: set.names)::jsonb)
                ON CONFLICT DO NOTHING
                """)
        }
        known.withLock { $0.insert(time, for: key) }
    }
}

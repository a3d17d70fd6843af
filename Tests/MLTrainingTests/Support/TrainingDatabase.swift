import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport

@testable import MLTraining

/// ml-training's own schema in a fresh database, reached with the service's own role.
struct TrainingDatabase {
    let database: ServiceDatabase
    let databases: ServiceDatabases
    let lease: Duration

    var jobs: PostgresJobStore { PostgresJobStore(database: database) }
    var queue: PostgresJobQueue { PostgresJobQueue(database: database, lease: lease) }
    var datasets: PostgresDatasetStore { PostgresDatasetStore(database: database, lease: lease) }
    var schedules: PostgresScheduleStore { PostgresScheduleStore(database: database) }
    var shadows: Shadows { Shadows(database: database) }
    var backtests: PostgresBacktestStore { PostgresBacktestStore(database: database, lease: lease) }
    var registry: PostgresModelRegistry { PostgresModelRegistry(database: database, lease: lease) }

    /// - Parameter migrated: whether the schema has its tables.
    static func with<R>(
        lease: Duration = .seconds(60), migrated: Bool = true, _ body: (TrainingDatabase) async throws -> R
    ) async throws -> R {
        try await ServiceDatabases.withDatabases("mltraining", migrated: migrated ? .mlTraining : nil) { databases in
            var configuration = try PostgresConfiguration(url: databases.mlTraining)
            configuration.acquireTimeout = .seconds(60)
            let database = ServiceDatabase(
                configuration: configuration, schema: "ml_training",
                migrationsDirectory: ServiceDatabases.migrations("ml-training"), logger: PostgresCluster.quietLogger)
            do {
                let result = try await body(TrainingDatabase(database: database, databases: databases, lease: lease))
                await database.pool.close()
                return result
            } catch {
                await database.pool.close()
                throw error
            }
        }
    }

    /// The job's events as one watcher gets them.
    func events(of job: JobID, _ tenant: TenantID) throws -> JobEvents {
        let watches = JobWatches(store: jobs, interval: .zero)
        return JobEvents(watch: try watches.watch(job, tenant: tenant), interval: .milliseconds(20))
    }

    func quota(hours: Int = 10) -> TrainingQuota {
        TrainingQuota(store: jobs, allowance: FixedAllowance(hours: hours))
    }

    @discardableResult
    func enqueue(
        _ tenant: TenantID, epochs: Int = 10, asOf: Date = Date(), key: IdempotencyKey? = nil,
        hyperparameters: TrainingHyperparameters = TrainingHyperparameters()
    ) async throws -> JobID {
        let job = NewJob(
            modelType: "resource_allocation", months: 240, epochs: epochs, seed: 7, asOf: asOf,
            hyperparameters: hyperparameters, requestedBy: "test")
        return try await jobs.enqueue(
            job, answer: TrainingJobStarted(jobId: job.id, estimatedTime: nil), key: key, tenant: tenant
        ).jobId
    }

    /// Lets the job's lease be over, as if its worker had been silent for so long.
    /// - Parameter attempt: the one whose lease it is; nil for the present one's.
    func expireLease(of job: JobID, attempt: Int? = nil) async throws {
        _ = try await asSuperuser { connection in
            try await connection.execute(
                """
                UPDATE ml_training.jobs SET lease_expires_at = clock_timestamp() - interval '1 second'
                WHERE id = \(job) AND status = 'running' AND attempts = coalesce(\(optional: attempt), attempts)
                """)
        }
    }

    func asSuperuser<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let pool = PostgresPool(
            configuration: try PostgresConfiguration(url: databases.superuser), logger: PostgresCluster.quietLogger)
        do {
            let result = try await pool.withConnection(body)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }

    /// A registered model of the tenant, with a made-up artefact.
    func model(
        of tenant: TenantID, passedGates: Bool, artifact: [UInt8] = [1, 2, 3], refusals: [GateRefusal] = [],
        metrics: JSONValue = .object([:])
    ) async throws -> ModelID {
        try await enqueue(tenant)
        guard let ticket = try await queue.claim(worker: "test", lease: lease) else { throw NothingToClaim() }
        let dataset = try Dataset(name: "test", source: DatasetSource(months: 6, asOf: Date()))
        try await datasets.store(dataset, for: ticket)
        let model = Self.newModel(
            dataset: dataset.id, passedGates: passedGates, artifact: artifact, refusals: refusals, metrics: metrics)
        try await registry.register(model, for: ticket)
        return model.id
    }

    static func newModel(
        dataset: DatasetID, passedGates: Bool, artifact: [UInt8] = [1, 2, 3], refusals: [GateRefusal] = [],
        metrics: JSONValue = .object([:])
    ) -> NewModel {
        NewModel(
            id: ModelID(), name: "test", modelType: "resource_allocation", kind: "planned_hours",
            passedGates: passedGates, refusals: refusals, accuracy: 0.75, precision: nil, recall: nil, f1: nil,
            metrics: metrics, card: "A test.", hyperparameters: .object([:]), datasetID: dataset, artifact: artifact)
    }
}

struct NothingToClaim: Error {}

/// A plan from memory.
struct FixedAllowance: TrainingAllowance {
    let hours: Int

    func hours(of tenant: TenantID, trace: TraceContext) async throws -> Int { hours }
}

/// History from memory.
struct FixedHistory: HistorySource {
    let lines: [HistoryLine]

    func read(
        tenant: TenantID, since watermark: String?, _ receive: (HistoryChange) async throws -> Void
    ) async throws -> String {
        for line in lines { if let change = line.change { try await receive(change) } }
        return "\(lines.count)"
    }
}

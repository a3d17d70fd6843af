import Contracts
import Foundation
import Logging
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// ml-training: collects datasets, trains and judges models as durable background jobs, keeps the model registry.
struct TrainingApplication {
    let bootstrap: ServiceBootstrap
    let database: ServiceDatabase

    init(_ bootstrap: ServiceBootstrap) throws {
        self.bootstrap = bootstrap
        self.database = try ServiceDatabase(
            settings: bootstrap.settings, schema: "ml_training", migrations: "ml-training", logger: bootstrap.logger)
    }

    /// The only place where the parts are put together.
    func build() throws -> ServiceApplication {
        let lease = bootstrap.settings.duration("training.lease")
        let wake = WakeSignal()
        let jobs = PostgresJobStore(database: database)
        let datasets = PostgresDatasetStore(database: database, lease: lease)
        let registry = PostgresModelRegistry(database: database, lease: lease)
        let backtests = PostgresBacktestStore(database: database, lease: lease)
        let quota = TrainingQuota(
            store: jobs, allowance: TenantAdminAllowance(client: bootstrap.client(for: .tenantAdmin)))
        let workers = TrainingWorkers(
            count: bootstrap.settings.int("training.workers"), lease: lease,
            pollInterval: bootstrap.settings.duration("training.poll"),
            // Names a worker in the jobs table; two processes may share a host and a process id inside containers.
            name:
                "\(ProcessInfo.processInfo.hostName)/\(ProcessInfo.processInfo.processIdentifier)/\(UUID().uuidString.prefix(8))",
            queue: PostgresJobQueue(database: database, lease: lease), datasets: datasets, registry: registry,
            backtests: backtests, history: TenantAdminHistory(client: bootstrap.client(for: .tenantAdmin)),
            quota: quota, wake: wake, logger: bootstrap.logger)
        let schedules = PostgresScheduleStore(database: database)
        let shadows = Shadows(database: database)
        let interval = bootstrap.settings.duration("training.schedules")
        let scheduler = TrainingScheduler(
            store: schedules, shadows: shadows, models: DeployedModelCheck(registry: registry),
            history: TenantAdminHistory(client: bootstrap.client(for: .tenantAdmin)), quota: quota,
            wake: wake, interval: interval, pollInterval: min(interval, .seconds(5)), logger: bootstrap.logger)
        let audit = AuditOutbox(
            database: database, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger)
        let changes = ChangeFeed(beside: database, logger: bootstrap.logger)
        let purger = TenantPurger(
            database: database, client: bootstrap.client(for: .tenantAdmin),
            interval: bootstrap.settings.duration("purge.interval"),
            // Whose turn it is belongs to the queue.
            settings: ["erm.queue": "claim"], logger: bootstrap.logger)
        let erasures = PersonErasures(
            client: bootstrap.client(for: .tenantAdmin), interval: bootstrap.settings.duration("purge.interval"),
            logger: bootstrap.logger, erase: DatasetErasure(database: database).erase)
        let upkeep = DatasetUpkeep(
            database: database, contentDays: bootstrap.settings.int("retention.dataset-days"),
            restoreDays: bootstrap.settings.int("retention.restore-days"), logger: bootstrap.logger)
        let refusals = FormerRefusals(database: database, logger: bootstrap.logger)
        let parts = TrainingParts(
            verifier: bootstrap.identity.verifier, database: database, jobs: jobs, backtests: backtests,
            datasets: datasets, registry: registry, schedules: schedules, shadows: shadows, quota: quota, wake: wake,
            changes: changes, logger: bootstrap.logger)
        return ServiceApplication(
            routes: parts.routes,
            services: [database]
                + database.readiness.before(audit, workers, scheduler, changes, erasures, purger, upkeep, refusals),
            readiness: [database.readiness])
    }
}

/// What ml-training's controllers answer from, so that tests can put other parts in.
struct TrainingParts: Sendable {
    var verifier: AssertionVerifier
    var database: ServiceDatabase
    var jobs: any JobStore
    var backtests: any BacktestStore
    var datasets: any DatasetStore
    var registry: any ModelRegistry
    var schedules: any ScheduleStore
    var shadows: Shadows
    var quota: TrainingQuota
    var wake: WakeSignal
    var changes: ChangeFeed
    var logger: Logger

    /// One line per controller.
    var routes: Routes {
        let routes = Routes(verifier: verifier)
        routes.add(
            TrainingJobsController(jobs: TrainingJobs(store: jobs, quota: quota, wake: wake), store: jobs))
        routes.add(BacktestsController(store: backtests, jobs: jobs, quota: quota, wake: wake))
        routes.add(TrainingUsageController(quota: quota))
        routes.add(ScheduleController(store: schedules, wake: wake))
        let nodes = PredictionNodes(database: database)
        routes.add(ModelsController(registry: registry, shadows: shadows, nodes: nodes, logger: logger))
        routes.add(PredictionNodesController(nodes: nodes))
        routes.add(DatasetsController(store: datasets))
        routes.add(DeploymentsController(registry: registry, shadows: shadows))
        routes.add(InternalChangesController(feed: changes))
        routes.add(
            InternalArchiveController(archive: ServiceArchive(database: database, files: TrainingArchive.files)))
        return routes
    }
}

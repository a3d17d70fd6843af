import Contracts
import Foundation
import HistoryFeed
import ServiceKit
import ServiceStorage

/// ml-prediction: answers predictions from the deployed model, logs each, takes feedback and outcomes.
struct PredictionApplication {
    let bootstrap: ServiceBootstrap
    let database: ServiceDatabase
    let usage = UsageCounter()

    init(_ bootstrap: ServiceBootstrap) throws {
        self.bootstrap = bootstrap
        self.database = try ServiceDatabase(
            settings: bootstrap.settings, schema: "ml_prediction", migrations: "ml-prediction", logger: bootstrap.logger
        )
    }

    /// The only place where the parts are put together.
    func build() -> ServiceApplication {
        let settings = bootstrap.settings
        let feed = TenantAdminFeed(client: bootstrap.client(for: .tenantAdmin))
        let freshness = Freshness(
            fresh: settings.duration("mirror.fresh"), limit: settings.duration("mirror.limit"),
            patience: settings.duration("mirror.patience"))
        let tenantChanges = ChangeFollower(
            ServiceName.tenantAdmin.rawValue,
            source: ServiceChanges(bootstrap.client(for: .tenantAdmin), of: [.tenant, .history]),
            silence: freshness.limit, logger: bootstrap.logger)
        let modelChanges = ChangeFollower(
            ServiceName.mlTraining.rawValue,
            source: ServiceChanges(bootstrap.client(for: .mlTraining), of: [.deployment]), logger: bootstrap.logger)
        let (tenantNews, modelNews) = (TenantNews(tenantChanges), TenantNews(modelChanges))
        let mirrors = TenantMirrors(
            limits: .init(
                tenants: settings.int("mirror.tenants"), rows: settings.int("mirror.rows"),
                bytes: settings.int("mirror.bytes"))
        ) { tenant in
            TenantMirror(
                tenant: tenant, source: feed, freshness: freshness,
                isUnchanged: { tenantNews.isUnchanged($0, since: $1) })
        }
        let models = DeployedModels(
            source: TrainingServiceModels(
                client: bootstrap.client(for: .mlTraining), maximumBytes: settings.int("models.bytes")),
            staleAfter: settings.duration("models.fresh"),
            isUnchanged: { modelNews.isUnchanged($0, since: $1) }, capacity: settings.int("models.held"),
            memory: settings.int("models.memory"))
        let log = PostgresPredictionLog(database: database)
        return ServiceApplication(
            routes: routes(
                service: PredictionService(
                    models: models, mirrors: mirrors, log: log, usage: usage,
                    admission: Admission(most: settings.int("predictions.under-way"))), log: log),
            services: [
                database, tenantChanges, modelChanges,
                PersonEraser(
                    database: database, client: bootstrap.client(for: .tenantAdmin),
                    interval: settings.duration("purge.interval"), logger: bootstrap.logger),
                TenantPurger(
                    database: database, client: bootstrap.client(for: .tenantAdmin),
                    interval: settings.duration("purge.interval"), logger: bootstrap.logger),
                UsageReporter(counter: usage, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger),
            ],
            readiness: [
                database.readiness,
                .upstream(bootstrap.client(for: .tenantAdmin), probe: HistoryFeedPath.path(tenant: .nobody)),
                .upstream(bootstrap.client(for: .mlTraining), probe: TrainingServiceModels.deploymentPath(of: .nobody)),
            ])
    }

    private func routes(service: PredictionService, log: any PredictionLog) -> Routes {
        let routes = Routes(verifier: bootstrap.identity.verifier)
        routes.add(PredictionsController(service: service, log: log))
        routes.add(
            ModelMetricsController(
                service: service, store: PostgresModelMetricsStore(database: database),
                watched: PostgresWatchedPredictions(database: database)))
        return routes
    }
}

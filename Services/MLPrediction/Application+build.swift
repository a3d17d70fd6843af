import Basics
import Contracts
import Foundation
import HistoryFeed
import Logging
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// ml-prediction: answers predictions from the deployed model, logs each, takes feedback and outcomes.
struct PredictionApplication {
    let bootstrap: ServiceBootstrap
    let database: ServiceDatabase
    let usage = UsageCounter()
    let admission: Admission

    init(_ bootstrap: ServiceBootstrap) throws {
        self.bootstrap = bootstrap
        admission = Admission(most: bootstrap.settings.int("predictions.under-way"))
        self.database = try ServiceDatabase(
            settings: bootstrap.settings, schema: "ml_prediction", migrations: "ml-prediction", logger: bootstrap.logger
        )
    }

    /// The only place where the parts are put together.
    func build() throws -> ServiceApplication {
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
        let registry = TrainingServiceModels(
            client: bootstrap.client(for: .mlTraining), maximumBytes: settings.int("models.bytes"))
        let models = DeployedModels(
            source: registry, staleAfter: settings.duration("models.fresh"),
            news: { modelNews.since($1, of: $0) },
            limits: .init(models: settings.int("models.held"), bytes: settings.int("models.memory")),
            patience: settings.duration("models.patience"),
            report: { [logger = bootstrap.logger, metrics = bootstrap.metrics] refusal, model, tenant in
                metrics.counter(
                    "ml_prediction_models_refused_total", [("cause", refusal.cause.rawValue)],
                    help: "Deployed models that were found damaged or failed their self-test."
                ).increment()
                logger.error(
                    "Deployed model refused; the one before, or the baseline, answers",
                    metadata: [
                        LogKey.tenantID: "\(tenant)", LogKey.modelID: "\(model.modelId)",
                        LogKey.modelVersion: "\(model.version)", LogKey.reason: "\(refusal.reason)",
                    ])
            },
            loaded: { [logger = bootstrap.logger] load, model, tenant in
                logger.info(
                    "Model loaded",
                    metadata: [
                        LogKey.tenantID: "\(tenant)", LogKey.modelID: "\(model.modelId)",
                        LogKey.modelVersion: "\(model.version)",
                        LogKey.fetchMilliseconds: "\(Int(load.fetching / .milliseconds(1)))",
                        LogKey.verifyMilliseconds: "\(Int(load.verifying / .milliseconds(1)))",
                    ])
            })
        modelChanges.follow { news in
            guard case .changes(let changes) = news else { return }
            for tenant in Set(changes.map(\.tenantId)) { models.prepare(tenant) }
        }
        let networks = TenantNetworks(
            source: registry, models: models, staleAfter: settings.duration("models.fresh"),
            news: { modelNews.since($1, of: $0) }, patience: settings.duration("models.patience"))
        let mirrors = TenantMirrors(
            limits: .init(
                tenants: settings.int("mirror.tenants"), rows: settings.int("mirror.rows"),
                bytes: settings.int("mirror.bytes")),
            refused: { tenant in
                models.forget(tenant)
                networks.forget(tenant)
            }
        ) { tenant in
            TenantMirror(
                tenant: tenant, source: feed, freshness: freshness,
                isUnchanged: { tenantNews.isUnchanged($0, since: $1) })
        }
        tenantChanges.follow { news in
            let changed: Set<TenantID>? =
                switch news {
                case .everything: nil
                case .changes(let changes): Set(changes.filter { $0.kind == .tenant }.map(\.tenantId))
                }
            if changed?.isEmpty != true { Task { await mirrors.check(changed) } }
        }
        // One for all that takes milliseconds, so that no more threads compute than there are cores.
        let gate = ComputeGate()
        let log = PostgresPredictionLog(database: database, gate: gate)
        let shadows = ShadowAnswers(
            models: models, mirrors: mirrors, database: database, gate: gate, capacity: settings.int("shadow.waiting"),
            leftOut: { [metrics = bootstrap.metrics] questions in
                metrics.counter(
                    "ml_prediction_shadow_left_out_total", [],
                    help: "Questions without a second answer by the model in the shadow: too many waited, or it failed."
                ).increment(by: Double(questions))
            }, logger: bootstrap.logger)
        let service = PredictionService(
            models: models, mirrors: mirrors, log: log, usage: usage, featureNames: FeatureNames(database: database),
            shadows: shadows, admission: admission, gate: gate)
        // Without a webhook alarms are read from their feed only.
        let delivery = try Webhook(bootstrap).map { webhook in
            AlarmDelivery(
                notices: AlarmNotices(database: database), webhook: webhook, logger: bootstrap.logger)
        }
        let watch = ModelWatch(
            database: database, outcomes: service.outcomes,
            shadows: ShadowReporter(
                figures: PostgresShadowFigures(database: database), client: bootstrap.client(for: .mlTraining)),
            drift: DriftFeed(database: database, mirrors: mirrors, gate: gate),
            interval: settings.duration("watch.interval"), logger: bootstrap.logger)
        let audit = AuditOutbox(
            database: database, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger)
        let eraser = PersonEraser(
            database: database,
            // A batch may be five minutes under way, with names as old as the history may be.
            settling: settings.duration("mirror.limit") + .seconds(360))
        let erasures = PersonErasures(
            client: bootstrap.client(for: .tenantAdmin), interval: settings.duration("purge.interval"),
            logger: bootstrap.logger, erase: eraser.erase)
        let purger = TenantPurger(
            database: database, client: bootstrap.client(for: .tenantAdmin),
            interval: settings.duration("purge.interval"), logger: bootstrap.logger)
        let nodeReporter = NodeReporter(
            models: models, name: "\(ProcessInfo.processInfo.hostName):\(settings.int("http.port"))",
            interval: .milliseconds(500), logger: bootstrap.logger, tell: registry.report)
        let usageReporter = UsageReporter(
            counter: usage, client: bootstrap.client(for: .tenantAdmin), logger: bootstrap.logger)
        let parts = PredictionParts(
            verifier: bootstrap.identity.verifier, database: database, service: service, log: log, networks: networks)
        var application = ServiceApplication(
            routes: parts.routes,
            services: [database] + database.readiness.before(watch, audit, erasures, purger)
                + (delivery.map { database.readiness.before($0) } ?? [])
                + [tenantChanges, modelChanges, shadows, nodeReporter, usageReporter],
            readiness: [
                database.readiness,
                .upstream(bootstrap.client(for: .tenantAdmin), probe: HistoryFeedPath.path(tenant: .nobody)),
                // Once in touch, the node answers with the models in its memory.
                .upstream(bootstrap.client(for: .mlTraining), probe: TrainingServiceModels.deploymentPath(of: .nobody))
                    .required { !modelChanges.hasHeard },
            ])
        application.onLoop = LoopInference(
            callers: InternalCallers(verifier: bootstrap.identity.verifier), networks: networks, admission: admission)
        return application
    }
}

/// What ml-prediction's controllers answer from, so that tests can put other parts in.
struct PredictionParts: Sendable {
    var verifier: AssertionVerifier
    var database: ServiceDatabase
    var service: PredictionService
    var log: any PredictionLog
    var networks: TenantNetworks

    /// One line per controller.
    var routes: Routes {
        let routes = Routes(verifier: verifier)
        routes.add(
            PredictionsController(
                service: service, log: log, forecasts: PersonForecasts(database: database, gate: service.gate)))
        routes.add(
            ModelMetricsController(
                service: service, store: PostgresModelMetricsStore(database: database),
                drift: DriftFeed(database: database, mirrors: service.mirrors, gate: service.gate),
                decisionMetrics: PostgresDecisionMetrics(database: database)))
        routes.add(
            InternalArchiveController(
                archive: ServiceArchive(database: database, files: PredictionArchive.files)))
        routes.add(
            InferenceController(
                networks: networks, readiness: RecentReadiness(database.readiness), admission: service.admission,
                gate: service.gate))
        return routes
    }
}

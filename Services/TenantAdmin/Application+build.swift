import Contracts
import Hummingbird
import Logging
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// Where the parts of the service are put together.
enum TenantAdmin {
    static let configurationKeys: [ConfigurationKey] = [
        .init(
            "imports.max-concurrent", .integer(1...100), default: "4",
            help: "How many imports may be under way; each holds a database connection."),
        .init(
            "delivery.webhook-url", .text,
            help: "Where invitations and password resets are sent; without it the operator fetches them."),
        .init(
            "delivery.webhook-secret", .secret,
            help: "Signs what is sent to the webhook; at least 16 bytes, required with it."),
    ]

    static func build(_ bootstrap: ServiceBootstrap) throws -> ServiceApplication {
        let settings = bootstrap.settings
        let database = try ServiceDatabase(
            settings: settings, schema: "tenant_admin", migrations: "tenant-admin", logger: bootstrap.logger)
        let schemas = try TenantSchemas(
            pool: database.pool, migrationsDirectory: try settings.migrationsDirectory("tenant"),
            logger: bootstrap.logger)
        let rollout = TenantSchemaRollout(schemas: schemas, logger: bootstrap.logger)
        let recorder = UsageRecorder(
            usage: Usage(database: TenantDatabase(pool: database.pool)), logger: bootstrap.logger,
            prerequisite: database.readiness)
        let webhook = try settings.optionalString("delivery.webhook-url").map {
            try Webhook(
                url: $0, secret: settings.optionalSecret("delivery.webhook-secret") ?? "",
                client: bootstrap.httpClient)
        }
        let delivery = MessageDelivery(
            outbox: Outbox(database: TenantDatabase(pool: database.pool)), webhook: webhook, logger: bootstrap.logger,
            prerequisite: database.readiness)
        return ServiceApplication(
            router: router(
                pool: database.pool, schemas: schemas, verifier: bootstrap.identity.verifier,
                concurrentImports: settings.int("imports.max-concurrent")),
            services: [database, rollout, recorder, delivery], readiness: [database.readiness, rollout.readiness])
    }

    static func router(
        pool: PostgresPool, schemas: TenantSchemas, verifier: AssertionVerifier, concurrentImports: Int = 4
    ) -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        let tenants = Tenants(pool: pool, schemas: schemas)
        let database = TenantDatabase(pool: pool)
        let roles = Roles(database: database)

        let api = router.group("api/v1").add(middleware: InternalCallers(accepting: [.gateway], verifier: verifier))
        TenantsController(tenants: tenants).addRoutes(to: api)
        UsageController(usage: Usage(database: database)).addRoutes(to: api)
        ExportController(export: TenantExport(tenants: tenants, database: database)).addRoutes(to: api)
        let outbox = Outbox(database: database)
        InvitationsController(invitations: Invitations(database: database)).addRoutes(to: api)
        PasswordResetController(resets: PasswordResets(database: database, outbox: outbox)).addRoutes(to: api)
        MessagesController(outbox: outbox).addRoutes(to: api)
        let users = Users(database: database)
        UsersController(users: users).addRoutes(to: api)
        UserRolesController(users: users).addRoutes(to: api)
        RolesController(store: roles).addRoutes(to: api)
        SettingsController(settings: Settings(database: database)).addRoutes(to: api)
        AuditController(auditLog: AuditLog(database: database)).addRoutes(to: api)
        EmployeesController(store: Employees(database: database)).addRoutes(to: api)
        ProjectsController(store: Projects(database: database)).addRoutes(to: api)
        AllocationsController(store: Allocations(database: database)).addRoutes(to: api)
        EmployeeSkillsController(skills: EmployeeSkills(database: database)).addRoutes(to: api)
        DepartmentsController(store: Departments(database: database)).addRoutes(to: api)
        SkillsController(store: Skills(database: database)).addRoutes(to: api)
        CapacityController(capacity: CapacityHistory(database: database)).addRoutes(to: api)
        ReportsController(reports: Reports(database: database)).addRoutes(to: api)
        ImportsController(
            imports: Imports(database: database, slots: ImportSlots(capacity: concurrentImports))
        ).addRoutes(to: api)

        let identity = router.group("internal/v1")
            .add(middleware: InternalCallers(accepting: [.gateway], verifier: verifier))
        InternalIdentityController(
            tenants: tenants, credentials: Credentials(database: database), roles: roles
        ).addRoutes(to: identity)
        let counting = router.group("internal/v1")
            .add(middleware: InternalCallers(accepting: [.gateway, .mlPrediction], verifier: verifier))
        InternalUsageController(usage: Usage(database: database)).addRoutes(to: counting)
        let learning = router.group("internal/v1")
            .add(middleware: InternalCallers(accepting: [.mlTraining, .mlPrediction], verifier: verifier))
        InternalHistoryController(feed: HistoryFeed(database: database)).addRoutes(to: learning)
        let training = router.group("internal/v1")
            .add(middleware: InternalCallers(accepting: [.mlTraining], verifier: verifier))
        InternalLimitsController(tenants: tenants).addRoutes(to: training)
        let changing = router.group("internal/v1")
            .add(middleware: InternalCallers(accepting: [.gateway, .mlTraining], verifier: verifier))
        InternalAuditController(auditLog: AuditLog(database: database)).addRoutes(to: changing)
        return router
    }
}

import Contracts
import Logging
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// tenant-admin: tenants and their lifecycle; inside each tenant its users, roles, settings, audit log and work.
struct TenantAdminApplication {
    let bootstrap: ServiceBootstrap
    let database: ServiceDatabase

    init(_ bootstrap: ServiceBootstrap) throws {
        self.bootstrap = bootstrap
        self.database = try ServiceDatabase(
            settings: bootstrap.settings, schema: "tenant_admin", migrations: "tenant-admin", logger: bootstrap.logger)
    }

    /// The only place where the parts are put together.
    func build() throws -> ServiceApplication {
        let settings = bootstrap.settings
        let schemas = try TenantSchemas(
            pool: database.pool, migrationsDirectory: try settings.migrationsDirectory("tenant"),
            logger: bootstrap.logger)
        let rollout = TenantSchemaRollout(schemas: schemas, logger: bootstrap.logger)
        let changes = ChangeFeed(
            beside: database, incomplete: TenantSchemas.someTellNoChanges, logger: bootstrap.logger)
        let migrated = TenantDatabase(pool: database.pool, requiredVersion: schemas.newest)
        let recorder = UsageRecorder(usage: Usage(database: migrated), logger: bootstrap.logger)
        let delivery = MessageDelivery(
            outbox: Outbox(database: TenantDatabase(pool: database.pool)), webhook: try Webhook(bootstrap),
            logger: bootstrap.logger)
        guard let keys = bootstrap.keys else {
            throw ConfigurationError(problems: ["identity.key-file: there is no key to sign heads of audit chains with"]
            )
        }
        let anchors = AuditAnchors(
            pool: database.pool, signer: StatementSigner(keys: keys), logger: bootstrap.logger)
        let purge = TenantPurge(
            pool: database.pool, restoreDays: settings.int("tenants.restore-days"),
            settling: settings.duration("purge.settling"), interval: settings.duration("purge.interval"),
            logger: bootstrap.logger)
        let retention = Retention(
            database: TenantDatabase(
                pool: database.pool, requiredVersion: schemas.newest, onWrite: anchors.note),
            feedDays: settings.int("retention.feed-days"),
            importDays: settings.int("retention.import-days"), logger: bootstrap.logger)
        let filler = ReadySchemaFiller(
            ready: ReadySchemas(schemas: schemas), count: settings.int("tenants.ready-schemas"),
            logger: bootstrap.logger)
        let parts = TenantAdminParts(
            verifier: bootstrap.identity.verifier, pool: database.pool, schemas: schemas, anchors: anchors,
            heads: StatementVerifier(keys: keys), purge: purge, imports: ImportSettings(settings),
            exports: ExportSettings(settings), turns: BulkTurns(atOnce: settings.int("imports.max-concurrent")),
            changes: changes,
            archives: ServiceArchiveSources([bootstrap.client(for: .mlTraining), bootstrap.client(for: .mlPrediction)]),
            policies: try TenantPolicies(settings))
        return ServiceApplication(
            routes: parts.routes,
            services: [database]
                // Tenants' triggers call what the service's own migrations make.
                + database.readiness.before(rollout, recorder, delivery, changes)
                + rollout.readiness.before(anchors, purge, retention, filler),
            readiness: [database.readiness, rollout.readiness])
    }
}

/// What tenant-admin's controllers answer from, so that tests can put other parts in.
struct TenantAdminParts: Sendable {
    var verifier: AssertionVerifier
    var pool: PostgresPool
    var schemas: TenantSchemas
    var anchors: AuditAnchors
    /// Verifies the heads that the anchors have signed.
    var heads: StatementVerifier
    var purge: TenantPurge
    var imports: ImportSettings
    var exports: ExportSettings
    /// Of imports to be applied and exports to be read.
    var turns: BulkTurns
    var changes: ChangeFeed
    /// What other services have of a tenant's archive.
    var archives: any ArchiveSources
    var policies = TenantPolicies()

    /// One line per controller.
    var routes: Routes {
        let routes = Routes(verifier: verifier)
        let database = TenantDatabase(pool: pool, requiredVersion: schemas.newest, onWrite: anchors.note)
        let tenants = Tenants(pool: pool, schemas: schemas, policies: policies)
        let (roles, users, usage) = (
            Roles(database: database), Users(database: database, passwords: policies.passwords),
            Usage(database: database)
        )
        let (auditLog, outbox) = (AuditLog(database: database), Outbox(database: database))

        routes.add(TenantsController(tenants: tenants, purge: purge))
        routes.add(UsageController(usage: usage))
        routes.add(
            ExportController(
                export: TenantExport(
                    tenants: tenants, database: database, others: archives, space: exports.space,
                    places: TenantPlaces(for: "exports", capacity: exports.maximumConcurrent), turns: turns),
                archive: TenantArchive(database: database, space: imports.space, others: archives)))
        routes.add(InvitationsController(invitations: Invitations(database: database, passwords: policies.passwords)))
        routes.add(
            PasswordResetController(
                resets: PasswordResets(database: database, outbox: outbox, passwords: policies.passwords)))
        routes.add(MessagesController(outbox: outbox))
        routes.add(UsersController(users: users))
        routes.add(UserRolesController(users: users))
        routes.add(RolesController(store: roles))
        routes.add(SettingsController(settings: Settings(database: database)))
        routes.add(
            AuditController(
                auditLog: auditLog,
                chain: AuditChain(database: database, anchors: anchors, verifier: heads)))
        let people = PersonData(database: database)
        routes.add(PersonDataController(people: people))
        routes.add(InternalErasuresController(people: people))
        routes.add(EmployeesController(store: Employees(database: database)))
        routes.add(ProjectsController(store: Projects(database: database)))
        routes.add(AllocationsController(store: Allocations(database: database)))
        routes.add(EmployeeSkillsController(skills: EmployeeSkills(database: database)))
        routes.add(EmploymentController(store: Employments(database: database)))
        routes.add(ContractsController(store: EmploymentContracts(database: database)))
        routes.add(LeaveController(store: LeaveStore(database: database)))
        routes.add(CalendarsController(store: Calendars(database: database)))
        routes.add(HolidaysController(holidays: Holidays(database: database)))
        routes.add(DepartmentsController(store: Departments(database: database)))
        routes.add(SkillsController(store: Skills(database: database)))
        routes.add(CapacityController(capacity: CapacityHistory(database: database)))
        let reports = Reports(database: database)
        routes.add(ReportsController(reports: reports))
        routes.add(AvailabilityController(search: AvailabilitySearch(reports: reports)))
        routes.add(ImportsController(imports: Imports(database: database, settings: imports, turns: turns)))

        routes.add(
            InternalIdentityController(
                tenants: tenants, credentials: Credentials(database: database), roles: roles,
                settings: Settings(database: database)))
        routes.add(InternalUsageController(usage: usage))
        routes.add(InternalHistoryController(feed: HistoryFeed(database: database)))
        routes.add(InternalLimitsController(tenants: tenants))
        routes.add(InternalPurgesController(purge: purge))
        routes.add(InternalAuditController(auditLog: auditLog))
        routes.add(InternalChangesController(feed: changes))
        return routes
    }
}

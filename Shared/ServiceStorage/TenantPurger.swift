import Basics
import Contracts
public import Logging
import Postgres
public import ServiceKit
public import ServiceLifecycle

/// Removes a service's data of tenants that are purged. tenant-admin lists these tenants and gets a confirmation once nothing is
/// left; a service that is down catches up when it is back, and until its confirmation the tenant does not count as purged.
public struct TenantPurger: Service {
    private let database: ServiceDatabase
    private let client: ServiceClient
    private let interval: Duration
    private let settings: [String: String]
    private let logger: Logger

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - settings: what row-level security needs beside the tenant.
    public init(
        database: ServiceDatabase, client: ServiceClient, interval: Duration, settings: [String: String] = [:],
        logger: Logger
    ) {
        self.database = database
        self.client = client
        self.interval = interval
        self.settings = settings
        self.logger = logger
    }

    public func run() async throws {
        await PeriodicWork(every: interval).run(
            logging: .each("Purging tenants failed; retrying", at: .info, to: logger)
        ) { try await purgeDue() }
    }

    /// - Throws: `ProblemError` when tenant-admin does not answer, `PostgresError`.
    public func purgeDue() async throws {
        let tenants: [TenantID] = try await client.get("/internal/v1/purges", trace: TraceContext())
        for tenant in tenants {
            let rows = try await database.withTenantRows(tenant) { connection in
                try await connection.setLocal(settings: settings)
                return try await TenantRows.remove(tenant, from: database.schema, on: connection)
            }
            let _: PurgeConfirmation = try await client.post(
                "/internal/v1/purges", PurgeConfirmation(tenantId: tenant, rows: rows), trace: TraceContext())
            logger.info(
                "Tenant purged", metadata: [LogKey.tenantID: "\(tenant)", LogKey.rowCount: .stringConvertible(rows)])
        }
    }
}

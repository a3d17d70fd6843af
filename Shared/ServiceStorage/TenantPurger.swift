import Basics
import Contracts
public import Logging
import Postgres
public import ServiceKit
public import ServiceLifecycle

/// Removes a service's data of tenants that are purged. tenant-admin lists these tenants and is told how much was removed; it lists a
/// tenant again until nothing was found of it long after something was, for a request under way may have written more. A service
/// that is down catches up when it is back, and the tenant does not count as purged until then.
public struct TenantPurger: Service {
    private let database: ServiceDatabase
    private let client: ServiceClient
    private let interval: Duration
    private let settings: [String: String]
    private let logger: Logger

    /// - Parameters:
    ///   - client: asks tenant-admin.
    ///   - settings: what row-level security needs beside the tenant.
    ///   - lockTimeout: how long a tenant's rows are waited for while another transaction holds them.
    public init(
        database: ServiceDatabase, client: ServiceClient, interval: Duration, settings: [String: String] = [:],
        lockTimeout: String = "2s", logger: Logger
    ) {
        self.database = database
        self.client = client
        self.interval = interval
        self.settings = settings.merging(["lock_timeout": lockTimeout]) { $1 }
        self.logger = logger
    }

    public func run() async throws {
        await PeriodicWork(every: interval).run(
            logging: .each("Purging tenants failed; retrying", at: .info, to: logger)
        ) { try await purgeDue() }
    }

    /// - Throws: `ProblemError` when tenant-admin does not say which tenants are purged; as `attemptEach`.
    public func purgeDue() async throws {
        let tenants: [TenantID] = try await client.get("/internal/v1/purges", trace: TraceContext())
        try await tenants.attemptEach(logging: "Purging a tenant failed; retrying", at: .info, to: logger) { tenant in
            let rows = try await database.withTenantRows(tenant) { connection in
                try await connection.setLocal(settings: settings)
                return try await TenantRows.remove(tenant, from: database.schema, on: connection)
            }
            let _: PurgeConfirmation = try await client.post(
                "/internal/v1/purges", PurgeConfirmation(tenantId: tenant, rows: rows), trace: TraceContext())
            logger.info(
                "Rows of a purged tenant removed",
                metadata: [LogKey.tenantID: "\(tenant)", LogKey.rowCount: .stringConvertible(rows)])
        }
    }
}

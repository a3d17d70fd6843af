import Basics
public import Contracts
public import Logging
public import Postgres
public import ServiceKit
public import ServiceLifecycle
import Synchronization

/// A service's own schema: the pool, its migrations, and how well they are.
///
/// The service starts without the database: migrations are tried until they succeed, readiness says why not yet, and
/// requests that need the database meanwhile are answered 503.
public final class ServiceDatabase: Service, CustomStringConvertible {
    private enum Progress: Sendable {
        case migrating(lastError: String?)
        case ready
    }

    public let pool: PostgresPool
    public let schema: String
    private let migrationsDirectory: String
    private let logger: Logger
    private let backoff: Backoff
    private let progress = Mutex(Progress.migrating(lastError: nil))

    /// - Parameters:
    ///   - settings: `database.url`, `database.max-…`, `migrations.directory`.
    ///   - migrations: the folder's name under the migrations directory.
    /// - Throws: `ConfigurationError` when the URL cannot be parsed or there is no such folder.
    public convenience init(settings: ServiceSettings, schema: String, migrations: String, logger: Logger) throws {
        var configuration: PostgresConfiguration
        do {
            configuration = try PostgresConfiguration(url: settings.secret("database.url"))
        } catch {
            throw ConfigurationError(problems: ["database.url: \(error.message)"])
        }
        configuration.maximumConnections = settings.int("database.max-connections")
        configuration.maximumAge = settings.duration("database.max-connection-age")
        configuration.maximumRoles = settings.int("database.max-tenants-per-connection")
        configuration.applicationName = "erm-\(migrations)"
        self.init(
            configuration: configuration, schema: schema,
            migrationsDirectory: try settings.migrationsDirectory(migrations), logger: logger)
    }

    /// - Parameter firstPause: before the second attempt to migrate; it doubles up to five seconds.
    public init(
        configuration: PostgresConfiguration, schema: String, migrationsDirectory: String, logger: Logger,
        firstPause: Duration = .milliseconds(250)
    ) {
        pool = PostgresPool(configuration: configuration, logger: logger)
        pool.schemaIsPending()
        self.schema = schema
        self.migrationsDirectory = migrationsDirectory
        self.logger = logger
        backoff = Backoff(first: firstPause, maximum: .seconds(5))
    }

    public var description: String { "database" }

    /// Migrates, then keeps the pool until shutdown, then closes it.
    public func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            await PeriodicWork(every: backoff.maximum, afterFailure: backoff).runPaced(
                logging: .each("Applying migrations failed", to: logger)
            ) {
                try await self.migrate()
                return .finished
            }
            await pool.run()
        }
        // In a task of its own, for connections lent to the last requests come back even when this task is cancelled.
        await Task { await pool.close() }.value
    }

    /// A wrong migration is tried again too: it may be another node's deployment that is half done.
    private func migrate() async throws {
        do {
            try await requireUTF8()
            try await MigrationRunner(pool: pool, schema: schema, directory: migrationsDirectory, logger: logger).run()
        } catch {
            progress.withLock { $0 = .migrating(lastError: Self.reason(error)) }
            throw error
        }
        pool.schemaIsThere()
        progress.withLock { $0 = .ready }
        logger.info("Database ready", metadata: [LogKey.schema: "\(schema)"])
    }

    /// Refuses an empty database in another encoding: texts of people all over the world would be refused one by one, or garbled. One that
    /// is in use stays in use, and the log says so.
    private func requireUTF8() async throws {
        let (encoding, isInUse) = try await pool.withConnection { connection in
            let row = try await connection.query(
                """
                SELECT current_setting('server_encoding') AS encoding,
                    to_regclass(\(schema + ".schema_migrations")) IS NOT NULL AS is_in_use
                """)[0]
            return (try row.decode("encoding", as: String.self), try row.decode("is_in_use", as: Bool.self))
        }
        guard encoding != "UTF8" else { return }
        guard isInUse else {
            throw PostgresError(
                .invalidConfiguration,
                "The database's encoding is \(encoding) and must be UTF8; make it by CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'."
            )
        }
        logger.warning(
            "Database is not in UTF-8; move its contents to one that is", metadata: [LogKey.reason: "\(encoding)"])
    }

    /// Ready when the migrations are applied and the server answers.
    public var readiness: ReadinessCheck {
        ReadinessCheck(name: "database") { [self] in
            if case .migrating(let lastError) = progress.withLock({ $0 }) {
                return "migrations are not applied yet" + (lastError.map { ": \($0)" } ?? "")
            }
            do {
                if let full = pool.diskFullAt { return try await room(since: full) }
                return try await pool.withConnection { connection in
                    _ = try await connection.query("SELECT 1")
                    return nil
                }
            } catch let error as PostgresError where error.code == .poolExhausted {
                // Busy is not down: taking a busy node out makes the others busier.
                return nil
            } catch {
                return Self.reason(error)
            }
        }
    }

    /// Whether the server's disk has room again: tried by writing 4 MB that are not kept, not at once, so that requests are
    /// kept away from a full disk instead of finding out one by one.
    /// - Returns: why not; nil when it has.
    private func room(since full: ContinuousClock.Instant) async throws -> String? {
        let reason = "the database's disk is full"
        guard .now - full >= Self.diskFullPause else { return reason }
        do {
            try await pool.withTransaction(retries: 0) { connection in
                _ = try await connection.execute(
                    """
                    CREATE TEMPORARY TABLE erm_disk_probe ON COMMIT DROP AS
                    SELECT number FROM generate_series(1, 120000) number
                    """)
            }
            pool.diskHasRoom()
            return nil
        } catch let error as PostgresError where error.sqlState == PostgresError.diskFull {
            return reason
        }
    }

    /// For how long a full disk is not tried again.
    private static let diskFullPause = Duration.seconds(5)

    /// Safe to show on the operations port.
    private static func reason(_ error: any Error) -> String { (error as? PostgresError)?.message ?? "it failed" }
}

extension ServiceDatabase {
    /// Lends a connection; statements run each for itself, and name their tables with the schema.
    /// - Throws: what `body` throws; `PostgresError`, which the error middleware answers as 503 where the database is the
    ///   trouble.
    public func withConnection<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withConnection(body)
    }

    /// Runs `body` in a transaction in the service's schema, again on a serialisation failure or a deadlock.
    public func withTransaction<R>(
        isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withTransaction(isolationLevel: isolationLevel, readOnly: readOnly, retries: retries) {
            connection in
            try await connection.setLocal(searchPath: [schema])
            return try await body(connection)
        }
    }

    /// A unit of work of one tenant on tables with row-level security: a transaction that sees and writes only rows whose
    /// policy compares them with the setting `erm.tenant_id`. The setting ends with the transaction, so that nothing of
    /// it stays on the pooled connection.
    public func withTenantRows<R>(
        _ tenant: TenantID, isolationLevel: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 3,
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withTransaction(
            of: tenant.rawValue, isolationLevel: isolationLevel, readOnly: readOnly, retries: retries
        ) { connection in
            try await connection.setLocal(searchPath: [schema], settings: ["erm.tenant_id": tenant.description])
            return try await body(connection)
        }
    }
}

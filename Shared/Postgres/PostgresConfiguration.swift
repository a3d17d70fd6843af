/// Where the server is and how a pool behaves.
public struct PostgresConfiguration: Sendable {
    /// The most connections the pool opens at once.
    public var maximumConnections = 10
    /// How long a caller waits for a free connection before `poolExhausted`.
    public var acquireTimeout: Duration = .seconds(5)
    /// How long one attempt to connect may take, name resolution included.
    public var connectTimeout: Duration = .seconds(5)
    /// Connections unused for longer are closed by ``PostgresPool/run()``.
    public var idleTimeout: Duration = .seconds(60)
    /// A connection is not lent again when it is older; it is given up to a fifth earlier, so that not all go at once.
    public var maximumAge: Duration = .seconds(3600)
    /// A connection that has acted as more roles is not lent again: its server process keeps what it has read of each tenant's
    /// tables (about 1 MB for some 35 tables with their triggers) for as long as it lives.
    public var maximumRoles = 32
    /// A connection unused for longer is asked for a sign of life before it is lent.
    public var healthCheckAfter: Duration = .seconds(20)
    /// How long the server may take to confirm a cancellation or a clean-up before the connection is given up.
    public var cleanUpTimeout: Duration = .seconds(5)
    /// Prepared statements kept per connection; 0 prepares none (for PgBouncer before 1.21 in transaction mode).
    public var statementCacheSize = 128
    /// Shown in `pg_stat_activity`, unless the URL names one itself.
    public var applicationName = "erm"

    /// The conninfo string or `postgres://` URI, password included.
    let url: String

    /// - Parameter url: a libpq connection URI or key/value string. All of libpq's options work, `sslmode`,
    ///   `sslrootcert`, several hosts and `target_session_attrs` among them; so do libpq's environment variables.
    /// - Throws: `invalidConfiguration` if libpq cannot parse it. The error never repeats the URL.
    public init(url: String) throws(PostgresError) {
        guard !url.utf8.contains(0), LibpqConnection.canParse(conninfo: url) else {
            throw PostgresError(.invalidConfiguration, "The database URL is not a valid PostgreSQL connection string.")
        }
        self.url = url
    }

    /// The parameters for libpq, in order; later ones win over the expanded URL.
    var connectionParameters: [(keyword: String, value: String)] {
        [
            ("dbname", url),
            ("fallback_application_name", applicationName),
            ("client_encoding", "UTF8"),
        ]
    }
}

extension PostgresConfiguration: CustomStringConvertible {
    /// Free of the URL, which may hold a password.
    public var description: String {
        "PostgresConfiguration(maximumConnections: \(maximumConnections), applicationName: \(applicationName))"
    }
}

/// The isolation level of a transaction.
public enum IsolationLevel: String, Sendable {
    case readCommitted = "read committed"
    case repeatableRead = "repeatable read"
    case serializable = "serializable"
}

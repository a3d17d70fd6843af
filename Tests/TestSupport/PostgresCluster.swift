public import Foundation
public import Logging
public import Postgres
import Synchronization

/// The PostgreSQL server the tests run against: the one `ERM_TEST_POSTGRES_URL` names (a superuser's URL of a private
/// cluster), or a cluster of this process's own, started at the first use and removed when the process ends.
///
/// Tests share the server and run in parallel; each takes a database of its own by ``withDatabase(_:_:)``.
public struct PostgresCluster: Sendable {
    /// A superuser's URL of the maintenance database.
    public let url: String

    /// The cluster of this test process.
    /// - Throws: what went wrong when it could not be started; every test then fails with the same words.
    public static func shared() async throws -> PostgresCluster {
        try await starting.value
    }

    private static let starting = Task { () throws -> PostgresCluster in
        if let url = ProcessInfo.processInfo.environment["ERM_TEST_POSTGRES_URL"], !url.isEmpty {
            return PostgresCluster(url: url)
        }
        return PostgresCluster(url: try await PrivateCluster.start())
    }

    /// An empty database in a new cluster beside the shared one: its transaction numbers begin anew. It lasts as long as the
    /// test process.
    /// - Parameters:
    ///   - directory: where the cluster's files are; nil for the temporary directory.
    ///   - settings: of the server.
    /// - Returns: the superuser's URL of the database.
    public static func databaseElsewhere(in directory: URL? = nil, settings: [String: String] = [:]) async throws
        -> String
    {
        let cluster = PostgresCluster(url: try await PrivateCluster.start(in: directory, settings: settings))
        try await cluster.administer("create database elsewhere")
        return try cluster.url(database: "elsewhere")
    }

    /// Makes a database with a name of its own, and drops it when `body` is done.
    /// - Parameters:
    ///   - hint: a word that says in the database's name whose it is.
    ///   - template: the name of a database that nobody is connected to, of which this is a copy; nil for an empty one. Rights on
    ///     the database itself are not copied.
    ///   - encoding: another one than the cluster's, for an empty database.
    ///   - body: gets the superuser's URL of the database.
    public static func withDatabase<R>(
        _ hint: String = "test", copying template: String? = nil, encoding: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> R
    ) async throws -> R {
        let cluster = try await shared()
        let name = Self.name(hint)
        let other = encoding.map { "TEMPLATE template0 ENCODING \(literal: $0) LOCALE 'C'" as SQL }
        let copy: SQL = "TEMPLATE \(identifier: template ?? "template1")"
        try await cluster.administer("CREATE DATABASE \(identifier: name) \(sql: other ?? copy)")
        do {
            let result = try await body(try cluster.url(database: name))
            try await cluster.administer("DROP DATABASE IF EXISTS \(identifier: name) WITH (force)")
            return result
        } catch {
            // The test's own error matters more than one of dropping its database.
            try? await cluster.administer("DROP DATABASE IF EXISTS \(identifier: name) WITH (force)")
            throw error
        }
    }

    /// Makes an empty database that lasts as long as its server.
    static func lastingDatabase(_ hint: String) async throws -> (name: String, url: String) {
        let cluster = try await shared()
        let name = Self.name(hint)
        try await cluster.administer("CREATE DATABASE \(identifier: name)")
        return (name, try cluster.url(database: name))
    }

    private static func name(_ hint: String) -> String {
        let letters = hint.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(20)
        return "erm_\(letters)_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
    }

    /// Makes a database and a pool on it.
    /// - Parameter configure: changes the pool's settings before it is made.
    public static func withPool<R>(
        _ hint: String = "test", isolation: isolated (any Actor)? = #isolation,
        configure: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        try await withDatabase(hint) { url in try await withPool(on: url, configure: configure, body) }
    }

    /// Lends a pool on a database that is there.
    /// - Parameter configure: changes the pool's settings before it is made.
    public static func withPool<R>(
        on url: String, isolation: isolated (any Actor)? = #isolation,
        configure: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresPool) async throws -> R
    ) async throws -> R {
        var configuration = try PostgresConfiguration.patient(url: url)
        configure(&configuration)
        let pool = PostgresPool(configuration: configuration, logger: quietLogger)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }

    /// `url` for another role: same server and database.
    /// - Parameter password: `nil` where the server trusts its host, as the private cluster does.
    public static func url(_ url: String, user: String, password: String? = nil) throws -> String {
        guard var components = URLComponents(string: url) else {
            throw PostgresClusterError("The URL cannot be parsed.")
        }
        components.user = user
        components.password = password
        return try components.string ?? { throw PostgresClusterError("The URL cannot be written.") }()
    }

    /// A logger that says nothing, for parts under test that need one.
    public static var quietLogger: Logger {
        Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    }

    private func url(database: String) throws -> String {
        guard var components = URLComponents(string: url) else {
            throw PostgresClusterError("The URL cannot be parsed.")
        }
        components.path = "/" + database
        return try components.string ?? { throw PostgresClusterError("The URL cannot be written.") }()
    }

    /// Runs one command on a connection of its own: creating and dropping databases cannot be part of a transaction.
    private func administer(_ command: SQL) async throws {
        try await Self.withPool(on: url) {
            $0.maximumConnections = 1
        } _: { pool in
            _ = try await pool.withConnection { try await $0.execute(command) }
        }
    }
}

extension PostgresConfiguration {
    /// With time for all that a pool waits for: on two cores and beside many tests a slow answer is not what most tests are about.
    public static func patient(url: String) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: url)
        configuration.acquireTimeout = .seconds(60)
        configuration.connectTimeout = .seconds(60)
        configuration.cleanUpTimeout = .seconds(60)
        return configuration
    }
}

/// Why there is no server to test against.
public struct PostgresClusterError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

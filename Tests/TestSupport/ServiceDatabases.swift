public import Contracts
public import Foundation
import Postgres

/// A fresh database with every service's role and schema in it, made by the same `compose/roles.sql` as a real one.
public struct ServiceDatabases: Sendable {
    /// The superuser's URL.
    public let superuser: String
    /// Each service's URL, with its own role.
    public let gateway: String
    public let tenantAdmin: String
    public let mlTraining: String
    public let mlPrediction: String

    /// Makes the database and drops it when `body` is done.
    /// - Parameter service: the one whose schema has its tables already; nil where all schemas are empty.
    public static func withDatabases<R>(
        _ hint: String = "service", migrated service: ServiceName? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (ServiceDatabases) async throws -> R
    ) async throws -> R {
        let template = try await DatabaseTemplates.shared.template(migrated: service)
        return try await PostgresCluster.withDatabase(hint, copying: template.name) { url in
            try await run(template.rights, on: url)
            return try await body(try ServiceDatabases(superuser: url))
        }
    }

    /// Puts the services' roles and schemas into a database.
    public static func prepare(_ superuser: String) async throws -> ServiceDatabases {
        try await RolesScript.run(on: superuser)
        return try ServiceDatabases(superuser: superuser)
    }

    /// The URLs of a database in which the services' roles are there already.
    public init(superuser url: String) throws {
        func role(_ name: String) throws -> String {
            try PostgresCluster.url(url, user: name, password: Self.password)
        }
        superuser = url
        gateway = try role("erm_gateway")
        tenantAdmin = try role("erm_tenant_admin")
        mlTraining = try role("erm_ml_training")
        mlPrediction = try role("erm_ml_prediction")
    }

    /// The service's URL, with its own role.
    func url(of service: ServiceName) -> String {
        switch service {
        case .gateway: gateway
        case .tenantAdmin: tenantAdmin
        case .mlTraining: mlTraining
        case .mlPrediction: mlPrediction
        }
    }

    /// Runs a script of SQL as the role that the URL names.
    public static func run(_ script: String, on url: String) async throws {
        try await withConnection(to: url) { try await $0.executeScript(script) }
    }

    /// The only value that a query gives, as text; nil for NULL.
    public static func value(_ query: String, on url: String) async throws -> String? {
        try await withConnection(to: url) {
            try await $0.query(SQL(stringLiteral: query))[0].decode(at: 0, as: String?.self)
        }
    }

    /// Keeps what a statement has locked while `body` runs.
    public static func holding<R: Sendable>(
        _ statement: String, on url: String, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await PostgresCluster.withPool(on: url) { pool in
            try await pool.withTransaction(retries: 0) { connection in
                try await connection.executeScript(statement)
                return try await body()
            }
        }
    }

    private static func withConnection<R: Sendable>(
        to url: String, _ body: @Sendable (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await PostgresCluster.withPool(on: url) { pool in try await pool.withConnection(body) }
    }

    /// Of every service's role.
    public static let password = "test"

    /// The repository's folder.
    public static var repository: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// The folder of a service's migrations: `gateway`, `tenant-admin`, `tenant`, `ml-training`, `ml-prediction`.
    public static func migrations(_ name: String) -> String {
        repository.appendingPathComponent("migrations/\(name)").path
    }
}

/// Runs `compose/roles.sql` by psql, as an operator does.
private enum RolesScript {
    static func run(on url: String) async throws {
        let variables = ["gateway", "tenant_admin", "ml_training", "ml_prediction"].flatMap {
            ["-v", "\($0)_password=\(ServiceDatabases.password)"]
        }
        let script = ServiceDatabases.repository.appendingPathComponent("compose/roles.sql").path
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("psql-\(UUID()).log")
        defer { try? FileManager.default.removeItem(at: output) }
        let psql = try ChildProcess("psql", ["-X", "-q", url] + variables + ["-f", script], output: output)
        guard await psql.exitCode == 0 else {
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            throw PostgresClusterError("compose/roles.sql failed: \(text)")
        }
    }
}

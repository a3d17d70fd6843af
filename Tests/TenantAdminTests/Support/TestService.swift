import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import TenantAdmin

/// The service's routes over a fresh database, and keys to sign assertions with.
struct TestService: Sendable {
    let client: any TestClientProtocol
    let parts: TenantAdminParts
    private let application: ServiceApplication
    let databases: ServiceDatabases
    let signers: [ServiceName: AssertionSigner]
    /// The public keys of all services.
    let keys: JSONWebKeySet
    /// What other services have of tenants.
    let archives: KeptArchives

    /// Connections of the service's own role.
    var pool: PostgresPool { parts.pool }
    var schemas: TenantSchemas { parts.schemas }
    var purge: TenantPurge { parts.purge }
    var changes: ChangeFeed { parts.changes }

    static func run(
        tenantMigrations: String = ServiceDatabases.migrations("tenant"), imports: ImportSettings = .testing(),
        exports: ExportSettings = .testing(),
        heartbeat: Duration = .milliseconds(50),
        policies: TenantPolicies = .hashingFast,
        _ body: @escaping @Sendable (TestService) async throws -> Void
    ) async throws {
        try await ServiceDatabases.withDatabases("tenantadmin", migrated: .tenantAdmin) { databases in
            var configuration = try PostgresConfiguration(url: databases.tenantAdmin)
            configuration.acquireTimeout = .seconds(60)
            configuration.connectTimeout = .seconds(60)
            let pool = PostgresPool(configuration: configuration, logger: PostgresCluster.quietLogger)
            do {
                try await run(pool, databases, tenantMigrations, imports, exports, heartbeat, policies, body)
            } catch {
                await pool.close()
                throw error
            }
            await pool.close()
        }
    }

    private static func run(
        _ pool: PostgresPool, _ databases: ServiceDatabases, _ tenantMigrations: String, _ imports: ImportSettings,
        _ exports: ExportSettings, _ heartbeat: Duration, _ policies: TenantPolicies,
        _ body: @escaping @Sendable (TestService) async throws -> Void
    ) async throws {
        let schemas = try TenantSchemas(
            pool: pool, migrationsDirectory: tenantMigrations, logger: PostgresCluster.quietLogger)
        let pairs = ServiceName.allCases.map { ($0, ServiceKeyPair()) }
        let keys = JSONWebKeySet(keys: pairs.map { $1.publicJWK(issuer: $0) })
        let anchors = AuditAnchors(
            pool: pool, signer: StatementSigner(keyPair: pairs.first { $0.0 == .tenantAdmin }!.1),
            logger: PostgresCluster.quietLogger)
        let purge = TenantPurge(
            pool: pool, restoreDays: 30, settling: .zero, interval: .seconds(60),
            logger: PostgresCluster.quietLogger)
        let changes = ChangeFeed(
            pool: pool, schema: "tenant_admin", heartbeat: heartbeat,
            incomplete: TenantSchemas.someTellNoChanges, logger: PostgresCluster.quietLogger)
        let archives = KeptArchives()
        let parts = TenantAdminParts(
            verifier: AssertionVerifier(audience: .tenantAdmin, keys: keys), pool: pool, schemas: schemas,
            anchors: anchors, heads: StatementVerifier(keys: keys), purge: purge, imports: imports, exports: exports,
            turns: BulkTurns(atOnce: 4), changes: changes, archives: archives, policies: policies)
        let signers = Dictionary(
            uniqueKeysWithValues: pairs.map { ($0, AssertionSigner(issuer: $0, keyPair: $1)) })
        let application = ServiceApplication(routes: parts.routes)
        try await application.testable().test(.router) { client in
            try await body(
                TestService(
                    client: client, parts: parts, application: application, databases: databases, signers: signers,
                    keys: keys,
                    archives: archives))
        }
    }

    /// The same service behind a socket, for what only a connection can do: a test's client of sockets waits for 20 s at most, which
    /// an answer may take while all tests run at once.
    func listening(_ body: @escaping @Sendable (_ port: Int) async throws -> Void) async throws {
        try await application.testable().test(.live) { client in
            try await body(try #require(client.port))
        }
    }
}

/// An answer, read whole.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    func data<T: Codable & Sendable>(_ type: T.Type = T.self) throws -> T {
        try WireJSON.decode(Success<T>.self, from: bytes).data
    }

    func list<T: Codable & Sendable>(_ type: T.Type = T.self) throws -> (items: [T], next: String?) {
        let answer = try WireJSON.decode(Success<[T]>.self, from: bytes)
        return (answer.data, answer.page?.nextCursor)
    }

    var problem: Problem {
        get throws { try WireJSON.decode(Problem.self, from: bytes) }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension TestService {
    func send(
        _ method: HTTPRequest.Method, _ path: String, as token: String?, body: [UInt8]? = nil,
        type: String = "application/json", headers: [String: String] = [:]
    ) async throws -> Reply {
        var fields = HTTPFields()
        if let token { fields[.authorization] = "Bearer \(token)" }
        if body != nil { fields[.contentType] = type }
        for (name, value) in headers { fields[HTTPField.Name(name)!] = value }
        let response = try await client.executeRequest(
            uri: path, method: method, headers: fields, body: body.map { ByteBuffer(bytes: $0) })
        return Reply(
            status: response.status.code, headers: response.headers, bytes: Array(response.body.readableBytesView))
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, as token: String?, json: some Encodable,
        headers: [String: String] = [:]
    ) async throws -> Reply {
        try await send(method, path, as: token, body: try WireJSON.encode(json), headers: headers)
    }

    /// A body exactly as a client writes it.
    func send(
        _ method: HTTPRequest.Method, _ path: String, as token: String?, text: String, headers: [String: String] = [:]
    ) async throws -> Reply {
        try await send(method, path, as: token, body: Array(text.utf8), headers: headers)
    }

    /// The gateway speaking for the platform operator.
    var operatorToken: String {
        get throws { try token(of: .gateway, .platformOperator) }
    }

    /// The gateway speaking for a user of the tenant; by default one who may do everything in it.
    func token(
        _ tenant: TenantID, _ permissions: [Permission] = DefaultRole.admin.permissions, subject: String = "tester"
    ) throws -> String {
        try token(
            of: .gateway, Caller(issuer: .gateway, tenant: tenant, subject: subject, permissions: permissions))
    }

    /// A service speaking for itself.
    func token(of service: ServiceName, _ caller: Caller? = nil) throws -> String {
        try signers[service]!.assertion(for: .tenantAdmin, caller: caller)
    }

    static let password = "correct horse battery staple"

    func createTenant(_ subdomain: String) async throws -> Tenant {
        let request = CreateTenantRequest(
            name: "Tenant \(subdomain)", subdomain: Subdomain(rawValue: subdomain)!,
            adminEmail: "admin@\(subdomain).example",
            adminPassword: Self.password, defaults: false)
        return try await send(.post, "/api/v1/tenants", as: operatorToken, json: request).data()
    }

    func importCSV(
        _ kind: ImportKind, _ text: String, into tenant: TenantID, onError: String? = nil, history: String? = nil,
        isDryRun: Bool = false
    ) async throws -> Reply {
        // The service is ready once it has made the template, whose tables a dry run copies.
        if isDryRun { try await schemas.migrateTemplate() }
        let query =
            "kind=\(kind.rawValue)" + (onError.map { "&onError=\($0)" } ?? "")
            + (history.map { "&history=\($0)" } ?? "") + (isDryRun ? "&dryRun=true" : "")
        return try await send(
            .post, "/api/v1/imports?\(query)", as: try token(tenant), body: Array(text.utf8), type: "text/csv")
    }

    func all<T: Codable & Sendable>(_ path: String, of tenant: TenantID, as type: T.Type = T.self) async throws -> [T] {
        try await send(.get, "/api/v1/\(path)", as: try token(tenant)).list(T.self).items
    }

    /// Runs statements in one transaction in a tenant's schema, as one who may do anything.
    func asSuperuser(_ subdomain: String, _ statements: String) async throws {
        let pool = PostgresPool(
            configuration: try PostgresConfiguration(url: databases.superuser), logger: PostgresCluster.quietLogger)
        do {
            try await pool.withTransaction { connection in
                try await connection.setLocal(searchPath: [TenantNames.schema(for: subdomain)])
                try await connection.executeScript(statements)
            }
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
    }

    /// The lines of a history feed.
    func history(_ tenant: TenantID, since: String? = nil) async throws -> [HistoryLine] {
        let path = "/internal/v1/tenants/\(tenant)/history" + (since.map { "?since=\($0)" } ?? "")
        let reply = try await send(.get, path, as: try token(of: .mlTraining))
        return try reply.bytes.split(separator: UInt8(ascii: "\n")).map {
            try WireJSON.decode(HistoryLine.self, from: $0)
        }
    }
}

extension HistoryLine {
    var endLine: HistoryEnd? { if case .end(let end) = self { end } else { nil } }
    var allocation: Allocation? { if case .allocation(let allocation) = self { allocation } else { nil } }
    var project: HistoryProject? { if case .project(let project) = self { project } else { nil } }
    var employee: HistoryEmployee? { if case .employee(let employee) = self { employee } else { nil } }
    var removed: RemovedRow? { if case .removed(let row) = self { row } else { nil } }
}

extension TenantPolicies {
    /// Every test makes a tenant with a password: at what a hash costs in service, that would take most of the time of all.
    fileprivate static var hashingFast: TenantPolicies {
        TenantPolicies(passwords: PasswordPolicy(cost: ScryptParameters(logCost: 4)))
    }
}

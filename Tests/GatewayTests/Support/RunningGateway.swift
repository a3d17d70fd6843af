import Basics
import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport

@testable import Gateway

/// Two gateway nodes on live sockets, one Postgres with the gateway's schema between them, and a tenant-admin behind.
struct RunningGateway: Sendable {
    let tenantAdmin: FakeTenantAdmin
    let identity: ServiceKeyPair
    let tokens: AccessTokens
    let database: ServiceDatabase
    let client: HTTPClient
    /// The two nodes' base URLs.
    let urls: [String]
    let clock: TestClock
    /// What both nodes count.
    let usage: UsageCounter
    /// What both nodes hear of sessions and API keys: nothing, until a test asks.
    let ownChanges: ChangeFollower
    /// Of the first node.
    let parts: GatewayParts

    static let operatorSecret = "erm_op_" + String(repeating: "a", count: 43)

    /// - Parameters:
    ///   - keys: what tokens are made with, of the first node and of the second; nil: of both the same.
    ///   - loginPatience: how long a login waits for its turn; unless a test is about that, longer than any takes.
    ///   - perAddress: what one client address may ask of the routes for logins; nil: as the shipped table says.
    static func with<R: Sendable>(
        baseDomain: String? = nil, keys: (KeyRing, KeyRing)? = nil, uploads: BodyRate = .standard,
        loginPatience: Duration = .seconds(60), perAddress: GatewayConfiguration.Allowance? = nil,
        _ body: @escaping @Sendable (RunningGateway) async throws -> R
    ) async throws -> R {
        try await ServiceDatabases.withDatabases("gateway", migrated: .gateway) { databases in
            let logger = PostgresCluster.quietLogger
            let database = ServiceDatabase(
                configuration: try .patient(url: databases.gateway), schema: "gateway",
                migrationsDirectory: ServiceDatabases.migrations("gateway"),
                logger: logger)
            let client = HTTPClient(logger: logger)
            let result: Result<R, any Error>
            do {
                result = .success(
                    try await run(
                        database, client, logger, baseDomain, keys, uploads, loginPatience, perAddress, body))
            } catch {
                result = .failure(error)
            }
            await client.shutdown()
            await database.pool.close()
            return try result.get()
        }
    }

    private static func run<R: Sendable>(
        _ database: ServiceDatabase, _ client: HTTPClient, _ logger: Logger, _ baseDomain: String?,
        _ keys: (KeyRing, KeyRing)?, _ uploads: BodyRate, _ loginPatience: Duration,
        _ perAddress: GatewayConfiguration.Allowance?, _ body: @escaping @Sendable (RunningGateway) async throws -> R
    ) async throws -> R {
        let identity = ServiceKeyPair()
        let clock = TestClock()
        let tenantAdmin = FakeTenantAdmin()
        let verifier = AssertionVerifier(
            audience: .tenantAdmin, keys: JSONWebKeySet(keys: [identity.publicJWK(issuer: .gateway)]))
        let signer = AssertionSigner(issuer: .gateway, keyPair: identity)
        let own = KeyRing(identity)
        let keys = keys ?? (own, own)
        let tokens = try AccessTokens(keys: keys.0, now: { clock.now })
        return try await tenantAdmin.application(verifier: verifier).testable().test(.live) { upstream in
            let address = "http://127.0.0.1:\(upstream.port ?? 0)"
            let directory = TenantAdminDirectory(
                ServiceClient(to: .tenantAdmin, baseURLs: [address], httpClient: client, signer: signer),
                // However busy the machine is.
                deadline: .seconds(60), hashing: .seconds(60))
            let ownChanges = ChangeFollower(
                "gateway",
                source: ChangeFeed(pool: database.pool, schema: "gateway", heartbeat: .zero, logger: logger),
                silence: .seconds(60), logger: logger)
            var configuration = try RouteFile.load(
                ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml").path)
            configuration.uploads = uploads
            if let perAddress { configuration.address = perAddress }
            let parts = GatewayParts(
                configuration: configuration,
                baseDomain: baseDomain, operatorKey: OperatorKey(contents: RandomToken.digest(operatorSecret).hex),
                identity: keys.0, tokens: tokens, queue: LoginQueue(patience: loginPatience), signer: signer,
                directory: directory, ownChanges: ownChanges,
                sessions: PostgresSessionStore(database: database), lockouts: PostgresLockoutStore(database: database),
                keys: PostgresAPIKeyStore(database: database), client: client,
                addresses: [.tenantAdmin: [address], .mlTraining: [address]],
                console: try ConsoleFiles(
                    folder: ServiceDatabases.repository.appendingPathComponent("Services/Console").path),
                audit: .outbox(database),
                logger: logger, now: { clock.now })
            var others = parts
            others.identity = keys.1
            others.queue = LoginQueue(patience: loginPatience)
            others.tokens = try AccessTokens(keys: keys.1, now: { clock.now })
            let (first, second) = (try application(parts).testable(), try application(others).testable())
            return try await first.test(.live) { first in
                try await second.test(.live) { second in
                    try await body(
                        RunningGateway(
                            tenantAdmin: tenantAdmin, identity: identity, tokens: tokens, database: database,
                            client: client,
                            urls: [first, second].map { "http://127.0.0.1:\($0.port ?? 0)" }, clock: clock,
                            usage: parts.usage, ownChanges: ownChanges, parts: parts))
                }
            }
        }
    }

    /// One node, without what runs beside.
    private static func application(_ parts: GatewayParts) throws -> ServiceApplication {
        let line = LiveLine(try LineBuilder(parts).line(parts.configuration))
        return GatewayApplication.application(
            line, LoopRelay(line, logger: parts.logger), console: parts.console)
    }
}

/// A clock that tests set and that otherwise stands still, however long a request takes; it starts at the real time, for assertions
/// are judged by that. In whole seconds, which Postgres keeps as they are.
final class TestClock: Sendable {
    private let time = Mutex(Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down)))
    var now: Date { time.withLock { $0 } }
    func advance(_ seconds: TimeInterval) { time.withLock { $0 += seconds } }
}

/// An answer of the gateway.
struct Reply: Sendable {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    func header(_ name: String) -> String? { values(name).first }

    func values(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map { $0.value }
    }

    func data<T: Codable & Sendable>(_ type: T.Type = T.self) throws -> T {
        try WireJSON.decode(Success<T>.self, from: body).data
    }

    var code: ErrorCode? { (try? WireJSON.decode(Problem.self, from: body))?.code }
    var problem: Problem? { try? WireJSON.decode(from: body) }
}

extension RunningGateway {
    func send(
        _ method: String, _ path: String, node: Int = 0, tenant: TenantID? = nil, token: String? = nil,
        headers: [(name: String, value: String)] = [], json: (any Encodable & Sendable)? = nil
    ) async throws -> Reply {
        var headers = headers
        if let tenant { headers.append(("X-Tenant-ID", "\(tenant)")) }
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        var body = HTTPClientRequestBody.none
        if let json {
            headers.append(("Content-Type", "application/json"))
            body = .bytes(try WireJSON.encode(json))
        }
        let (response, bytes) = try await client.execute(
            HTTPClientRequest(
                method: method, url: urls[node] + path, headers: headers, body: body, deadline: .seconds(120)),
            collectingUpTo: 1 << 20)
        return Reply(status: response.status, headers: response.headers, body: bytes)
    }

    func logIn(_ email: String, _ password: String, _ tenant: TenantID, node: Int = 0) async throws -> Reply {
        try await send(
            "POST", "/api/v1/auth/login", node: node, tenant: tenant,
            json: LoginRequest(email: email, password: password))
    }

    /// What is on its way to a tenant's audit log, in order.
    func auditNotes(_ tenant: TenantID) async throws -> [AuditNote] {
        try await database.withConnection { connection in
            try await connection.query(
                "SELECT note FROM gateway.audit_outbox WHERE tenant_id = \(tenant) ORDER BY number"
            ).map { try $0.decode("note", as: PostgresJSON<AuditNote>.self).value }
        }
    }

    func refresh(_ token: String, node: Int = 0) async throws -> Reply {
        try await send("POST", "/api/v1/auth/refresh", node: node, json: RefreshRequest(refreshToken: token))
    }

    /// Asks `/auth/me` until it answers `status`.
    func waitForAnswer(_ status: Int, token: String, node: Int) async throws {
        try await waitUntil("node \(node) answers \(status)") {
            try await send("GET", "/api/v1/auth/me", node: node, token: token).status == status
        }
    }
}

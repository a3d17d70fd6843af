import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import TestSupport

@testable import MLTraining

/// ml-training's router, workers and scheduler over a real database, with tenant-admin on a live socket.
struct TrainingService {
    let client: any TestClientProtocol
    let identity: TestIdentity
    let tenant: TenantID
    let fixture: TrainingDatabase
    let admin: FakeTenantAdmin
    /// Its notes are delivered when a test says so.
    let audit: AuditOutbox
    let declared: [DeclaredRoute]

    struct Answered {
        let status: HTTPResponse.Status
        let headers: HTTPFields
        let body: JSONValue
        let bytes: [UInt8]
        /// `data` of the body.
        var data: JSONValue? { body["data"] }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, tenant: TenantID? = nil,
        actions: [String] = ["*"], headers: HTTPFields = [:], from issuer: ServiceName = .gateway
    ) async throws -> Answered {
        let caller =
            issuer == .gateway
            ? Caller(
                issuer: .gateway, tenant: tenant ?? self.tenant, subject: "user",
                permissions: [Permission(resource: "ml", actions: actions)]) : nil
        var headers = headers
        headers[.authorization] =
            "Bearer \(try identity.signer(issuer).assertion(for: .mlTraining, caller: caller))"
        if body != nil { headers[.contentType] = "application/json" }
        return try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
        ) { response in
            let bytes = Array(response.body.readableBytesView)
            return Answered(
                status: response.status, headers: response.headers,
                body: (try? WireJSON.decode(from: bytes)) ?? .null, bytes: bytes)
        }
    }

    /// - Parameters:
    ///   - working: run the workers and the scheduler too.
    ///   - migrated: whether the schema has its tables.
    ///   - trainingHours: of every tenant's plan; nil: tenant-admin does not say.
    static func with(
        history: SyntheticHistory = SyntheticHistory(allocations: 90), working: Bool = false, migrated: Bool = true,
        trainingHours: Int? = 10, logger: Logger = PostgresCluster.quietLogger,
        _ body: @Sendable (TrainingService) async throws -> Void
    ) async throws {
        try await TrainingDatabase.with(migrated: migrated) { fixture in
            let identity = TestIdentity()
            let admin = FakeTenantAdmin(history: history, keys: identity.keys, trainingHours: trainingHours)
            try await admin.serve { url in
                let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
                let bootstrap = try bootstrap(
                    identity, database: fixture.databases.mlTraining, tenantAdmin: url, http, logger)
                let training = try TrainingApplication(bootstrap)
                let application = try training.build()
                let work = Task {
                    guard working else { return }
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        let services = application.services.map { ($0 as? DelayedService)?.service ?? $0 }
                        for service in services where service is TrainingWorkers || service is TrainingScheduler {
                            group.addTask { try await service.run() }
                        }
                        try await group.waitForAll()
                    }
                }
                try await application.testable().test(.router) { client in
                    try await body(
                        TrainingService(
                            client: client, identity: identity, tenant: TenantID(), fixture: fixture, admin: admin,
                            audit: AuditOutbox(
                                database: training.database, client: bootstrap.client(for: .tenantAdmin),
                                logger: logger, lease: .zero),
                            declared: application.declared))
                }
                work.cancel()
                _ = await work.result
                await training.database.pool.close()
                await http.shutdown()
            }
        }
    }

    /// Put together and connected to nothing, to see what it declares.
    static func withUnconnected(_ body: (ServiceApplication) async throws -> Void) async throws {
        let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
        let training = try TrainingApplication(
            try bootstrap(
                TestIdentity(), database: "postgres://nobody@127.0.0.1:1/nothing", tenantAdmin: "http://127.0.0.1:1",
                http, PostgresCluster.quietLogger))
        try await body(try training.build())
        await training.database.pool.close()
        await http.shutdown()
    }

    private static func bootstrap(
        _ identity: TestIdentity, database: String, tenantAdmin url: String, _ http: HTTPClient, _ logger: Logger
    ) throws -> ServiceBootstrap {
        try ServiceBootstrap(
            name: .mlTraining,
            settings: ServiceSettings(
                keys: ConfigurationKey.common(for: .mlTraining) + TrainingSettings.keys,
                arguments: [
                    "--tenant-admin-url", url, "--database-url", database, "--identity-key-file",
                    "unused", "--identity-jwks-file", "unused", "--training-workers", "1", "--training-poll", "50ms",
                    // However busy the machine is, no worker loses its job.
                    "--training-lease", "60s", "--training-schedules", "50ms", "--migrations-directory",
                    ServiceDatabases.repository.appendingPathComponent("migrations").path,
                ]),
            logger: logger, metrics: MetricsRegistry(),
            identity: (identity.signer(.mlTraining), AssertionVerifier(audience: .mlTraining, keys: identity.keys)),
            httpClient: http)
    }
}

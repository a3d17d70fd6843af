import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// ml-prediction's router over a real database, with what it asks on live sockets.
struct PredictionsOverHTTP {
    let client: any TestClientProtocol
    let upstream: FakeUpstream
    let gateway: AssertionSigner
    let tenant: TenantID
    let usage: UsageCounter
    let admission: Admission
    let onLoop: LoopInference?
    let database: ServiceDatabase
    /// As the service asks tenant-admin.
    let tenantAdmin: ServiceClient

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, tenant: TenantID? = nil,
        permissions: [Permission] = [Permission(resource: "ml", actions: ["predict", "read", "feedback"])],
        headers: HTTPFields = [:]
    ) async throws -> (status: HTTPResponse.Status, body: JSONValue, headers: HTTPFields) {
        let caller = Caller(
            issuer: .gateway, tenant: tenant ?? self.tenant, subject: "user", permissions: permissions)
        var headers = headers
        headers[.authorization] = "Bearer \(try gateway.assertion(for: .mlPrediction, caller: caller))"
        headers[.contentType] = "application/json"
        return try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
        ) { response in
            let bytes = Array(response.body.readableBytesView)
            return (response.status, bytes.isEmpty ? .null : try WireJSON.decode(from: bytes), response.headers)
        }
    }

    /// The lines of an answer to lines.
    func lines(_ path: String, _ body: String, key: String?) async throws -> [JSONValue] {
        var headers = try lineHeaders
        if let key { headers[.idempotencyKey] = key }
        return try await client.execute(
            uri: path, method: .post, headers: headers, body: ByteBuffer(string: body)
        ) { response in
            try Array(response.body.readableBytesView).split(separator: UInt8(ascii: "\n")).map {
                try WireJSON.decode(from: Array($0))
            }
        }
    }

    /// Of a request that sends lines.
    var lineHeaders: HTTPFields {
        get throws {
            let caller = Caller(
                issuer: .gateway, tenant: tenant, subject: "user",
                permissions: [Permission(resource: "ml", actions: ["predict"])])
            return [
                .authorization: "Bearer \(try gateway.assertion(for: .mlPrediction, caller: caller))",
                .contentType: "application/x-ndjson",
            ]
        }
    }

    static func with(
        deployed: Bool = true, lines: [HistoryLine] = TrainedModel.history.lines, over setup: TestingSetup = .router,
        _ body: @Sendable (PredictionsOverHTTP) async throws -> Void
    ) async throws {
        try await PredictionDatabase.with { fixture in
            let pairs = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, ServiceKeyPair()) })
            let keys = JSONWebKeySet(keys: pairs.map { $1.publicJWK(issuer: $0) })
            let upstream = FakeUpstream(keys: keys)
            let tenant = TenantID()
            let bytes = try await TrainedModel.artifact.value
            upstream.state.withLock {
                $0.lines[tenant] = lines
                let model = DeployedModel(
                    modelId: ModelID(), version: 3, kind: "test", artifactSha256: HeldModels.digest(of: bytes),
                    deployedAt: Date())
                if deployed { $0.deployments[tenant] = model }
                $0.artifacts[model.modelId] = bytes
            }
            try await upstream.serve { url in
                let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
                let bootstrap = try bootstrap(pairs, keys, database: fixture.url, upstream: url, http)
                let application = try PredictionApplication(bootstrap)
                let gateway = AssertionSigner(issuer: .gateway, keyPair: pairs[.gateway] ?? ServiceKeyPair())
                let built = try application.build()
                for check in built.readiness where check.name != "database" {
                    let reason = await check.check()
                    #expect(reason == nil, "\(check.name)")
                }
                try await built.testable().test(setup) { client in
                    try await body(
                        PredictionsOverHTTP(
                            client: client, upstream: upstream, gateway: gateway, tenant: tenant,
                            usage: application.usage, admission: application.admission,
                            onLoop: built.onLoop as? LoopInference,
                            database: fixture.database,
                            tenantAdmin: bootstrap.client(for: .tenantAdmin)))
                }
                await application.database.pool.close()
                await http.shutdown()
            }
        }
    }

    /// Put together and connected to nothing, to see what it declares.
    static func withUnconnected(_ body: (ServiceApplication) async throws -> Void) async throws {
        let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
        let application = try PredictionApplication(
            try bootstrap(
                [:], JSONWebKeySet(keys: []), database: "postgres://nobody@127.0.0.1:1/nothing",
                upstream: "http://127.0.0.1:1", http))
        try await body(try application.build())
        await application.database.pool.close()
        await http.shutdown()
    }

    private static func bootstrap(
        _ pairs: [ServiceName: ServiceKeyPair], _ keys: JSONWebKeySet, database: String, upstream url: String,
        _ http: HTTPClient
    ) throws -> ServiceBootstrap {
        try ServiceBootstrap(
            name: .mlPrediction,
            settings: ServiceSettings(
                keys: ConfigurationKey.common(for: .mlPrediction) + PredictionSettings.keys,
                arguments: [
                    "--tenant-admin-url", url, "--ml-training-url", url, "--database-url", database,
                    "--identity-key-file", "unused", "--identity-jwks-file", "unused", "--migrations-directory",
                    ServiceDatabases.repository.appendingPathComponent("migrations").path,
                    // However busy the machine is, neither the tests' registry nor their tenant-admin is away.
                    "--models-patience", "10m", "--mirror-patience", "10m", "--mirror-limit", "10m",
                    // A test that has changed the history sees the change in the next answer.
                    "--mirror-fresh", "0s",
                ]),
            logger: PostgresCluster.quietLogger, metrics: MetricsRegistry(),
            identity: (
                AssertionSigner(issuer: .mlPrediction, keyPair: pairs[.mlPrediction] ?? ServiceKeyPair()),
                AssertionVerifier(audience: .mlPrediction, keys: keys)
            ), httpClient: http)
    }
}

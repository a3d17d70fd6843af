import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceIdentity
import Synchronization
import TestSupport

/// tenant-admin and ml-training as ml-prediction sees them, on a live socket: the history feed as NDJSON, the deployment,
/// the artefact. Refuses whoever is not ml-prediction.
final class FakeUpstream: Sendable {
    struct State {
        var lines: [TenantID: [HistoryLine]] = [:]
        var deployments: [TenantID: DeployedModel] = [:]
        var artifacts: [ModelID: [UInt8]] = [:]
        var cutsFeed = false
        var erasures: [Erasure] = []
        /// Tenants that are purged, and what was said of each.
        var purges: [TenantID] = []
        var removals: [PurgeConfirmation] = []
    }

    let state = Mutex(State())
    private let verifiers: [AssertionVerifier]

    init(keys: JSONWebKeySet) {
        verifiers = [ServiceName.tenantAdmin, .mlTraining].map { AssertionVerifier(audience: $0, keys: keys) }
    }

    /// Runs the server while `body` does.
    func serve<R: Sendable>(_ body: (_ url: String) async throws -> R) async throws -> R {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: PostgresCluster.quietLogger)
        let server = Task { try await application.run() }
        defer { server.cancel() }
        for await number in ports { return try await body("http://127.0.0.1:\(number)") }
        throw CancellationError()
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("internal/v1/tenants/:id/history") { request, context in
            try self.check(request)
            let tenant = try self.tenant(context)
            let (known, cuts) = self.state.withLock { ($0.lines[tenant], $0.cutsFeed) }
            guard let lines = known else {
                let problem = Problem(
                    status: 403, title: "Forbidden", code: .tenantUnavailable, error: "The tenant is not active.",
                    requestId: "r")
                return try self.json(problem, .forbidden)
            }
            var body = try SyntheticHistory.ndjson(lines, watermark: "\(lines.count)")
            if cuts { body.removeLast(60) }
            return Response(
                status: .ok, headers: [.contentType: "application/x-ndjson"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        }
        router.get("internal/v1/tenants/:id/deployment") { request, context in
            try self.check(request)
            let tenant = try self.tenant(context)
            let asOf = request.uri.queryParameters["asOf"].flatMap { WireJSON.date(String($0)) } ?? .distantFuture
            let known = self.state.withLock { $0.deployments[tenant] }
            guard let deployment = known, deployment.deployedAt <= asOf else {
                let problem = Problem(
                    status: 404, title: "Not Found", code: .noDeployedModel, error: "Deployed model not found.",
                    requestId: "r")
                return try self.json(problem, .notFound)
            }
            return try self.json(Success(deployment), .ok)
        }
        router.get("internal/v1/erasures") { request, _ in
            try self.check(request)
            return try self.json(Success(self.state.withLock { $0.erasures }), .ok)
        }
        router.post("internal/v1/erasures") { request, _ in
            try self.check(request)
            let bytes = Array(try await request.body.collect(upTo: 10_000).readableBytesView)
            let done: Erasure = try WireJSON.decode(from: bytes)
            self.state.withLock { $0.erasures.removeAll { $0 == done } }
            return try self.json(Success(done), .ok)
        }
        router.get("internal/v1/purges") { request, _ in
            try self.check(request)
            return try self.json(Success(self.state.withLock { $0.purges }), .ok)
        }
        router.post("internal/v1/purges") { request, _ in
            try self.check(request)
            let bytes = Array(try await request.body.collect(upTo: 10_000).readableBytesView)
            let removal: PurgeConfirmation = try WireJSON.decode(from: bytes)
            self.state.withLock { $0.removals.append(removal) }
            return try self.json(Success(removal), .ok)
        }
        router.get("internal/v1/tenants/:id/models") { request, context in
            try self.check(request)
            let tenant = try self.tenant(context)
            let models = self.state.withLock { state in
                (state.deployments[tenant].map { [$0] } ?? []).map {
                    ServableModel(
                        modelId: $0.modelId, name: "resource_allocation", version: $0.version, kind: $0.kind,
                        artifactSha256: $0.artifactSha256, isDeployed: true)
                }
            }
            return try self.json(Success(models), .ok)
        }
        router.get("internal/v1/tenants/:id/models/:model/artifact") { request, context in
            try self.check(request)
            let model = try ModelID(context.parameters.require("model")) ?? ModelID()
            let bytes = self.state.withLock { $0.artifacts[model] ?? [] }
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        return router
    }

    private func tenant(_ context: BasicRequestContext) throws -> TenantID {
        guard let tenant = TenantID(try context.parameters.require("id")) else { throw HTTPError(.badRequest) }
        return tenant
    }

    private func check(_ request: Request) throws {
        let token = String((request.headers[.authorization] ?? "").dropFirst("Bearer ".count))
        guard verifiers.contains(where: { (try? $0.verify(token, accepting: [.mlPrediction])) != nil }) else {
            throw HTTPError(.unauthorized)
        }
    }

    private func json(_ body: some Encodable, _ status: HTTPResponse.Status) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(body))))
    }
}

import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceIdentity
import TestSupport

/// tenant-admin as ml-training sees it, on a live socket: the history feed as NDJSON, for ml-training only.
struct FakeTenantAdmin {
    let history: SyntheticHistory
    let keys: JSONWebKeySet
    /// `ml_training_hours` of every tenant; nil: the question fails.
    var trainingHours: Int? = 10

    /// Runs the server while `body` does.
    func serve<R>(_ body: (_ url: String) async throws -> R) async throws -> R {
        let verifier = AssertionVerifier(audience: .tenantAdmin, keys: keys)
        let feed = try SyntheticHistory.ndjson(history.lines, watermark: "1")
        let router = Router()
        router.get("internal/v1/tenants/:id/history") { request, _ in
            let token = String((request.headers[.authorization] ?? "").dropFirst("Bearer ".count))
            guard (try? verifier.verify(token, accepting: [.mlTraining])) != nil else { throw HTTPError(.unauthorized) }
            return Response(
                status: .ok, headers: [.contentType: "application/x-ndjson"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: feed)))
        }
        let hours = trainingHours
        router.get("internal/v1/tenants/:id/limits") { request, _ in
            let token = String((request.headers[.authorization] ?? "").dropFirst("Bearer ".count))
            guard (try? verifier.verify(token, accepting: [.mlTraining])) != nil else { throw HTTPError(.unauthorized) }
            guard let hours else { throw HTTPError(.internalServerError) }
            let limits = TenantLimits(maxUsers: 1, maxProjects: 1, maxStorageGb: 1, mlTrainingHours: hours)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(Success(limits)))))
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: PostgresCluster.quietLogger)
        let server = Task { try await application.run() }
        defer { server.cancel() }
        for await number in ports { return try await body("http://127.0.0.1:\(number)") }
        throw CancellationError()
    }
}

/// Key pairs of all services.
struct TestIdentity {
    let pairs = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, ServiceKeyPair()) })

    var keys: JSONWebKeySet { JSONWebKeySet(keys: pairs.map { $1.publicJWK(issuer: $0) }) }

    func signer(_ service: ServiceName) -> AssertionSigner {
        AssertionSigner(issuer: service, keyPair: pairs[service] ?? ServiceKeyPair())
    }
}

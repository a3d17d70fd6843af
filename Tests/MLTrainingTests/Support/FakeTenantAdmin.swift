import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceIdentity
import Synchronization
import TestSupport

/// tenant-admin as ml-training sees it, on a live socket: the history feed as NDJSON, for ml-training only.
///
/// A watermark is the number of lines there were when it was given.
struct FakeTenantAdmin: Sendable {
    let keys: JSONWebKeySet
    /// `ml_training_hours` of every tenant; nil: the question fails.
    let trainingHours: Int?
    private let feed: Feed

    /// The audit notes that have come, in their order.
    var notes: [AuditNote] { feed.notes.withLock { $0 } }

    /// Whether audit notes are taken.
    func setTakesNotes(_ takes: Bool) { feed.takesNotes.withLock { $0 = takes } }

    /// Whose audit notes are not taken.
    func refuseNotes(of tenants: Set<TenantID>) { feed.refused.withLock { $0 = tenants } }

    /// Which audit notes, by their entity, are refused for what they say.
    func refuseNotes(about entities: Set<String>) { feed.unfit.withLock { $0 = entities } }

    /// Whose audit notes are not answered before that is over.
    func holdNotes(of tenants: Set<TenantID>) { feed.held.withLock { $0 = tenants } }

    private final class Feed: Sendable {
        let lines: Mutex<[HistoryLine]>
        let notes = Mutex<[AuditNote]>([])
        let takesNotes = Mutex(true)
        let refused = Mutex<Set<TenantID>>([])
        let unfit = Mutex<Set<String>>([])
        let held = Mutex<Set<TenantID>>([])
        init(_ lines: [HistoryLine]) { self.lines = Mutex(lines) }
    }

    init(history: SyntheticHistory, keys: JSONWebKeySet, trainingHours: Int? = 10) {
        self.keys = keys
        self.trainingHours = trainingHours
        feed = Feed(history.lines)
    }

    /// What happens from now on.
    func add(_ lines: [HistoryLine]) { feed.lines.withLock { $0 += lines } }

    /// Runs the server while `body` does.
    func serve<R>(_ body: (_ url: String) async throws -> R) async throws -> R {
        let verifier = AssertionVerifier(audience: .tenantAdmin, keys: keys)
        let router = Router()
        let feed = feed
        router.get("internal/v1/tenants/:id/history") { request, _ in
            let token = String((request.headers[.authorization] ?? "").dropFirst("Bearer ".count))
            guard (try? verifier.verify(token, accepting: [.mlTraining])) != nil else { throw HTTPError(.unauthorized) }
            let since = request.uri.queryParameters["since"].map { Int($0) ?? -1 } ?? 0
            let lines = feed.lines.withLock { $0 }
            guard lines.indices.contains(since) || since == lines.count else { throw HTTPError(.unprocessableContent) }
            let answer = try SyntheticHistory.ndjson(Array(lines[since...]), watermark: "\(lines.count)")
            return Response(
                status: .ok, headers: [.contentType: "application/x-ndjson"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer)))
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
        router.post("internal/v1/tenants/:id/audit-logs") { request, _ in
            let token = String((request.headers[.authorization] ?? "").dropFirst("Bearer ".count))
            guard (try? verifier.verify(token, accepting: [.mlTraining])) != nil else { throw HTTPError(.unauthorized) }
            let bytes = Array(try await request.body.collect(upTo: 65_536).readableBytesView)
            let note = try WireJSON.decode(AuditNote.self, from: bytes)
            let path = request.uri.path
            try await waitUntil("the notes are taken") {
                !feed.held.withLock { $0.contains { path.contains($0.description) } }
            }
            let isRefused = feed.refused.withLock { $0.contains { path.contains($0.description) } }
            guard !isRefused, feed.takesNotes.withLock({ $0 }) else { throw HTTPError(.serviceUnavailable) }
            if let entity = note.entityId, feed.unfit.withLock({ $0.contains(entity) }) {
                let problem = Problem(
                    status: 422, title: "Unprocessable Content", code: .validationFailed, error: "It is not valid.",
                    requestId: "r")
                return Response(
                    status: .unprocessableContent, headers: [.contentType: Problem.mediaType],
                    body: ResponseBody(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(problem))))
            }
            feed.notes.withLock { $0.append(note) }
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(Success(note)))))
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

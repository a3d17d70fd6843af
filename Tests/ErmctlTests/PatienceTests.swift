import Contracts
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Ermctl

@Suite("ermctl waits out a platform that is not there for a moment")
struct PatienceTests {
    /// What the server below gives for each request in turn, the last again and again.
    private static let item = #"{"success":true,"data":{"n":1}}"#
    struct Item: Codable, Sendable { let n: Int }

    /// A clock that only sleeping moves.
    private final class Sleeper: Sendable {
        let start = ContinuousClock.now
        let pauses = Mutex<[Duration]>([])
        func now() -> ContinuousClock.Instant { start + pauses.withLock { $0.reduce(.zero, +) } }

        func patience(_ limit: Duration, during: @escaping @Sendable () async throws -> Void = {}) -> Patience {
            Patience(
                limit: limit, now: { self.now() },
                sleep: { pause in
                    self.pauses.withLock { $0.append(pause) }
                    try await during()
                })
        }
    }

    private final class Server: Sendable {
        let statuses: Mutex<[HTTPResponse.Status]>
        let keys = Mutex<[String?]>([])
        init(_ statuses: [HTTPResponse.Status]) { self.statuses = Mutex(statuses) }

        func serve(port: Int = 0, _ body: (_ url: String) async throws -> Void) async throws {
            let router = Router()
            for method in [HTTPRequest.Method.get, .post] {
                router.on("item", method: method) { request, _ in self.answer(request) }
            }
            let (ports, port) = (AsyncStream.makeStream(of: Int.self), port)
            let application = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
                onServerRunning: { ports.continuation.yield($0.localAddress?.port ?? 0) },
                logger: PostgresCluster.quietLogger)
            let server = Task { try await application.run() }
            defer { server.cancel() }
            for await number in ports.stream { return try await body("http://127.0.0.1:\(number)") }
        }

        private func answer(_ request: Request) -> Response {
            keys.withLock { $0.append(request.headers[HTTPField.Name(HeaderName.idempotencyKey)!]) }
            let status = statuses.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            guard status == .ok else { return Response(status: status, headers: [.retryAfter: "5"]) }
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: PatienceTests.item)))
        }
    }

    private func client(_ url: String, _ patience: Patience) -> PlatformClient {
        PlatformClient(url: url, credential: .key("k"), patience: patience)
    }

    @Test("a 503 is asked again when the server says, with the same idempotency key, until it is answered")
    func unavailable() async throws {
        let (server, sleeper) = (Server([.serviceUnavailable, .serviceUnavailable, .ok]), Sleeper())
        try await server.serve { url in
            let item: Item = try await withClient(client(url, sleeper.patience(.seconds(60)))) {
                try await $0.post("/item", Item(n: 0))
            }
            #expect(item.n == 1)
        }
        #expect(sleeper.pauses.withLock { $0 } == [.seconds(5), .seconds(5)])
        #expect(server.keys.withLock { $0.count == 3 && Set($0).count == 1 && $0[0] != nil })
    }

    @Test("patience has an end")
    func impatient() async throws {
        let (server, sleeper) = (Server([.serviceUnavailable]), Sleeper())
        try await server.serve { url in
            await #expect(throws: CommandFailure.self) {
                try await withClient(client(url, sleeper.patience(.seconds(12)))) {
                    try await $0.get("/item", Item.self)
                }
            }
        }
        #expect(sleeper.pauses.withLock { $0 } == [.seconds(5), .seconds(5)])
    }

    @Test("a request that may have been carried out is not repeated, nor is one that was refused for good")
    func final() async throws {
        for (status, isPost) in [(HTTPResponse.Status.gatewayTimeout, true), (.conflict, true), (.notFound, false)] {
            let (server, sleeper) = (Server([status, .ok]), Sleeper())
            try await server.serve { url in
                await #expect(throws: CommandFailure.self) {
                    try await withClient(client(url, sleeper.patience(.seconds(60)))) {
                        isPost ? try await $0.post("/item", Item(n: 0), Item.self) : try await $0.get("/item")
                    }
                }
            }
            #expect(sleeper.pauses.withLock { $0.isEmpty }, "\(status)")
        }
    }

    @Test("a platform that refuses connections while it is started again is waited for")
    func restarted() async throws {
        let (port, sleeper, server) = (try FreePort.take(), Sleeper(), Server([.ok]))
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let (running, isRunning) = AsyncStream.makeStream(of: Void.self)
        let patience = sleeper.patience(.seconds(60)) {
            ask.yield()
            for await _ in running { break }
        }
        let item = Task {
            try await withClient(client("http://127.0.0.1:\(port)", patience)) { try await $0.get("/item", Item.self) }
        }
        for await _ in asked { break }
        try await server.serve(port: port) { _ in
            isRunning.yield()
            let found = try await item.value
            #expect(found.n == 1)
        }
    }
}

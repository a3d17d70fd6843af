import HTTPClient
import Hummingbird
import Logging
import NIOCore
import Testing

/// Lends a client and shuts it down afterwards.
func withClient<Answer>(
    _ configure: (inout HTTPClientConfiguration) -> Void = { _ in }, _ body: (HTTPClient) async throws -> Answer
) async throws -> Answer {
    var configuration = HTTPClientConfiguration()
    configuration.backoff = HTTPClientBackoff(base: .milliseconds(1), maximum: .milliseconds(5))
    // However busy the machine is.
    configuration.connectTimeout = .seconds(60)
    configure(&configuration)
    let client = HTTPClient(configuration: configuration, logger: Logger(label: "test"))
    do {
        let answer = try await body(client)
        await client.shutdown()
        return answer
    } catch {
        await client.shutdown()
        throw error
    }
}

/// Runs a Hummingbird server on a free port for the length of `body`, which gets its base URL.
func withServer<Answer: Sendable>(
    _ router: Router<BasicRequestContext>, _ body: @escaping @Sendable (String) async throws -> Answer
) async throws -> Answer {
    let port = Signal<Int>()
    var logger = Logger(label: "server")
    logger.logLevel = .critical
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { channel in port.send(channel.localAddress?.port ?? 0) }, logger: logger)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        let answer = try await body("http://127.0.0.1:\(try #require(await port.next()))")
        group.cancelAll()
        return answer
    }
}

/// The error with which `body` fails; anything else is recorded as an issue.
func httpError<Answer>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Answer
) async -> HTTPClientError? {
    do {
        _ = try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as HTTPClientError {
        return error
    } catch {
        Issue.record("\(error) is no HTTPClientError", sourceLocation: sourceLocation)
    }
    return nil
}

/// A request body made of given chunks, which reports how many were pulled.
struct Chunks: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let count: Int
    let chunk: [UInt8]
    let pulled = Counter()
    var failure: (any Error)?

    init(_ count: Int, of chunk: [UInt8], failure: (any Error)? = nil) {
        self.count = count
        self.chunk = chunk
        self.failure = failure
    }

    func makeAsyncIterator() -> Iterator { Iterator(chunks: self) }

    struct Iterator: AsyncIteratorProtocol {
        let chunks: Chunks
        mutating func next() async throws -> [UInt8]? {
            if chunks.pulled.value == chunks.count {
                if let failure = chunks.failure { throw failure }
                return nil
            }
            chunks.pulled.add()
            return chunks.chunk
        }
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

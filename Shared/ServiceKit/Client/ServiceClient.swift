public import Contracts
public import HTTPClient
public import ServiceIdentity
import Synchronization

/// Sends requests to another service, as this service or on a caller's behalf.
///
/// With several addresses requests go to one after the other, and one that cannot be reached is passed over. Trouble
/// comes back as ``ProblemError``: what the other service answered keeps its status and code, no connection is 503, no
/// answer in time 504, an answer that cannot be understood 502.
public struct ServiceClient: Sendable {
    public let service: ServiceName
    let baseURLs: [String]
    let httpClient: HTTPClient
    let signer: AssertionSigner
    let next = NextAddress()
    /// For everything from the first attempt to the last byte.
    public var deadline: Duration
    /// Further attempts of a GET, all addresses together counted once.
    public var retries = 2
    /// Largest answer that is collected.
    public var maximumResponseBytes = 16_777_216

    public init(
        to service: ServiceName, baseURLs: [String], httpClient: HTTPClient, signer: AssertionSigner,
        deadline: Duration = .seconds(10)
    ) {
        precondition(!baseURLs.isEmpty, "a service client needs an address")
        self.service = service
        self.baseURLs = baseURLs
        self.httpClient = httpClient
        self.signer = signer
        self.deadline = deadline
    }

    /// The `data` of a GET's answer.
    ///
    /// - Parameters:
    ///   - path: from the root, percent-encoded, with its query.
    ///   - caller: on whose behalf; nil for this service itself.
    ///   - trace: the request's or job's.
    public func get<T: Decodable>(
        _ path: String, as type: T.Type = T.self, caller: Caller? = nil, trace: TraceContext
    ) async throws -> T {
        try decode(try await collect("GET", path, .none, caller, trace, []))
    }

    /// The `data` of a POST's answer. It is sent once, or again only when it certainly was not carried out.
    public func post<Body: Encodable, T: Decodable>(
        _ path: String, _ body: Body, as type: T.Type = T.self, caller: Caller? = nil, trace: TraceContext,
        headers: [(name: String, value: String)] = []
    ) async throws -> T {
        try decode(try await collect("POST", path, .bytes(try WireJSON.encode(body)), caller, trace, headers))
    }

    /// The raw bytes of a GET's answer, such as a model's artifact.
    public func bytes(
        _ path: String, upTo limit: Int, caller: Caller? = nil, trace: TraceContext
    ) async throws -> [UInt8] {
        var client = self
        client.maximumResponseBytes = limit
        return try await client.collect("GET", path, .none, caller, trace, [])
    }

    /// The lines of an NDJSON answer, each decoded as it arrives; the sender waits for the reader.
    public func stream<T: WireLine>(
        _ path: String, of type: T.Type = T.self, caller: Caller? = nil, trace: TraceContext,
        deadline: Duration = .seconds(600), idleTimeout: Duration = .seconds(30)
    ) async throws -> NDJSONSequence<T> {
        let response = try await send(
            "GET", path, .none, caller, trace, [], deadline: deadline, idleTimeout: idleTimeout
        ) {
            request in try await httpClient.execute(request)
        }
        guard (200..<300).contains(response.status) else {
            throw problem(response.status, (try? await response.collect(upTo: 65_536)) ?? [])
        }
        return NDJSONSequence(body: response.body)
    }

    private struct Envelope<T: Decodable>: Decodable { let data: T }

    private func decode<T: Decodable>(_ bytes: [UInt8]) throws -> T {
        do {
            return try WireJSON.decode(Envelope<T>.self, from: bytes).data
        } catch {
            throw badAnswer(error)
        }
    }

    private func collect(
        _ method: String, _ path: String, _ body: HTTPClientRequestBody, _ caller: Caller?, _ trace: TraceContext,
        _ headers: [(name: String, value: String)]
    ) async throws -> [UInt8] {
        let (response, bytes) = try await send(
            method, path, body, caller, trace, headers, deadline: deadline, idleTimeout: nil
        ) { request in try await httpClient.execute(request, collectingUpTo: maximumResponseBytes) }
        guard (200..<300).contains(response.status) else { throw problem(response.status, bytes) }
        return bytes
    }
}

/// Which address comes next.
final class NextAddress: Sendable {
    private let count = Atomic<UInt>(0)
    func take() -> UInt { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}

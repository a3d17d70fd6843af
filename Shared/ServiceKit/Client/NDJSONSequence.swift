public import Contracts
public import HTTPClient
import HTTPTypes

/// The values of an NDJSON body, one per line, decoded as they arrive.
public struct NDJSONSequence<Element: WireLine>: AsyncSequence, Sendable {
    public typealias Failure = any Error

    /// A line longer than this is refused: it would have to be kept in memory.
    static var maximumLineBytes: Int { 4_194_304 }

    let body: HTTPClientResponseBody

    public init(body: HTTPClientResponseBody) { self.body = body }

    public func makeAsyncIterator() -> Iterator { Iterator(chunks: body.makeAsyncIterator()) }

    public struct Iterator: AsyncIteratorProtocol {
        private var chunks: HTTPClientResponseBody.AsyncIterator
        private var buffer: [UInt8] = []
        private var start = 0
        private var isComplete = false

        init(chunks: HTTPClientResponseBody.AsyncIterator) { self.chunks = chunks }

        /// - Throws: ``ProblemError`` 502 for a line that is not the value expected, 503 or 504 when the stream breaks off.
        public mutating func next() async throws -> Element? {
            while true {
                if let line = try takeLine() {
                    if line.isEmpty { continue }
                    do {
                        return try Element(parsing: line)
                    } catch {
                        throw ProblemError(
                            status: .badGateway, code: .upstreamFailed,
                            "A service behind this one gave no usable answer.",
                            cause: error)
                    }
                }
                if isComplete { return nil }
                buffer.removeFirst(start)
                start = 0
                do {
                    if let chunk = try await chunks.next() { buffer += chunk } else { isComplete = true }
                } catch let error as HTTPClientError where error.code == .cancelled {
                    throw CancellationError()
                } catch {
                    throw ProblemError(mapping: error)
                }
            }
        }

        private mutating func takeLine() throws -> ArraySlice<UInt8>? {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            if buffer.count - start > maximumLineBytes {
                throw ProblemError(
                    status: .badGateway, code: .upstreamFailed, "A service behind this one gave no usable answer.")
            }
            guard isComplete, start < buffer.count else { return nil }
            defer { start = buffer.count }
            return buffer[start...]
        }
    }
}

/// A response whose headers are complete and whose body is still arriving.
public struct HTTPClientResponse: Sendable {
    /// 200…599; interim (1xx) responses are never shown.
    public let status: Int
    /// The protocol's version as in the status line: `1.0`, `1.1`, `2`.
    public let version: String
    /// Header fields as they came, in order.
    public let headers: [(name: String, value: String)]
    /// The body. Dropping it unread, or reading it only in part, removes the transfer.
    public let body: HTTPClientResponseBody

    init(_ head: ResponseHead, transfer: Transfer) {
        status = head.status
        version = head.version
        headers = head.headers
        body = HTTPClientResponseBody(transfer: transfer)
    }

    /// The first header field of that name, whatever its case.
    public subscript(name: String) -> String? {
        headers.first { $0.name.caseInsensitivelyEquals(name) }?.value
    }

    /// Every header field of that name, whatever its case.
    public func values(of name: String) -> [String] {
        headers.filter { $0.name.caseInsensitivelyEquals(name) }.map(\.value)
    }

    /// Reads the whole body.
    ///
    /// - Throws: ``HTTPClientError`` with `responseTooLarge` if it has more than `limit` bytes; the transfer is removed.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in body {
            guard bytes.count + chunk.count <= limit else {
                body.cancel()
                throw HTTPClientError(
                    .responseTooLarge, "The response has more than \(limit) bytes.", requestMayHaveBeenProcessed: true)
            }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        }
        return bytes
    }
}

/// The bytes of a response, back-pressured: the peer is held back while the reader is slower than it.
///
/// One reader at a time; a second iterator goes on where the first left off. The task's cancellation ends the transfer.
public struct HTTPClientResponseBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = any Error

    private let lease: TransferLease

    init(transfer: Transfer) { lease = TransferLease(transfer: transfer) }

    public func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

    /// Ends the transfer now; a later read throws `cancelled`.
    public func cancel() { lease.transfer.cancel(.cancelled) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let lease: TransferLease

        /// The bytes that have arrived since the last call (at least one), or `nil` after the last.
        ///
        /// - Throws: ``HTTPClientError``.
        public mutating func next() async throws -> [UInt8]? { try await lease.transfer.nextChunk() }
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try await lease.transfer.nextChunk()
        }
    }
}

/// Ends the transfer once no reader is left.
private final class TransferLease: Sendable {
    let transfer: Transfer
    init(transfer: Transfer) { self.transfer = transfer }
    deinit { transfer.cancel(.cancelled) }
}

extension String {
    /// ASCII comparison without regard to case, as header names are compared.
    func caseInsensitivelyEquals(_ other: String) -> Bool {
        utf8.count == other.utf8.count && zip(utf8, other.utf8).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

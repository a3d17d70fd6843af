/// A value that has a line of its own in an NDJSON body.
///
/// A feed has millions of lines. A type that makes up most of one writes and reads its usual form by hand (``LineWriter``,
/// ``LineScanner``), several times as fast as the JSON coder, and leaves everything unusual to that.
public protocol WireLine: Codable, Sendable {
    /// - Parameter line: without its newline.
    /// - Throws: `DecodingError`.
    init(parsing line: some Collection<UInt8>) throws

    /// Appends the bytes that `WireJSON` gives, and a newline. Nothing is appended when it throws.
    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    func write(to bytes: inout [UInt8]) throws
}

extension WireLine {
    public init(parsing line: some Collection<UInt8>) throws { self = try WireJSON.decode(from: line) }

    public func write(to bytes: inout [UInt8]) throws {
        bytes += try WireJSON.encode(self)
        bytes.append(UInt8(ascii: "\n"))
    }
}

import Contracts

/// Where a list goes on, as clients get it: the sort keys of the last row shown, opaque to them.
///
/// Keys, not an offset: rows that come or go meanwhile neither repeat nor hide others.
enum RowCursor {
    static func encode(_ position: some Encodable) throws -> String {
        Base64URL.encode(try WireJSON.encode(position))
    }

    /// nil for anything that ``encode(_:)`` of the same list did not give.
    static func decode<Position: Decodable>(_ type: Position.Type = Position.self, from cursor: String) -> Position? {
        guard let bytes = Base64URL.decode(cursor), !bytes.isEmpty else { return nil }
        return try? WireJSON.decode(type, from: bytes)
    }
}

/// Where a list sorted by one text goes on. On the wire an array, as the positions of all lists with sort keys are.
public struct TextPosition: Codable, Sendable, Equatable {
    public let key: String

    public init(_ key: String) { self.key = key }

    /// - Throws: `DecodingError` for a text with U+0000, which no text of the database can be compared with: a cursor is
    ///   the client's word.
    public init(from decoder: any Decoder) throws {
        key = try PositionKeys(from: decoder, count: 1).keys[0]
    }

    public func encode(to encoder: any Encoder) throws { try PositionKeys([key]).encode(to: encoder) }
}

/// The sort keys of a position as texts.
public struct PositionKeys: Encodable {
    public let keys: [String]

    public init(_ keys: [String]) { self.keys = keys }

    /// - Throws: `DecodingError` unless there are `count` keys, none with U+0000.
    public init(from decoder: any Decoder, count: Int) throws {
        keys = try decoder.singleValueContainer().decode([String].self)
        guard keys.count == count, !keys.contains(where: { $0.unicodeScalars.contains("\0") }) else {
            throw Self.mismatch(decoder)
        }
    }

    /// For keys that are not those of the list.
    public static func mismatch(_ decoder: any Decoder) -> DecodingError {
        DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath, debugDescription: "is not a position of this list"))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(keys)
    }
}

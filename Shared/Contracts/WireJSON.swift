public import Foundation

/// The one way JSON is written and read between processes: times in ISO 8601 UTC with milliseconds, keys sorted so that
/// equal values give equal bytes.
public enum WireJSON {
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(timestamp(date))
        }
        return Array(try encoder.encode(value))
    }

    /// Lenient about unknown fields, for answers of our own services; what clients send goes through `StrictJSON`.
    public static func decode<T: Decodable>(_ type: T.Type = T.self, from bytes: some Sequence<UInt8>) throws -> T {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            guard let date = date(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: timestampHint)
            }
            return date
        }
        return try decoder.decode(type, from: Data(bytes))
    }

    static let timestampHint = "must be a time like 2026-01-31T12:00:00.000Z"

    /// `2026-01-31T12:00:00.000Z`, rounded to the millisecond.
    public static func timestamp(_ date: Date) -> String {
        var writer = LineWriter()
        writer.append(date)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A time with an offset (`Z` or `+02:00`), with or without a fraction of a second; nil for anything else.
    public static func date(_ text: String) -> Date? {
        var text = text
        return text.withUTF8(WireTime.date)
    }
}

import Contracts
import Postgres

// What crossed the wire is stored as it crossed it, so that an answer given again is the answer given before.

extension SQL.StringInterpolation {
    /// Binds a value as the JSON that clients see.
    mutating func appendInterpolation(wire value: some Encodable & Sendable) {
        appendInterpolation(WireText(value: value))
    }

    /// The same, NULL for nil.
    mutating func appendInterpolation(wireIfPresent value: (some Encodable & Sendable)?) {
        appendInterpolation(optional: value.map(WireText.init))
    }
}

private struct WireText<Value: Encodable & Sendable>: PostgresEncodable {
    let value: Value
    var postgresText: String? { get throws { String(decoding: try WireJSON.encode(value), as: UTF8.self) } }
}

extension PostgresRow {
    func wire<Value: Decodable>(_ column: String) throws -> Value {
        try WireJSON.decode(from: try decode(column, as: String.self).utf8)
    }

    func wireIfPresent<Value: Decodable>(_ column: String) throws -> Value? {
        try decode(column, as: String?.self).map { try WireJSON.decode(from: $0.utf8) }
    }
}

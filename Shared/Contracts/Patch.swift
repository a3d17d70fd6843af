/// A field of a PATCH body (RFC 7396): left out, set to null, or given a value.
public enum Patch<Value: Codable & Sendable>: Sendable {
    case unchanged
    case null
    case value(Value)

    /// The new value of a field that may not be null; nil when it stays.
    public var newValue: Value? { if case .value(let value) = self { value } else { nil } }

    public var isUnchanged: Bool { if case .unchanged = self { true } else { false } }

    /// The same patch of another form of the value.
    public func map<Other>(_ transform: (Value) -> Other) -> Patch<Other> {
        switch self {
        case .unchanged: .unchanged
        case .null: .null
        case .value(let value): .value(transform(value))
        }
    }

    /// What a nullable field holds after the patch.
    public func applied(to current: Value?) -> Value? {
        switch self {
        case .unchanged: current
        case .null: nil
        case .value(let value): value
        }
    }
}

extension Patch: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = container.decodeNil() ? .null : .value(try container.decode(Value.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if case .value(let value) = self { try container.encode(value) } else { try container.encodeNil() }
    }
}

extension Patch: Equatable where Value: Equatable {}

// Synthesised `init(from:)` and `encode(to:)` pick these overloads, which is what makes an absent key `.unchanged`.
extension KeyedDecodingContainer {
    public func decode<Value>(_ type: Patch<Value>.Type, forKey key: Key) throws -> Patch<Value> {
        guard contains(key) else { return .unchanged }
        if try decodeNil(forKey: key) { return .null }
        return .value(try decode(Value.self, forKey: key))
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ patch: Patch<Value>, forKey key: Key) throws {
        switch patch {
        case .unchanged: break
        case .null: try encodeNil(forKey: key)
        case .value(let value): try encode(value, forKey: key)
        }
    }
}

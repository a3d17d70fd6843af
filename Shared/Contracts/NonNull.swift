/// A field of a PATCH body that may be left out, which leaves it as it is, but not emptied: null is refused.
///
/// For a field that may be emptied see ``Patch``.
@propertyWrapper
public struct NonNull<Value: Codable & Sendable>: Sendable {
    /// The new value; nil when the field was left out.
    public var wrappedValue: Value?

    public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }
}

extension NonNull: Codable {
    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension NonNull: Equatable where Value: Equatable {}

// Synthesised `init(from:)` and `encode(to:)` pick these overloads.
extension KeyedDecodingContainer {
    public func decode<Value>(_ type: NonNull<Value>.Type, forKey key: Key) throws -> NonNull<Value> {
        guard contains(key) else { return NonNull(wrappedValue: nil) }
        // A plain optional would take null for absent.
        let value =
            try decodeNil(forKey: key) ? decode(Value.self, forKey: key) : decodeIfPresent(Value.self, forKey: key)
        return NonNull(wrappedValue: value)
    }
}

extension KeyedEncodingContainer {
    public mutating func encode<Value>(_ field: NonNull<Value>, forKey key: Key) throws {
        if let value = field.wrappedValue { try encode(value, forKey: key) }
    }
}

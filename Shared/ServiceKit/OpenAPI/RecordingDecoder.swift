import Contracts

/// Answers what an `init(from:)` asks for, and describes it.
struct RecordingDecoder: Decoder {
    let schema: Schema
    let type: Any.Type
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        if case .object = schema.kind {} else { schema.kind = .object([]) }
        schema.typeName = Schema.name(of: self.type)
        return KeyedDecodingContainer(RecordingKeyedContainer<Key>(schema: schema))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw Unsupported(what: "an array of mixed elements")
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { RecordingSingleContainer(schema: schema) }

    struct Unsupported: Error { let what: String }
}

/// Remembers between two questions about one field what was asked of it before: `Patch` and `NonNull` ask whether it is there
/// and whether it is null, and then for the value, each in a way of its own.
private final class Questions {
    var presence: Set<String> = []
    var null: Set<String> = []
}

private struct RecordingKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let schema: Schema
    private let questions = Questions()
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    init(schema: Schema) { self.schema = schema }

    func contains(_ key: Key) -> Bool {
        questions.presence.insert(key.stringValue)
        return true
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        questions.null.insert(key.stringValue)
        return false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try member(type, key, questions.presence.contains(key.stringValue) ? .optionalOrNull : .required)
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try member(type, key, questions.null.contains(key.stringValue) ? .optional : .optionalOrNull)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        throw RecordingDecoder.Unsupported(what: "an object without a type")
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw RecordingDecoder.Unsupported(what: "an array without a type")
    }

    func superDecoder() throws -> any Decoder { RecordingDecoder(schema: schema, type: Key.self) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try superDecoder() }

    private func member<T: Decodable>(_ type: T.Type, _ key: Key, _ presence: Schema.Presence) throws -> T {
        let described = Schema()
        let value = try SchemaRecorder.value(of: type, describing: described)
        guard case .object(var members) = schema.kind else { return value }
        members.removeAll { $0.name == key.stringValue }
        members.append(Schema.Member(name: key.stringValue, schema: described, presence: presence))
        schema.kind = .object(members)
        return value
    }
}

private struct RecordingSingleContainer: SingleValueDecodingContainer {
    let schema: Schema
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool {
        schema.isNullable = true
        return false
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try SchemaRecorder.value(of: type, describing: schema) }
}

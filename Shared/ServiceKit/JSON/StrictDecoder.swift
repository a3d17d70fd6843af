/// Decodes one node of a document; errors go to the node's report and decoding goes on with stand-ins.
struct StrictDecoder: Decoder {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        node.readAsRecord()
        guard case .object = node.syntax else {
            node.report.reject(node.path, node.isNull ? "must not be null" : "must be an object")
            throw JSONReport.Stop()
        }
        return KeyedDecodingContainer(StrictKeyedContainer<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array = node.syntax else {
            node.report.reject(node.path, node.isNull ? "must not be null" : "must be an array")
            throw JSONReport.Stop()
        }
        return StrictUnkeyedContainer(node: node, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        StrictSingleContainer(node: node, codingPath: codingPath)
    }
}

private struct StrictKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: JSONNode
    let codingPath: [any CodingKey]

    var allKeys: [Key] { node.members.keys.sorted().compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { node.member(key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { node.member(key.stringValue)?.isNull ?? true }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard let child = node.member(key.stringValue) else {
            node.report.reject(node.path[key.stringValue], "is missing")
            return try node.standIn(for: type, after: JSONReport.Stop())
        }
        return try child.decode(type, codingPath: codingPath + [key])
    }

    // Synthesised code calls this for optional properties, so an error in one must not end the decoding of the rest.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let child = node.member(key.stringValue), !child.isNull else { return nil }
        do {
            return try child.decode(type, codingPath: codingPath + [key])
        } catch is JSONReport.Stop {
            return nil
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try child(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { StrictDecoder(node: node, codingPath: codingPath) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }

    private func child(_ key: Key) throws -> StrictDecoder {
        guard let child = node.member(key.stringValue) else {
            node.report.reject(node.path[key.stringValue], "is missing")
            throw JSONReport.Stop()
        }
        return StrictDecoder(node: child, codingPath: codingPath + [key])
    }
}

private struct StrictUnkeyedContainer: UnkeyedDecodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]
    var currentIndex = 0

    var count: Int? { node.elementCount }
    var isAtEnd: Bool { currentIndex >= node.elementCount }

    mutating func decodeNil() throws -> Bool {
        guard try peek().isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let element = try peek()
        currentIndex += 1
        return try element.decode(type, codingPath: codingPath + [ArrayIndex(intValue: currentIndex - 1)])
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try superDecoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try superDecoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder {
        let element = try peek()
        currentIndex += 1
        return StrictDecoder(node: element, codingPath: codingPath + [ArrayIndex(intValue: currentIndex - 1)])
    }

    private func peek() throws -> JSONNode {
        guard !isAtEnd else {
            node.report.reject(node.path, "has too few entries")
            throw JSONReport.Stop()
        }
        return node.element(currentIndex)
    }
}

private struct StrictSingleContainer: SingleValueDecodingContainer {
    let node: JSONNode
    let codingPath: [any CodingKey]

    func decodeNil() -> Bool { node.isNull }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let before = node.report.errors.count
        let value = try node.decode(type, codingPath: codingPath)
        // Wrapped types (an identifier, a date, an enum) judge the raw value: a stand-in must not be judged.
        if node.report.errors.count > before { throw JSONReport.Stop() }
        return value
    }
}

private struct ArrayIndex: CodingKey {
    let index: Int
    init(intValue: Int) { index = intValue }
    init?(stringValue: String) { return nil }
    var intValue: Int? { index }
    var stringValue: String { "\(index)" }
}

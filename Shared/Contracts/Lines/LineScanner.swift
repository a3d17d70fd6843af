package import FoundationEssentials

/// Reads the lines that ``LineWriter`` writes; gives nil for everything else, valid or not, for the JSON decoder to judge.
///
/// What it does accept is JSON, and means what the decoder would make of it: fields in the order of their keys, each at
/// most once, no null, no escapes, no blanks except behind a colon or a comma within a list or an object of texts.
package struct LineScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var isFirst = true
    /// A field was there, but not in its usual form.
    private var hasFailed = false

    package init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// What `read` makes of the line; nil also where the bytes do not lie in one piece.
    package static func scan<Value>(
        _ line: some Collection<UInt8>, _ read: (inout LineScanner) -> Value?
    ) -> Value? {
        let value = line.withContiguousStorageIfAvailable { bytes in
            var scanner = LineScanner(bytes: bytes)
            return read(&scanner)
        }
        return value ?? nil
    }

    /// Whether the text comes next; it is behind then.
    package mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    /// Whether all fields were read as they should be, and nothing but `closing` is left.
    package func ends(with closing: StaticString) -> Bool {
        var copy = self
        return !hasFailed && copy.take(closing) && copy.position == bytes.count
    }

    /// Nil when the key does not come next, as with all that follow.
    package mutating func number(_ key: StaticString) -> Double? { field(key) { $0.number() } }
    package mutating func bool(_ key: StaticString) -> Bool? {
        field(key) { $0.take("true") ? true : $0.take("false") ? false : nil }
    }
    package mutating func string(_ key: StaticString) -> String? { field(key) { $0.string() } }
    package mutating func identifier<Entity>(_ key: StaticString) -> Identifier<Entity>? {
        field(key) { $0.plainText().flatMap(UUIDText.uuid).map(Identifier.init(rawValue:)) }
    }
    package mutating func civilDate(_ key: StaticString) -> CivilDate? {
        field(key) { $0.plainText().flatMap(CivilDate.init(utf8:)) }
    }
    package mutating func date(_ key: StaticString) -> Date? {
        field(key) { $0.plainText().flatMap(WireTime.date) }
    }
    package mutating func strings(_ key: StaticString) -> [String]? {
        field(key) { $0.list { $0.string() } }
    }
    package mutating func pairs(_ key: StaticString) -> [String: String]? { field(key) { $0.pairs() } }
    package mutating func counts(_ key: StaticString) -> [String: Int]? {
        field(key) { $0.pairs { $0.count() } }
    }
    package mutating func object<Value>(_ key: StaticString, _ read: (inout LineScanner) -> Value?) -> Value? {
        field(key) { $0.object(read) }
    }
    package mutating func objects<Value>(_ key: StaticString, _ read: (inout LineScanner) -> Value?) -> [Value]? {
        field(key) { $0.list { $0.object(read) } }
    }

    /// An object of texts.
    package mutating func pairs() -> [String: String]? { pairs { $0.string() } }

    private mutating func pairs<Value>(_ read: (inout LineScanner) -> Value?) -> [String: Value]? {
        guard take("{") else { return nil }
        if take("}") { return [:] }
        var pairs: [String: Value] = [:]
        repeat {
            _ = take(" ")
            guard let key = string(), take(":") else { return nil }
            _ = take(" ")
            // Which of two counts is for the decoder to say.
            guard let value = read(&self), pairs.updateValue(value, forKey: key) == nil else { return nil }
        } while take(",")
        return take("}") ? pairs : nil
    }

    private mutating func object<Value>(_ read: (inout LineScanner) -> Value?) -> Value? {
        guard take("{") else { return nil }
        isFirst = true
        defer { isFirst = false }
        guard let value = read(&self), take("}") else { return nil }
        return value
    }

    private mutating func list<Value>(_ read: (inout LineScanner) -> Value?) -> [Value]? {
        guard take("[") else { return nil }
        if take("]") { return [] }
        var values: [Value] = []
        repeat {
            guard let value = read(&self) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? values : nil
    }

    private mutating func field<Value>(_ key: StaticString, _ read: (inout LineScanner) -> Value?) -> Value? {
        let start = position
        guard isFirst || take(","), take("\""), take(key), take("\":") else {
            position = start
            return nil
        }
        isFirst = false
        let value = read(&self)
        if value == nil { hasFailed = true }
        return value
    }

    private mutating func string() -> String? {
        plainText().flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// What stands between two quotes and means just what it says.
    private mutating func plainText() -> UnsafeBufferPointer<UInt8>? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        guard position < bytes.count else { return nil }
        position += 1
        return UnsafeBufferPointer(rebasing: bytes[start..<position - 1])
    }

    private mutating func number() -> Double? {
        let isNegative = take("-")
        let start = position
        guard let whole = digits(), position - start == 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        var (value, scale) = (whole, 1.0)
        if take(".") {
            let point = position
            guard let fraction = digits() else { return nil }
            scale = Self.powersOfTen[position - point]
            value = whole * scale + fraction
        }
        // Up to 15 digits and 10¹⁵ are exact, so their quotient is rounded once, as it should be.
        guard position - start <= 16, position < bytes.count,
            bytes[position] == UInt8(ascii: ",") || bytes[position] == UInt8(ascii: "}")
        else { return nil }
        return (isNegative ? -value : value) / scale
    }

    /// One to fifteen digits and nothing else.
    private mutating func count() -> Int? {
        let start = position
        guard let value = digits(), position - start == 1 || bytes[start] != UInt8(ascii: "0"), position < bytes.count,
            bytes[position] == UInt8(ascii: ",") || bytes[position] == UInt8(ascii: "}")
        else { return nil }
        return Int(value)
    }

    /// One to fifteen digits.
    private mutating func digits() -> Double? {
        let start = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            guard position - start < 15 else { return nil }
            value = value * 10 + Int(digit)
            position += 1
        }
        return position > start ? Double(value) : nil
    }

    private static let powersOfTen = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]
}

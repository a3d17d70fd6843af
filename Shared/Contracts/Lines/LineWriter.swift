import Basics
package import FoundationEssentials

/// Writes flat JSON objects by hand, byte for byte as `WireJSON` does when the fields come in the order of their keys.
package struct LineWriter {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true
    /// A number came that JSON cannot hold.
    private var hasFailed = false

    /// Appends the line and its newline.
    /// - Parameter byHand: writes it, or returns false to have it encoded.
    /// - Throws: `EncodingError`; nothing is appended then.
    package static func write(
        _ line: some WireLine, to bytes: inout [UInt8], byHand: (inout LineWriter) -> Bool
    ) throws {
        let start = bytes.count
        var writer = LineWriter()
        // Never held twice, or all that is there would be copied for each line.
        swap(&writer.bytes, &bytes)
        defer { swap(&writer.bytes, &bytes) }
        if !byHand(&writer) || writer.hasFailed {
            writer.bytes.removeSubrange(start...)
            writer.bytes += try WireJSON.encode(line)
        }
        writer.text("\n")
    }

    package mutating func text(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func field(_ key: StaticString, _ value: String) {
        name(key)
        string(value)
    }

    /// Left out when nil, as are all that follow.
    package mutating func field(_ key: StaticString, _ value: Double?) {
        guard let value else { return }
        name(key)
        number(value)
    }

    package mutating func field(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        name(key)
        string(value)
    }

    package mutating func field(_ key: StaticString, _ value: Bool?) {
        guard let value else { return }
        name(key)
        text(value ? "true" : "false")
    }

    package mutating func field<Entity>(_ key: StaticString, _ value: Identifier<Entity>) {
        name(key)
        quoted { $0.append(value) }
    }

    package mutating func field(_ key: StaticString, _ value: CivilDate?) {
        guard let value else { return }
        name(key)
        quoted { $0.append(value) }
    }

    package mutating func field(_ key: StaticString, _ value: Date?) {
        guard let value else { return }
        name(key)
        quoted { $0.append(value) }
    }

    package mutating func field(_ key: StaticString, _ values: [String]) {
        name(key)
        list(values) { $0.string($1) }
    }

    package mutating func field(_ key: StaticString, _ values: [String: String]) {
        name(key)
        pairs(values) { $0.string($1) }
    }

    package mutating func field(_ key: StaticString, _ values: [String: Int]?) {
        guard let values else { return }
        name(key)
        pairs(values) { $0.integer($1) }
    }

    package mutating func field(_ key: StaticString, _ values: [Int]) {
        name(key)
        list(values) { $0.integer($1) }
    }

    package mutating func field(_ key: StaticString, _ values: [Float]?) {
        guard let values else { return }
        name(key)
        list(values) { $0.number($1) }
    }

    private mutating func list<Value>(_ values: [Value], _ write: (inout LineWriter, Value) -> Void) {
        text("[")
        for (index, value) in values.enumerated() {
            if index > 0 { text(",") }
            write(&self, value)
        }
        text("]")
    }

    private mutating func pairs<Value>(_ values: [String: Value], _ write: (inout LineWriter, Value) -> Void) {
        text("{")
        for (index, pair) in values.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }).enumerated() {
            if index > 0 { text(",") }
            string(pair.key)
            text(":")
            write(&self, pair.value)
        }
        text("}")
    }

    package mutating func field(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        name(key)
        integer(value)
    }

    /// An object inside this one.
    package mutating func field(_ key: StaticString, _ fields: (inout LineWriter) -> Void) {
        name(key)
        object(fields)
    }

    /// A list of objects.
    package mutating func field<Value>(
        _ key: StaticString, _ values: [Value], _ fields: (inout LineWriter, Value) -> Void
    ) {
        name(key)
        list(values) { writer, value in writer.object { fields(&$0, value) } }
    }

    package mutating func object(_ fields: (inout LineWriter) -> Void) {
        text("{")
        isFirst = true
        fields(&self)
        isFirst = false
        text("}")
    }

    private mutating func name(_ key: StaticString) {
        if !isFirst { text(",") }
        isFirst = false
        text("\"")
        text(key)
        text("\":")
    }

    private mutating func quoted(_ write: (inout LineWriter) -> Void) {
        text("\"")
        write(&self)
        text("\"")
    }

    private mutating func integer(_ value: Int) {
        if value < 0 { text("-") }
        digits(Int(value.magnitude))
    }

    private mutating func number(_ value: Double) {
        if !value.isFinite { hasFailed = true }
        if value == value.rounded(), abs(value) < 1e15, value != 0 || value.sign == .plus {
            if value < 0 { text("-") }
            digits(Int(value.magnitude))
        } else {
            let text = value.description
            bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
        }
    }

    private mutating func number(_ value: Float) {
        if !value.isFinite { hasFailed = true }
        let text = value.description
        bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
    }

    /// - Parameter width: zeros are put in front up to it.
    private mutating func digits(_ value: Int, width: Int = 1) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var (rest, start) = (value, digits.count)
            while rest > 0 || digits.count - start < width {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start...]))
        }
    }

    private mutating func string(_ value: String) {
        var value = value
        text("\"")
        value.withUTF8 { utf8 in
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                for byte in utf8 { escaped(byte) }
            }
        }
        text("\"")
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): text("\\\"")
        case UInt8(ascii: "\\"): text("\\\\")
        case 0x08: text("\\b")
        case 0x09: text("\\t")
        case 0x0A: text("\\n")
        case 0x0C: text("\\f")
        case 0x0D: text("\\r")
        case 0..<0x20:
            text("\\u00")
            bytes.append(Hex.digit(byte >> 4))
            bytes.append(Hex.digit(byte & 15))
        default: bytes.append(byte)
        }
    }
}

extension LineWriter {
    mutating func append<Entity>(_ id: Identifier<Entity>) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: UUIDText.length) { text in
            UUIDText.write(id.rawValue, to: text)
            bytes.append(contentsOf: text)
        }
    }

    /// `YYYY-MM-DD`
    mutating func append(_ date: CivilDate) {
        let (year, month, day) = date.components
        digits(year, width: 4)
        text("-")
        digits(month, width: 2)
        text("-")
        digits(day, width: 2)
    }

    /// `2026-01-31T12:00:00.000Z`
    mutating func append(_ date: Date) {
        let (day, millisecond) = WireTime.dayAndMillisecond(of: date)
        append(day)
        text("T")
        digits(millisecond / 3_600_000, width: 2)
        text(":")
        digits(millisecond / 60_000 % 60, width: 2)
        text(":")
        digits(millisecond / 1000 % 60, width: 2)
        text(".")
        digits(millisecond % 1000, width: 3)
        text("Z")
    }
}

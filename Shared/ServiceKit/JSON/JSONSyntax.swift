/// A JSON text as read, nothing resolved yet: numbers keep their spelling, objects their order and duplicates.
///
/// Not `indirect`: a body may be millions of values, each of which would be allocated by itself.
package enum JSONSyntax: Sendable {
    case null
    case bool(Bool)
    /// As spelt, within RFC 8259's grammar.
    case number(String)
    case string(String)
    case array([JSONSyntax])
    case object([(name: String, value: JSONSyntax)])

    /// What the value is called in an error message.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// A text that is not JSON. `description` follows "The body is not valid JSON: ".
package struct JSONSyntaxError: Error, CustomStringConvertible {
    let reason: String
    /// 1-based.
    let line: Int
    let column: Int
    package var description: String { "\(reason) at line \(line), column \(column)" }
}

/// A reader of RFC 8259 and nothing beyond it.
package struct JSONReader {
    static let maximumDepth = 64
    static let maximumNumberLength = 64

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONSyntax {
        var reader = JSONReader(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let value = try reader.value()
        reader.skipBlanks()
        if reader.position < bytes.count { throw reader.error("unexpected text after the end") }
        return value
    }

    private mutating func value() throws(JSONSyntaxError) -> JSONSyntax {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return .number(try number())
        case nil: throw error("the text ends too early")
        default: throw error("a value is expected")
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONSyntax {
        try descend()
        defer { depth -= 1 }
        var members: [(name: String, value: JSONSyntax)] = []
        skipBlanks()
        if take(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipBlanks()
            guard peek == UInt8(ascii: "\"") else { throw error("a member's name in quotes is expected") }
            let name = try string()
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is expected") }
            members.append((name, try value()))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or } is expected") }
        }
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONSyntax {
        try descend()
        defer { depth -= 1 }
        var elements: [JSONSyntax] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .array([]) }
        while true {
            elements.append(try value())
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or ] is expected") }
        }
    }

    /// Past the opening bracket.
    private mutating func descend() throws(JSONSyntaxError) {
        if depth == Self.maximumDepth { throw error("more than \(Self.maximumDepth) levels of nesting") }
        depth += 1
        position += 1
    }

    private mutating func word(_ text: StaticString, _ meaning: JSONSyntax) throws(JSONSyntaxError) -> JSONSyntax {
        let matches = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard matches else { throw error("a value is expected") }
        position += text.utf8CodeUnitCount
        return meaning
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        if position - start > Self.maximumNumberLength { throw error("a number is too long") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        guard let first = peek, isDigit(first) else { throw error("a digit is expected") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        // Nearly all strings are as they are spelt.
        while let byte = peek, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        var text = bytes[start..<position]
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else { throw error("a string is not UTF-8") }
                position += 1
                return valid
            case UInt8(ascii: "\\"): text.append(contentsOf: Array(String(try escape()).utf8))
            case ..<0x20: throw error("a control character in a string")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw error("a string is never closed")
    }

    private mutating func escape() throws(JSONSyntaxError) -> Character {
        position += 1
        defer { position += 1 }
        switch peek {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try unicodeEscape())
        default: throw error("an unknown escape in a string")
        }
    }

    /// At the `u`; leaves the position at the last hex digit.
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 2 < bytes.count, bytes[position + 1] == UInt8(ascii: "\\"),
            bytes[position + 2] == UInt8(ascii: "u")
        else { throw error("half a surrogate pair in a string") }
        position += 2
        let second = try codeUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw error("half a surrogate pair in a string") }
        return scalar
    }

    private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            position += 1
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hex digits are expected after \\u")
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private func error(_ reason: String) -> JSONSyntaxError {
        let before = bytes[..<min(position, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            reason: reason, line: before.count { $0 == 0x0A } + 1,
            column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1)
    }
}

public import FoundationEssentials

extension Bool: PostgresCodable {
    public var postgresText: String? { self ? "t" : "f" }
    public init(postgresText text: String) throws {
        switch text {
        case "t", "true": self = true
        case "f", "false": self = false
        default: throw PostgresTextError(Bool.self)
        }
    }
}

extension PostgresEncodable where Self: FixedWidthInteger {
    public var postgresText: String? { String(self) }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    public init(postgresText text: String) throws {
        guard let value = Self(text) else { throw PostgresTextError(Self.self) }
        self = value
    }
}

extension Int: PostgresCodable {}
extension Int16: PostgresCodable {}
extension Int32: PostgresCodable {}
extension Int64: PostgresCodable {}

extension Double: PostgresCodable {
    // Swift writes "inf" and "nan", which PostgreSQL reads; what it writes ("Infinity", "NaN") Swift reads.
    public var postgresText: String? { description }
    public init(postgresText text: String) throws {
        guard let value = Double(text) else { throw PostgresTextError(Double.self) }
        self = value
    }
}

extension Float: PostgresCodable {
    public var postgresText: String? { description }
    public init(postgresText text: String) throws {
        guard let value = Float(text) else { throw PostgresTextError(Float.self) }
        self = value
    }
}

extension String: PostgresCodable {
    public var postgresText: String? { self }
    public init(postgresText text: String) { self = text }
}

extension UUID: PostgresCodable {
    public var postgresText: String? { uuidString.lowercased() }
    public init(postgresText text: String) throws {
        guard let value = UUID(uuidString: text) else { throw PostgresTextError(UUID.self) }
        self = value
    }
}

/// A single byte is a `smallint`; an array of bytes is a `bytea`.
extension UInt8: PostgresCodable {
    public static func postgresText(ofArray elements: [UInt8]) -> String? { Bytea.text(of: elements) }
    public static func array(postgresText text: String) throws -> [UInt8] { try Bytea.bytes(of: text) }
}

extension Data: PostgresCodable {
    public var postgresText: String? { Bytea.text(of: Array(self)) }
    public init(postgresText text: String) throws { self = Data(try Bytea.bytes(of: text)) }
}

/// PostgreSQL's text forms of `bytea`.
enum Bytea {
    static func text(of bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 2 + 2 * bytes.count) { buffer in
            buffer[0] = UInt8(ascii: "\\")
            buffer[1] = UInt8(ascii: "x")
            var position = 2
            for byte in bytes {
                buffer[position] = digit(byte >> 4)
                buffer[position + 1] = digit(byte & 15)
                position += 2
            }
            return position
        }
    }

    static func bytes(of text: String) throws -> [UInt8] {
        var text = text
        return try text.withUTF8 { utf8 in
            guard utf8.count >= 2, utf8[0] == UInt8(ascii: "\\"), utf8[1] == UInt8(ascii: "x") else {
                return try escaped(utf8)
            }
            guard utf8.count.isMultiple(of: 2) else { throw PostgresTextError("not a valid bytea") }
            return try [UInt8](unsafeUninitializedCapacity: utf8.count / 2 - 1) { buffer, count in
                while count < utf8.count / 2 - 1 {
                    buffer[count] = try value(utf8[2 * count + 2]) << 4 | value(utf8[2 * count + 3])
                    count += 1
                }
            }
        }
    }

    /// The older form a server set to `bytea_output = escape` uses: `\\` and `\ooo`.
    private static func escaped(_ utf8: UnsafeBufferPointer<UInt8>) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var position = 0
        while position < utf8.count {
            if utf8[position] != UInt8(ascii: "\\") {
                bytes.append(utf8[position])
                position += 1
            } else if position + 1 < utf8.count, utf8[position + 1] == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "\\"))
                position += 2
            } else {
                guard position + 3 < utf8.count,
                    let octal = UInt8(String(decoding: utf8[(position + 1)...(position + 3)], as: UTF8.self), radix: 8)
                else { throw PostgresTextError("not a valid bytea") }
                bytes.append(octal)
                position += 4
            }
        }
        return bytes
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
    }

    private static func value(_ digit: UInt8) throws -> UInt8 {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: throw PostgresTextError("not a valid bytea")
        }
    }
}

/// A statement and its bound values.
///
/// Interpolated values never become part of the text: `"select * from users where id = \(id)"` sends
/// `select * from users where id = $1` and the value beside it. There is no way to interpolate a raw string.
///
/// - `\(value)` binds a ``PostgresEncodable`` value; its type is what the server infers (cast with `::type` if it can't).
/// - `\(optional: value)` binds a value or, for nil, NULL.
/// - `\(json: value)` binds an `Encodable` value as JSON text.
/// - `\(identifier: "schema")` inserts a quoted identifier; `\(identifier: "schema", "table")` a dotted one.
/// - `\(literal: text)` inserts a quoted string literal, for commands that take no binds (`alter role … password`).
/// - `\(sql: fragment)` nests another statement with its binds; `+` and `joined` concatenate.
public struct SQL: ExpressibleByStringInterpolation, Sendable {
    enum Piece: Sendable {
        case text(String)
        case bind(Bind)
        case invalid(PostgresError)
    }

    var pieces: [Piece]

    public init(stringLiteral value: String) {
        pieces = [.text(value)]
    }

    public init(stringInterpolation: StringInterpolation) {
        pieces = stringInterpolation.pieces
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum += right
        return sum
    }

    public static func += (left: inout SQL, right: SQL) {
        left.pieces.append(contentsOf: right.pieces)
    }

    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        var pieces: [Piece] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            pieces.reserveCapacity(2 * interpolationCount + 1)
        }

        public mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { pieces.append(.text(literal)) }
        }

        public mutating func appendInterpolation(_ value: some PostgresEncodable) {
            pieces.append(.bind(Bind(value)))
        }

        // Swift warns of an unlabelled optional in any interpolation; the label says that NULL is meant.
        public mutating func appendInterpolation(optional value: (some PostgresEncodable)?) {
            pieces.append(.bind(Bind(value)))
        }

        public mutating func appendInterpolation(json value: some Encodable & Sendable) {
            pieces.append(.bind(Bind(PostgresJSON(value))))
        }

        public mutating func appendInterpolation(identifier parts: String...) {
            do throws(PostgresError) {
                for (index, part) in parts.enumerated() {
                    pieces.append(.text((index > 0 ? "." : "") + (try Quoting.identifier(part))))
                }
            } catch {
                pieces.append(.invalid(error))
            }
        }

        public mutating func appendInterpolation(literal text: String) {
            do throws(PostgresError) {
                pieces.append(.text(try Quoting.literal(text)))
            } catch {
                pieces.append(.invalid(error))
            }
        }

        public mutating func appendInterpolation(sql fragment: SQL) {
            pieces.append(contentsOf: fragment.pieces)
        }
    }
}

extension Sequence<SQL> {
    /// The fragments in order with `separator` between them: `columns.joined(separator: ", ")`.
    public func joined(separator: SQL) -> SQL {
        var result: SQL = ""
        for (index, fragment) in self.enumerated() {
            if index > 0 { result += separator }
            result += fragment
        }
        return result
    }
}

/// One bound value, as the text sent on the wire; `nil` is NULL.
struct Bind: Sendable {
    let text: Result<String?, any Error>

    init(_ value: some PostgresEncodable) {
        text = Result { try value.postgresText }
    }
}

/// A statement ready to send: text with `$n` placeholders and the binds' wire text.
struct RenderedSQL: Sendable {
    var text: String
    var binds: [String?]

    /// - Throws: `encoding` if a value cannot be encoded or an identifier is not usable.
    init(_ sql: SQL) throws(PostgresError) {
        text = ""
        binds = []
        for piece in sql.pieces {
            switch piece {
            case .text(let literal):
                text += literal
            case .bind(let bind):
                binds.append(try Self.wireText(of: bind, number: binds.count + 1))
                text += "$\(binds.count)"
            case .invalid(let error):
                throw error
            }
        }
        if text.utf8.contains(0) { throw PostgresError(.encoding, "The statement contains a NUL character.") }
        if binds.count > Int(UInt16.max) {
            throw PostgresError(.encoding, "The statement has \(binds.count) bound values; the protocol allows 65535.")
        }
    }

    private static func wireText(of bind: Bind, number: Int) throws(PostgresError) -> String? {
        switch bind.text {
        case .success(let text):
            // The C interface would silently cut the value at the NUL.
            if let text, text.utf8.contains(0) {
                throw PostgresError(
                    .encoding, "Bound value $\(number) contains a NUL character, which text cannot hold.")
            }
            return text
        case .failure(let error):
            throw PostgresError(.encoding, "Bound value $\(number) cannot be encoded.", underlying: error)
        }
    }
}

/// Quoting of what cannot be bound.
enum Quoting {
    /// `name` as a quoted identifier. Longer than 63 bytes is refused: the server would cut it, and two names could meet.
    static func identifier(_ name: String) throws(PostgresError) -> String {
        guard !name.isEmpty, name.utf8.count <= 63, !name.utf8.contains(0) else {
            throw PostgresError(.encoding, "An identifier must have 1 to 63 bytes and no NUL character.")
        }
        return "\"" + doubling(UInt8(ascii: "\""), in: name) + "\""
    }

    static func literal(_ text: String) throws(PostgresError) -> String {
        guard !text.utf8.contains(0) else {
            throw PostgresError(.encoding, "A string literal must not contain a NUL character.")
        }
        let quoted = "'" + doubling(UInt8(ascii: "'"), in: text) + "'"
        // Only the E form has one meaning for backslashes whatever standard_conforming_strings says.
        return text.utf8.contains(UInt8(ascii: "\\")) ? "E" + doubling(UInt8(ascii: "\\"), in: quoted) : quoted
    }

    private static func doubling(_ byte: UInt8, in text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 2)
        for next in text.utf8 {
            bytes.append(next)
            if next == byte { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A value that can be bound to a statement.
///
/// A `RawRepresentable` type with an encodable raw value conforms in one line.
public protocol PostgresEncodable: Sendable {
    /// The value in PostgreSQL's text format; `nil` is NULL.
    var postgresText: String? { get throws }

    /// An array of such values in PostgreSQL's text format. The default is the array literal `{…}`.
    static func postgresText(ofArray elements: [Self]) throws -> String?
}

/// A value that can be read from a column.
public protocol PostgresDecodable: Sendable {
    /// - Parameter text: the column's value in PostgreSQL's text format.
    /// - Throws: any error if the text does not hold such a value; the row adds the column's name.
    init(postgresText text: String) throws

    /// What NULL means for this type. The default throws; `Optional` gives `nil`.
    static func fromPostgresNull() throws -> Self

    /// An array of such values from PostgreSQL's text format. The default reads the array literal `{…}`.
    static func array(postgresText text: String) throws -> [Self]
}

public typealias PostgresCodable = PostgresDecodable & PostgresEncodable

/// Why a text could not be read as a type. `PostgresRow` wraps it with the name of the column.
struct PostgresTextError: Error, CustomStringConvertible {
    let description: String

    init(_ type: Any.Type) {
        description = "not a valid \(type)"
    }

    init(_ description: String) {
        self.description = description
    }
}

extension PostgresEncodable {
    public static func postgresText(ofArray elements: [Self]) throws -> String? {
        ArrayLiteral.text(of: try elements.map { try $0.postgresText })
    }
}

extension PostgresDecodable {
    public static func fromPostgresNull() throws -> Self {
        throw PostgresTextError("NULL where \(Self.self) is needed")
    }

    public static func array(postgresText text: String) throws -> [Self] {
        try ArrayLiteral.elements(of: text).map { element in
            guard let element else { return try fromPostgresNull() }
            return try Self(postgresText: element)
        }
    }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public var postgresText: String? { get throws { try rawValue.postgresText } }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public init(postgresText text: String) throws {
        guard let value = Self(rawValue: try RawValue(postgresText: text)) else {
            throw PostgresTextError(Self.self)
        }
        self = value
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public var postgresText: String? { get throws { try self?.postgresText } }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public init(postgresText text: String) throws { self = try Wrapped(postgresText: text) }
    public static func fromPostgresNull() throws -> Self { nil }
}

extension Array: PostgresEncodable where Element: PostgresEncodable {
    public var postgresText: String? { get throws { try Element.postgresText(ofArray: self) } }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    public init(postgresText text: String) throws { self = try Element.array(postgresText: text) }
}

/// What a request's `validate` says of a field, in terms that JSON Schema knows.
public struct StatedRule: Sendable, Equatable {
    public enum Limit: Sendable, Equatable {
        /// In Unicode scalars.
        case length(ClosedRange<Int>)
        /// Not blank, without control characters.
        case plainText
        /// The same of several lines: with line breaks and tabs.
        case prose
        case value(ClosedRange<Double>)
        case above(Double, atMost: Double)
        /// Of an array's elements or a dictionary's members.
        case count(ClosedRange<Int>)
        /// Of a dictionary's names.
        case nameLength(Int)
        case email
        case oneOf([String])
        /// What no schema can say.
        case words(String)
    }

    /// As in ``FieldError/field``.
    public let field: String
    public let limit: Limit
}

/// A type that is one text on the wire, of a form of its own.
public protocol WireText {
    static var textForm: TextForm { get }
}

/// The form of a text, in terms that JSON Schema knows.
public struct TextForm: Sendable {
    public let format: String?
    public let pattern: String?
    public let example: String

    public init(format: String? = nil, pattern: String? = nil, example: String) {
        self.format = format
        self.pattern = pattern
        self.example = example
    }
}

extension Identifier: WireText {
    public static var textForm: TextForm {
        TextForm(format: "uuid", example: "0b8f1c9e-5d1a-4b8e-9a55-2f3d8c7e6a10")
    }
}

extension CivilDate: WireText {
    public static var textForm: TextForm { TextForm(format: "date", example: "2026-01-31") }
}

extension Subdomain: WireText {
    public static var textForm: TextForm {
        TextForm(pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", example: "acme")
    }
}

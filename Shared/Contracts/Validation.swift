/// What is wrong with one field of a request.
public struct FieldError: Codable, Sendable, Hashable {
    /// A path as the client wrote it: `employees[3].weeklyCapacityHours`; empty for the body as a whole.
    public let field: String
    /// What to change, in a few words that follow the field's name: "must not be negative".
    public let message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }
}

/// A request body that says itself what is allowed in it.
///
/// Decoding (`StrictJSON` in ServiceKit) reports wrong types, missing and unknown fields; `validate` adds rules of value.
/// Both kinds are answered together, so a client sees every bad field at once.
public protocol RequestPayload: Codable, Sendable {
    func validate(_ validation: inout Validation)
}

/// The body of a request without fields: it may be left out, and nothing in it is silently ignored.
public struct EmptyRequest: RequestPayload {
    private enum Field: CodingKey {}

    public init() {}

    // What is made by the compiler would not look whether there is an object at all.
    public init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Field.self) }

    public func encode(to encoder: any Encoder) throws { _ = encoder.container(keyedBy: Field.self) }

    public func validate(_ validation: inout Validation) {}
}

/// A type that has some value to stand in for one that could not be decoded, so that decoding can go on and report the
/// remaining fields. The stand-in never leaves the decoder: a request with an error is refused.
public protocol DecodingPlaceholder {
    static var decodingPlaceholder: Self { get }
}

/// Collects the field errors of one request.
public struct Validation: Sendable {
    public private(set) var errors: [FieldError]

    public init(errors: [FieldError] = []) { self.errors = errors }

    /// A field that could not be decoded holds a stand-in; its value is not judged again.
    public mutating func reject(_ field: String, _ message: String) {
        guard !errors.contains(where: { $0.field == field }) else { return }
        errors.append(FieldError(field: field, message: message))
    }

    public mutating func require(_ holds: Bool, _ field: String, _ message: String) {
        if !holds { reject(field, message) }
    }

    /// Not blank, no control characters, at most `maximum` Unicode scalars: one character may be any number of them.
    public mutating func text(_ value: String?, _ field: String, maximum: Int = 200) {
        guard let value else { return }
        if value.allSatisfy(\.isWhitespace) { return reject(field, "must not be empty") }
        if value.unicodeScalars.count > maximum { return reject(field, "must be at most \(maximum) characters long") }
        if value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            reject(field, "must not contain control characters")
        }
    }

    /// The same for text of several lines, which may hold line breaks and tabs.
    public mutating func prose(_ value: String?, _ field: String, maximum: Int) {
        guard let value else { return }
        let plain = value.replacing("\r\n", with: " ").map { $0 == "\n" || $0 == "\t" || $0 == "\r" ? " " : $0 }
        text(String(plain), field, maximum: maximum)
    }

    public mutating func range(_ value: Double?, _ range: ClosedRange<Double>, _ field: String) {
        guard let value else { return }
        guard value.isFinite, range.contains(value) else {
            return reject(field, "must be between \(Self.plain(range.lowerBound)) and \(Self.plain(range.upperBound))")
        }
    }

    public mutating func range(_ value: Int?, _ range: ClosedRange<Int>, _ field: String) {
        guard let value else { return }
        require(range.contains(value), field, "must be between \(range.lowerBound) and \(range.upperBound)")
    }

    /// `end` not before `start`; either may be unknown.
    public mutating func order(_ start: CivilDate?, _ end: CivilDate?, _ endField: String, notBefore startField: String)
    {
        guard let start, let end else { return }
        require(end >= start, endField, "must not be before \(startField)")
    }

    /// Something before one `@`, a dotted name after it, no blanks: the mailbox itself is proved by mail, not by a pattern.
    public mutating func email(_ value: String?, _ field: String) {
        guard let value else { return }
        let parts = value.split(separator: "@", omittingEmptySubsequences: false)
        let valid =
            value.utf8.count <= 254 && parts.count == 2 && !parts[0].isEmpty && parts[1].contains(".")
            && !parts[1].hasPrefix(".") && !parts[1].hasSuffix(".")
            && !value.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7f }
        require(valid, field, "must be an e-mail address")
    }

    /// Short free-text tags such as skills: at most `maximumCount`, each not blank and at most 100 characters.
    public mutating func tags(_ values: [String]?, _ field: String, maximumCount: Int = 100) {
        guard let values else { return }
        if values.count > maximumCount { return reject(field, "must have at most \(maximumCount) entries") }
        for (index, value) in values.enumerated() { text(value, "\(field)[\(index)]", maximum: 100) }
    }

    /// String pairs: at most 50, keys up to 100 and values up to 500 characters.
    public mutating func labels(_ values: [String: String]?, _ field: String) {
        guard let values else { return }
        if values.count > 50 { return reject(field, "must have at most 50 entries") }
        for (key, value) in values {
            text(key, "\(field).\(key)", maximum: 100)
            text(value, "\(field).\(key)", maximum: 500)
        }
    }

    /// Least levels of required skills, 1…5, each of a skill that is required; any when `skills` is nil, which are not known here.
    public mutating func levels(_ values: [String: Int]?, _ field: String, of skills: [String]?) {
        guard let values else { return }
        if values.count > 100 { return reject(field, "must have at most 100 entries") }
        let required = skills.map { Set($0.map(\.folded)) }
        for (skill, level) in values {
            text(skill, "\(field).\(skill)", maximum: 100)
            range(level, 1...5, "\(field).\(skill)")
            if let required {
                require(required.contains(skill.folded), "\(field).\(skill)", "must be one of requiredSkills")
            }
        }
    }

    private static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}

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
    /// Whether fields that the type does not know are ignored, here and below, as a protocol of others may ask.
    static var ignoresUnknownFields: Bool { get }

    func validate(_ validation: inout Validation)
}

extension RequestPayload {
    public static var ignoresUnknownFields: Bool { false }
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

/// Collects the field errors of one request, or (recording) the rules that it is judged by: what the API's description says
/// of a field and what a client is held to are the same lines.
public struct Validation: Sendable {
    public private(set) var errors: [FieldError]
    /// What was said so far, while recording.
    public private(set) var rules: [StatedRule] = []
    private let isRecording: Bool

    public init(errors: [FieldError] = []) {
        self.errors = errors
        isRecording = false
    }

    private init(isRecording: Bool) {
        errors = []
        self.isRecording = isRecording
    }

    /// The rules that a request states; they do not depend on the values that are there.
    public static func rules(of payload: some RequestPayload) -> [StatedRule] {
        var validation = Validation(isRecording: true)
        payload.validate(&validation)
        return validation.rules
    }

    private mutating func state(_ field: String, _ limit: StatedRule.Limit) {
        if isRecording { rules.append(StatedRule(field: field, limit: limit)) }
    }

    /// At most so many are listed: a huge bad body shall neither make a huge answer nor be compared with all its other faults.
    public static let maximumErrors = 100

    /// A field that could not be decoded holds a stand-in; its value is not judged again.
    public mutating func reject(_ field: String, _ message: String) {
        guard errors.count < Self.maximumErrors, !errors.contains(where: { $0.field == field }) else { return }
        errors.append(FieldError(field: field, message: message))
    }

    public mutating func require(_ holds: Bool, _ field: String, _ message: String) {
        state(field, .words(message))
        check(holds, field, message)
    }

    private mutating func check(_ holds: Bool, _ field: String, _ message: String) {
        if !holds { reject(field, message) }
    }

    /// Not blank, no control characters, at most `maximum` Unicode scalars: one character may be any number of them.
    public mutating func text(_ value: String?, _ field: String, maximum: Int = 200) {
        state(field, .length(1...maximum))
        state(field, .plainText)
        plainText(value, field, maximum: maximum)
    }

    private mutating func plainText(_ value: String?, _ field: String, maximum: Int) {
        guard let value else { return }
        if value.allSatisfy(\.isWhitespace) { return reject(field, "must not be empty") }
        if value.unicodeScalars.count > maximum { return reject(field, "must be at most \(maximum) characters long") }
        if value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) {
            reject(field, "must not contain control characters")
        }
        if value == #"\N"# { reject(field, #"must not be \N, which clears a value in files"#) }
    }

    /// The same for text of several lines, which may hold line breaks and tabs.
    public mutating func prose(_ value: String?, _ field: String, maximum: Int) {
        state(field, .length(1...maximum))
        state(field, .prose)
        guard let value else { return }
        let plain = value.replacing("\r\n", with: " ").map { $0 == "\n" || $0 == "\t" || $0 == "\r" ? " " : $0 }
        plainText(String(plain), field, maximum: maximum)
    }

    /// The name of a dictionary's member.
    public mutating func name(_ name: String, of field: String, maximum: Int) {
        state(field, .nameLength(maximum))
        var inner = Validation()
        inner.text(name, "\(field).\(name)", maximum: maximum)
        for error in inner.errors { reject(error.field, error.message) }
    }

    /// Any text of that many Unicode scalars, such as a secret.
    public mutating func length(_ value: String?, _ range: ClosedRange<Int>, _ field: String) {
        state(field, .length(range))
        guard let length = value?.unicodeScalars.count else { return }
        if length == 0 { return check(range.contains(0), field, "must not be empty") }
        check(length >= range.lowerBound, field, "must be at least \(range.lowerBound) characters long")
        check(length <= range.upperBound, field, "must be at most \(range.upperBound) characters long")
    }

    /// How many entries a list or a dictionary has.
    /// - Returns: false when that many need not be looked at one by one.
    @discardableResult
    public mutating func count(_ count: Int?, _ range: ClosedRange<Int>, _ field: String) -> Bool {
        state(field, .count(range))
        // While recording one entry stands for all: what is said of it is to be heard.
        guard !isRecording, let count, !range.contains(count) else { return true }
        let (lower, upper) = (range.lowerBound, range.upperBound)
        let words = lower == 0 ? "at most" : lower == upper ? "exactly" : "between \(lower) and"
        reject(field, "must have \(words) \(upper) entries")
        return false
    }

    public mutating func oneOf(_ value: String?, _ names: [String], _ field: String) {
        state(field, .oneOf(names))
        guard let value else { return }
        check(
            names.contains(value), field, "must be \(names.count > 1 ? "one of " : "")\(names.joined(separator: ", "))")
    }

    /// What a part of the request says of itself.
    public mutating func nested(_ payload: some RequestPayload, _ path: String) {
        var inner = Validation(isRecording: isRecording)
        payload.validate(&inner)
        for error in inner.errors { reject("\(path).\(error.field)", error.message) }
        for rule in inner.rules { state("\(path).\(rule.field)", rule.limit) }
    }

    public mutating func range(_ value: Double?, above lower: Double, atMost upper: Double, _ field: String) {
        state(field, .above(lower, atMost: upper))
        guard let value else { return }
        check(
            value.isFinite && value > lower && value <= upper, field,
            "must be above \(Self.plain(lower)) and at most \(Self.plain(upper))")
    }

    public mutating func range(_ value: Double?, _ range: ClosedRange<Double>, _ field: String) {
        state(field, .value(range))
        guard let value else { return }
        guard value.isFinite, range.contains(value) else {
            return reject(field, "must be between \(Self.plain(range.lowerBound)) and \(Self.plain(range.upperBound))")
        }
    }

    public mutating func range(_ value: Int?, _ range: ClosedRange<Int>, _ field: String) {
        state(field, .value(Double(range.lowerBound)...Double(range.upperBound)))
        guard let value else { return }
        check(range.contains(value), field, "must be between \(range.lowerBound) and \(range.upperBound)")
    }

    /// `end` not before `start`; either may be unknown.
    public mutating func order(_ start: CivilDate?, _ end: CivilDate?, _ endField: String, notBefore startField: String)
    {
        guard let start, let end else { return }
        require(end >= start, endField, "must not be before \(startField)")
    }

    /// Something before one `@`, a dotted name after it, nothing that cannot be seen: the mailbox itself is proved by mail, not by
    /// a pattern.
    public mutating func email(_ value: String?, _ field: String) {
        state(field, .email)
        guard let value else { return }
        let parts = value.split(separator: "@", omittingEmptySubsequences: false)
        let valid =
            value.utf8.count <= 254 && parts.count == 2 && !parts[0].isEmpty && Self.isDomain(parts[1])
            && !value.unicodeScalars.contains { $0.isInvisible || "<>\"".unicodeScalars.contains($0) }
        check(valid, field, "must be an e-mail address")
    }

    /// At least two labels; none is empty, begins or ends with a hyphen, or has other ASCII than letters and digits besides.
    private static func isDomain(_ name: Substring) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { !$0.isASCII || $0.isLetter || $0.isNumber || $0 == "-" }
            }
    }

    /// Text that stands for a right, so that no two look the same for what cannot be seen.
    public mutating func visibleText(_ value: String?, _ field: String, maximum: Int) {
        text(value, field, maximum: maximum)
        guard let value else { return }
        check(
            !value.unicodeScalars.contains { $0 != " " && $0.isInvisible }, field,
            "must not contain characters that cannot be seen")
    }

    public mutating func notNegative(_ value: Int?, _ field: String) {
        state(field, .value(0...Double(Int.max)))
        check((value ?? 0) >= 0, field, "must not be negative")
    }

    /// Short free-text tags such as skills: at most `maximumCount`, each not blank and at most 100 characters.
    public mutating func tags(_ values: [String]?, _ field: String, maximumCount: Int = 100) {
        tags(values, field, 0...maximumCount)
    }

    public mutating func tags(_ values: [String]?, _ field: String, _ range: ClosedRange<Int>) {
        guard count(values?.count, range, field), let values else { return }
        for (index, value) in values.enumerated() { text(value, "\(field)[\(index)]", maximum: 100) }
    }

    /// The name of a skill, or a further word for it: files of the import format write `Swift>=3` for a skill with a least level.
    public mutating func skill(_ name: String?, _ field: String) {
        text(name, field, maximum: 100)
        guard let name else { return }
        check(!name.contains(">="), field, "must not contain >=, which stands before a least level in files")
    }

    /// Names of skills.
    public mutating func skills(_ names: [String]?, _ field: String, maximumCount: Int = 100) {
        guard count(names?.count, 0...maximumCount, field), let names else { return }
        for (index, name) in names.enumerated() { skill(name, "\(field)[\(index)]") }
    }

    /// String pairs: at most 50, keys up to 100 and values up to 500 characters.
    public mutating func labels(_ values: [String: String]?, _ field: String) {
        guard count(values?.count, 0...50, field), let values else { return }
        for (key, value) in values {
            name(key, of: field, maximum: 100)
            text(value, "\(field).\(key)", maximum: 500)
        }
    }

    /// Least levels of required skills, 1…5, each of a skill that is required; any when `skills` is nil, which are not known here.
    public mutating func levels(_ values: [String: Int]?, _ field: String, of skills: [String]?) {
        guard count(values?.count, 0...100, field), let values else { return }
        let required = skills.map { Set($0.map(\.folded)) }
        for (skill, level) in values {
            name(skill, of: field, maximum: 100)
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

extension Unicode.Scalar {
    /// A blank, a control character, or one that only changes how its neighbours look.
    fileprivate var isInvisible: Bool {
        if properties.isWhitespace { return true }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }
}

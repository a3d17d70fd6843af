import Contracts

/// What a value looks like on the wire, as a node that rules can still be added to.
final class Schema {
    enum Kind {
        /// Any JSON value.
        case any
        case string, integer, number, boolean
        case array(Schema)
        /// An object with any names.
        case map(Schema)
        case object([Member])
    }

    struct Member {
        let name: String
        let schema: Schema
        /// nil: may be left out and may be null; false: may be left out; true: must be there.
        var presence: Presence
    }

    enum Presence { case required, optional, optionalOrNull }

    var kind = Kind.any
    var isNullable = false
    /// Of an object or an enum, which has a name of its own in the description.
    var typeName: String?
    /// Keywords of JSON Schema: `maxLength`, `format` and so on.
    var keywords: [String: JSONValue] = [:]
    /// Rules that no keyword can say.
    var words: [String] = []
    /// A text of that form.
    var example: String?

    /// `ImportReportRowError` for `ImportReport.RowError`.
    static func name(of type: Any.Type) -> String {
        let path = String(reflecting: type).split(separator: ".").dropFirst()
        return path.joined().filter { $0.isLetter || $0.isNumber }
    }

    /// The part of a value that a field's path names; nil for a path that leads nowhere.
    func part(at path: String) -> Schema? {
        var schema: Schema? = self
        for step in path.split(whereSeparator: { $0 == "." || $0 == "[" }) {
            switch schema?.kind {
            case .array(let element)? where step.hasSuffix("]"): schema = element
            case .map(let value)?: schema = value
            case .object(let members)?: schema = members.first { $0.name == step }?.schema
            default: return nil
            }
        }
        return schema
    }

    /// Adds what a request's `validate` states.
    func apply(_ rule: StatedRule) {
        part(at: rule.field)?.apply(rule.limit)
    }

    private func apply(_ limit: StatedRule.Limit) {
        switch limit {
        case .length(let range):
            keywords["minLength"] = .integer(range.lowerBound)
            keywords["maxLength"] = .integer(range.upperBound)
        case .plainText: keywords["pattern"] = .string(Self.pattern(without: #"\u0000-\u001f\u007f"#))
        case .prose:
            keywords["pattern"] = .string(Self.pattern(without: #"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f"#))
        case .value(let range):
            keywords["minimum"] = number(range.lowerBound)
            keywords["maximum"] = number(range.upperBound)
        case .above(let lower, let upper):
            keywords["exclusiveMinimum"] = number(lower)
            keywords["maximum"] = number(upper)
        case .count(let range):
            let noun = if case .map = kind { "Properties" } else { "Items" }
            if range.lowerBound > 0 { keywords["min\(noun)"] = .integer(range.lowerBound) }
            keywords["max\(noun)"] = .integer(range.upperBound)
        case .nameLength(let maximum):
            keywords["propertyNames"] = .object(["minLength": .integer(1), "maxLength": .integer(maximum)])
        case .email:
            keywords["format"] = .string("email")
            keywords["maxLength"] = .integer(254)
        case .oneOf(let names): keywords["enum"] = .array(names.map(JSONValue.string))
        case .words(let words): self.words.append(words)
        }
    }

    /// Whether every value that is allowed is one of 32 bits, as which a client's generator takes a number without a format.
    var fits32Bits: Bool {
        guard let lower = keywords["minimum"]?.doubleValue, let upper = keywords["maximum"]?.doubleValue else {
            return false
        }
        return lower >= Double(Int32.min) && upper <= Double(Int32.max)
    }

    /// Something beside blanks, and none of some control characters.
    private static func pattern(without control: String) -> String {
        #"^[^\#(control)]*[^\s\u0000-\u001f\u007f][^\#(control)]*$"#
    }

    private func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map(JSONValue.integer) ?? .number(value)
    }
}

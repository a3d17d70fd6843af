public import Contracts
public import Foundation
public import Hummingbird

/// The query of a request, read strictly: reading a parameter declares it, and ``finish()`` throws one 422 that lists
/// every bad, repeated, missing and unknown parameter.
public struct QueryParameters {
    private let path: String
    private var values: [String: [String]] = [:]
    private var validation = Validation()
    /// The parameters read so far.
    private(set) var declared: [QueryParameter] = []

    public init(_ request: Request) throws {
        path = request.uri.path
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ text: Substring) -> String? { text.replacing("+", with: " ").removingPercentEncoding }
            guard let name = decoded(sides[0]), let value = decoded(sides.count > 1 ? sides[1] : ""),
                !name.contains("\0"),
                !value.contains("\0")
            else { throw ProblemError.malformed("The query is not valid percent-encoded UTF-8.") }
            values[name, default: []].append(value)
        }
    }

    /// An empty query, to learn what a route reads.
    init() { path = "" }

    public mutating func string(_ name: String) -> String? { read(name, .text(), "") { $0 } }

    public mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        read(name, .integer(range), "must be a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// With a value for a request that has none.
    public mutating func integer(_ name: String, _ range: ClosedRange<Int>, default value: Int) -> Int {
        let given = integer(name, range)
        declared[declared.count - 1].defaultValue = .integer(value)
        return given ?? value
    }

    public mutating func bool(_ name: String) -> Bool? { read(name, .bool, "must be true or false") { Bool($0) } }

    /// With a value for a request that has none.
    public mutating func bool(_ name: String, default value: Bool) -> Bool {
        let given = bool(name)
        declared[declared.count - 1].defaultValue = .bool(value)
        return given ?? value
    }

    public mutating func civilDate(_ name: String) -> CivilDate? {
        read(name, .civilDate, "must be a date like 2026-01-31") { CivilDate($0) }
    }

    public mutating func date(_ name: String) -> Date? {
        read(name, .time, "must be a time like 2026-01-31T12:00:00.000Z") { WireJSON.date($0) }
    }

    public mutating func identifier<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) -> Identifier<Entity>? {
        read(name, .identifier, "must be a UUID") { Identifier($0) }
    }

    /// One id or several: the one parameter that may be given more than once.
    public mutating func identifiers<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) -> [Identifier<Entity>]? {
        declared.append(QueryParameter(name: name, kind: .identifiers))
        guard let all = values[name] else { return nil }
        if all.count > Self.maximumIdentifiers {
            validation.reject(name, "is given more than \(Self.maximumIdentifiers) times")
        }
        let ids = all.compactMap { Identifier<Entity>($0) }
        if ids.count < all.count { validation.reject(name, "must be a UUID") }
        return ids
    }

    /// As many as fit into a request's line with room to spare.
    static let maximumIdentifiers = 100

    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, as type: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        return read(name, .choice(names), "must be one of \(names.joined(separator: ", "))") { Choice(rawValue: $0) }
    }

    /// With a value for a request that has none.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default value: Choice
    ) -> Choice where Choice.RawValue == String {
        let given: Choice? = choice(name)
        declared[declared.count - 1].defaultValue = .string(value.rawValue)
        return given ?? value
    }

    /// A value that a route reads in a way of its own.
    public mutating func value<Value>(_ name: String, _ message: String, _ convert: (String) -> Value?) -> Value? {
        read(name, .text(), message, convert)
    }

    /// The parameter read last must be there. What stands in for a missing one never leaves the reader: ``finish()`` throws.
    public mutating func required<Value>(_ value: Value?, or placeholder: @autoclosure () -> Value) -> Value {
        let name = declared[declared.count - 1].name
        declared[declared.count - 1].isRequired = true
        validation.require(values[name] != nil, name, "is missing")
        return value ?? placeholder()
    }

    public mutating func requiredCivilDate(_ name: String) -> CivilDate {
        let date = civilDate(name)
        return required(date, or: .decodingPlaceholder)
    }

    public mutating func requiredIdentifier<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) -> Identifier<Entity> {
        let id: Identifier<Entity>? = identifier(name)
        return required(id, or: .decodingPlaceholder)
    }

    public mutating func requiredChoice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, as type: Choice.Type = Choice.self
    ) -> Choice where Choice.RawValue == String {
        let value: Choice? = choice(name)
        return required(value, or: Choice.allCases[Choice.allCases.startIndex])
    }

    /// `limit` and `cursor`.
    public mutating func page<Position>(_ type: Position.Type = Position.self) -> PageQuery<Position> {
        let limit = integer("limit", 1...Page.maximumLimit, default: Page.defaultLimit)
        let path = path
        let after: Position? = read("cursor", .text(1...Page.maximumCursorBytes), "is not a cursor of this list") {
            guard $0.utf8.count <= Page.maximumCursorBytes else { return nil }
            return ListCursor.unwrap($0, of: path).flatMap { RowCursor.decode(from: $0) }
        }
        return PageQuery(limit: limit, after: after)
    }

    /// Whether the request has the parameter.
    public func isGiven(_ name: String) -> Bool { values[name] != nil }

    /// False after a fault: some values may be stand-ins, which need no further judgement.
    public var isValid: Bool { validation.errors.isEmpty }

    /// Refuses a parameter for a reason of the route's own.
    public mutating func reject(_ name: String, _ message: String) { validation.reject(name, message) }

    /// - Throws: ``ProblemError`` 422.
    mutating func finish() throws {
        let known = Set(declared.map(\.name))
        for name in values.keys.sorted() where !known.contains(name) {
            validation.reject(name, "is not a parameter of this request")
        }
        guard validation.errors.isEmpty else { throw ProblemError.validation(validation.errors) }
    }

    private mutating func read<Value>(
        _ name: String, _ kind: QueryParameter.Kind, _ message: String, _ convert: (String) -> Value?
    ) -> Value? {
        declared.append(QueryParameter(name: name, kind: kind))
        guard let all = values[name] else { return nil }
        if all.count > 1 { validation.reject(name, "is given more than once") }
        let value = convert(all[0])
        if value == nil { validation.reject(name, message) }
        return value
    }
}

/// What a route reads in its query.
public struct QueryParameter: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// With the limits of its length, where it has any.
        case text(ClosedRange<Int>? = nil)
        case integer(ClosedRange<Int>)
        case bool, civilDate, time, identifier
        /// One or several, the parameter repeated.
        case identifiers
        case choice([String])
    }

    public let name: String
    public let kind: Kind
    public internal(set) var isRequired = false
    public internal(set) var defaultValue: JSONValue?

    init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

public import Contracts
public import Foundation
public import Hummingbird

/// The query of a request, read strictly: take each parameter that the route knows, then ``finish()``, which throws one
/// 422 that lists every bad, repeated and unknown parameter.
public struct QueryParameters {
    private var values: [String: [String]] = [:]
    private var known: Set<String> = []
    private var validation = Validation()

    public init(_ request: Request) throws {
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

    public mutating func string(_ name: String) -> String? {
        known.insert(name)
        guard let all = values[name] else { return nil }
        if all.count > 1 { validation.reject(name, "is given more than once") }
        return all[0]
    }

    public mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        parse(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    public mutating func bool(_ name: String) -> Bool? { parse(name, "must be true or false") { Bool($0) } }

    public mutating func civilDate(_ name: String) -> CivilDate? {
        parse(name, "must be a date like 2026-01-31") { CivilDate($0) }
    }

    public mutating func date(_ name: String) -> Date? {
        parse(name, "must be a time like 2026-01-31T12:00:00.000Z") { WireJSON.date($0) }
    }

    public mutating func identifier<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) -> Identifier<Entity>? {
        parse(name, "must be a UUID") { Identifier($0) }
    }

    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, as type: Choice.Type = Choice.self
    ) -> Choice? where Choice.RawValue == String {
        parse(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))") {
            Choice(rawValue: $0)
        }
    }

    /// `limit` and `cursor`.
    public mutating func page() -> PageQuery {
        let limit = integer("limit", 1...Page.maximumLimit) ?? Page.defaultLimit
        let cursor = string("cursor")
        validation.require(
            cursor.map { !$0.isEmpty && $0.utf8.count <= 2048 } ?? true, "cursor", "is not a cursor of this list")
        return PageQuery(limit: limit, cursor: cursor)
    }

    /// Refuses a parameter for a reason of the route's own.
    public mutating func reject(_ name: String, _ message: String) { validation.reject(name, message) }

    /// A parameter that must be there.
    public mutating func require<T>(_ name: String, _ value: T?) {
        validation.require(value != nil, name, "is missing")
    }

    /// - Throws: ``ProblemError`` 422.
    public mutating func finish() throws {
        for name in values.keys.sorted() where !known.contains(name) {
            validation.reject(name, "is not a parameter of this request")
        }
        guard validation.errors.isEmpty else { throw ProblemError.validation(validation.errors) }
    }

    private mutating func parse<T>(_ name: String, _ message: String, _ convert: (String) -> T?) -> T? {
        guard let text = string(name) else { return nil }
        let value = convert(text)
        if value == nil { validation.reject(name, message) }
        return value
    }
}

/// Which part of a list is asked for.
public struct PageQuery: Sendable, Equatable {
    /// 1…500
    public let limit: Int
    /// As an earlier answer gave it; nil for the start.
    public let cursor: String?

    public init(limit: Int = Page.defaultLimit, cursor: String? = nil) {
        self.limit = limit
        self.cursor = cursor
    }
}

extension Request {
    /// `limit` and `cursor` of a list that takes no other parameters.
    /// - Throws: ``ProblemError`` 422.
    public func pageQuery() throws -> PageQuery {
        var query = try QueryParameters(self)
        let page = query.page()
        try query.finish()
        return page
    }

    /// - Throws: ``ProblemError`` 422 when there is any parameter at all.
    public func rejectQuery() throws {
        var query = try QueryParameters(self)
        try query.finish()
    }
}

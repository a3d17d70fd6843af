import Contracts
import Foundation

/// A type that the decoder reads itself instead of by its `init(from:)`, and a value that stands in for it.
extension JSONNode {
    /// Decodes any type. On an error that was reported a stand-in is returned where there is one, else `Stop` is thrown.
    func decode<T: Decodable>(_ type: T.Type, codingPath: [any CodingKey]) throws -> T {
        if let value = try scalar(type) { return value }
        do {
            // A dictionary knows no keys beforehand.
            if type is any StringKeyed.Type { askForAll() }
            let value = try T(from: StrictDecoder(node: self, codingPath: codingPath))
            return value
        } catch let stop as JSONReport.Stop {
            return try standIn(for: type, after: stop)
        } catch DecodingError.dataCorrupted(let context) {
            report.reject(path, readable(context.debugDescription, of: type))
        } catch DecodingError.typeMismatch(_, _), DecodingError.valueNotFound(_, _) {
            report.reject(path, "is not valid")
        } catch DecodingError.keyNotFound(let key, _) {
            report.reject(path[key.stringValue], "is missing")
        }
        return try standIn(for: type, after: JSONReport.Stop())
    }

    func standIn<T>(for type: T.Type, after stop: JSONReport.Stop) throws -> T {
        if let placeholder = Self.placeholder(type) { return placeholder }
        throw stop
    }

    /// A value of `type` to go on with after an error.
    static func placeholder<T>(_ type: T.Type) -> T? {
        let value: Any? =
            switch type {
            case let type as any DecodingPlaceholder.Type: type.decodingPlaceholder
            case is String.Type: ""
            case is Bool.Type: false
            case is Double.Type: 0.0
            case is Float.Type: Float(0)
            case let type as any FixedWidthInteger.Type: type.init(clamping: 0)
            case is Date.Type: Date(timeIntervalSince1970: 0)
            case is UUID.Type: UUID()
            case is JSONValue.Type: JSONValue.null
            case let type as any ExpressibleByNilLiteral.Type: Self.null(type)
            case let type as any EmptyStandIn.Type: type.empty
            case let type as any CaseIterable.Type: Self.first(type)
            default: nil
            }
        return value as? T
    }

    private static func null<T: ExpressibleByNilLiteral>(_ type: T.Type) -> Any { T(nilLiteral: ()) }
    private static func first<T: CaseIterable>(_ type: T.Type) -> Any? { type.allCases.first }

    /// The values that are read here; nil for all other types.
    private func scalar<T>(_ type: T.Type) throws -> T? {
        switch type {
        case is String.Type: return try string() as? T
        case is Bool.Type: return try bool() as? T
        case is Double.Type: return try double() as? T
        case is Float.Type: return Float(try double()) as? T
        case let type as any FixedWidthInteger.Type: return try integer(type) as? T
        case is Date.Type: return try date() as? T
        case is JSONValue.Type: return json() as? T
        default: return nil
        }
    }

    func string() throws -> String {
        guard case .string(let text) = syntax else { return wrong("must be a string", "") }
        if text.unicodeScalars.contains("\0") { return wrong("must not contain the character U+0000", "") }
        return text
    }

    func bool() throws -> Bool {
        guard case .bool(let value) = syntax else { return wrong("must be true or false", false) }
        return value
    }

    func double() throws -> Double {
        guard case .number(let text) = syntax else { return wrong("must be a number", 0) }
        guard let value = Double(text), value.isFinite else { return wrong("is too large a number", 0) }
        return value
    }

    func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
        guard case .number(let text) = syntax else { return wrong("must be a whole number", 0) }
        if let value = I(text) { return value }
        // 3.0 and 1e3 are whole numbers too (RFC 8259 does not tell them apart), as far as a double is exact.
        guard let value = Double(text), value.rounded() == value else { return wrong("must be a whole number", 0) }
        guard abs(value) <= 9_007_199_254_740_992, let exact = I(exactly: value) else {
            return wrong("must be between \(I.min) and \(I.max)", 0)
        }
        return exact
    }

    private func date() throws -> Date {
        let zero = Date(timeIntervalSince1970: 0)
        guard case .string(let text) = syntax, let date = WireJSON.date(text) else {
            return wrong("must be a time like 2026-01-31T12:00:00.000Z", zero)
        }
        return date
    }

    /// Free-form JSON keeps its numbers: whole ones as `integer`.
    private func json() -> JSONValue {
        switch syntax {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .number(let text): return Self.number(text) ?? wrong("is too large a number", .null)
        case .string(let text):
            if text.unicodeScalars.contains("\0") { return wrong("must not contain the character U+0000", .null) }
            return .string(text)
        case .array(let values):
            // A tensor is an array of numbers: none of them needs a node.
            return .array(
                values.indices.map { index in
                    if case .number(let text) = values[index], let number = Self.number(text) { return number }
                    return element(index).json()
                })
        case .object:
            askForAll()
            return .object(members.mapValues { $0.json() })
        }
    }

    /// nil for one that is too large.
    private static func number(_ text: String) -> JSONValue? {
        if let value = Int(text) { return .integer(value) }
        return Double(text).flatMap { $0.isFinite ? .number($0) : nil }
    }

    private func wrong<T>(_ message: String, _ standIn: T) -> T {
        report.reject(path, isNull ? "must not be null" : message)
        return standIn
    }

    /// Contracts' own types say what they want ("must be a UUID"); the standard library's words are not for clients.
    private func readable(_ message: String, of type: Any.Type) -> String {
        if message.hasPrefix("must ") || message.hasPrefix("is ") { return message }
        if isNull { return "must not be null" }
        if let type = type as? any CaseIterable.Type, let names = Self.names(type) {
            return "must be one of \(names.joined(separator: ", "))"
        }
        return type is UUID.Type ? "must be a UUID" : "is not valid"
    }

    static func names<T: CaseIterable>(_ type: T.Type) -> [String]? {
        let names = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        return names.isEmpty ? nil : names
    }
}

/// Dictionaries with string keys.
private protocol StringKeyed {}
extension Dictionary: StringKeyed where Key == String {}

private protocol EmptyStandIn { static var empty: Self { get } }
extension Array: EmptyStandIn { static var empty: [Element] { [] } }
extension Set: EmptyStandIn { static var empty: Set<Element> { [] } }
extension Dictionary: EmptyStandIn { static var empty: [Key: Value] { [:] } }

import Contracts
import Foundation

/// Learns what a type looks like on the wire by running its `init(from:)` on a decoder that answers every question and
/// writes it down. What the type reads is what is described: there is no second list of fields.
///
/// Optional fields are answered too, and lists and dictionaries have one element, so that `validate` meets every part.
enum SchemaRecorder {
    /// - Returns: the schema with the rules that the type states.
    /// - Throws: ``Unrecordable`` for a type that takes none of the values offered; give it a `DecodingPlaceholder`.
    static func request<T: RequestPayload>(_ type: T.Type) throws -> Schema {
        let (schema, value) = try record(type)
        for rule in Validation.rules(of: value) { schema.apply(rule) }
        return schema
    }

    static func schema<T: Decodable>(_ type: T.Type) throws -> Schema { try record(type).0 }

    struct Unrecordable: Error, CustomStringConvertible {
        let type: String
        let cause: any Error
        var description: String { "\(type) cannot be described: \(cause)" }
    }

    private static func record<T: Decodable>(_ type: T.Type) throws -> (Schema, T) {
        let schema = Schema()
        return (schema, try value(of: type, describing: schema))
    }

    /// Fills the schema; gives a value to go on with.
    static func value<T: Decodable>(of type: T.Type, describing schema: Schema) throws -> T {
        if let value = try leaf(type, schema) as? T { return value }
        if let type = type as? any Nested.Type, let value = try type.record(schema) as? T { return value }
        if let names = names(of: type), let first = JSONNode.placeholder(type) {
            schema.kind = .string
            schema.keywords["enum"] = .array(names.map(JSONValue.string))
            schema.typeName = Schema.name(of: type)
            return first
        }
        do {
            return try T(from: RecordingDecoder(schema: schema, type: type))
        } catch let error as Unrecordable {
            throw error
        } catch {
            guard let placeholder = JSONNode.placeholder(type) else {
                throw Unrecordable(type: "\(type)", cause: error)
            }
            return placeholder
        }
    }

    private static func leaf(_ type: Any.Type, _ schema: Schema) throws -> Any? {
        switch type {
        case is String.Type:
            schema.kind = .string
            return "x"
        case is Bool.Type:
            schema.kind = .boolean
            return true
        case is Double.Type:
            schema.kind = .number
            return 1.0
        case is Float.Type:
            schema.kind = .number
            return Float(1)
        case let type as any FixedWidthInteger.Type:
            schema.kind = .integer
            return type.init(clamping: 1)
        case is Date.Type:
            text(schema, TextForm(format: "date-time", example: "2026-01-31T12:00:00.000Z"))
            return Date(timeIntervalSince1970: 0)
        case is UUID.Type:
            text(schema, TenantID.textForm)
            return UUID()
        case is JSONValue.Type: return JSONValue.null
        case let type as any WireText.Type:
            text(schema, type.textForm)
            return (type as? any DecodingPlaceholder.Type)?.decodingPlaceholder
        default: return nil
        }
    }

    private static func text(_ schema: Schema, _ form: TextForm) {
        schema.kind = .string
        if let format = form.format { schema.keywords["format"] = .string(format) }
        if let pattern = form.pattern { schema.keywords["pattern"] = .string(pattern) }
        schema.example = form.example
    }

    private static func names(of type: Any.Type) -> [String]? {
        guard let type = type as? any CaseIterable.Type else { return nil }
        return JSONNode.names(type)
    }
}

/// Types that hold others.
private protocol Nested { static func record(_ schema: Schema) throws -> Any }

extension Array: Nested where Element: Decodable {
    fileprivate static func record(_ schema: Schema) throws -> Any {
        let element = Schema()
        schema.kind = .array(element)
        return [try SchemaRecorder.value(of: Element.self, describing: element)]
    }
}

extension Set: Nested where Element: Decodable {
    fileprivate static func record(_ schema: Schema) throws -> Any {
        let element = Schema()
        schema.kind = .array(element)
        schema.keywords["uniqueItems"] = .bool(true)
        return Set([try SchemaRecorder.value(of: Element.self, describing: element)])
    }
}

extension Dictionary: Nested where Key == String, Value: Decodable {
    fileprivate static func record(_ schema: Schema) throws -> Any {
        let value = Schema()
        schema.kind = .map(value)
        return ["key": try SchemaRecorder.value(of: Value.self, describing: value)]
    }
}

extension Optional: Nested where Wrapped: Decodable {
    fileprivate static func record(_ schema: Schema) throws -> Any {
        schema.isNullable = true
        return Optional.some(try SchemaRecorder.value(of: Wrapped.self, describing: schema)) as Any
    }
}

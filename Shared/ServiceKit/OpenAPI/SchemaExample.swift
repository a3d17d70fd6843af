import Contracts

/// An example made from a schema; for requests one that the request's own type accepts.
enum SchemaExample {
    /// Every field is there, as far as the request's rules let them be there together.
    /// - Returns: nil for a request that takes no example made this way.
    static func request<T: RequestPayload>(_ type: T.Type, _ schema: Schema) -> JSONValue? {
        var example = value(schema)
        while true {
            do {
                _ = try StrictJSON.decode(type, from: try WireJSON.encode(example))
                return example
            } catch let problem as ProblemError {
                let shorter = problem.errors.lazy.compactMap { error in
                    leavingOut(error.field.split { ".[]".contains($0) }[...], of: example, schema)
                }.first
                guard let shorter else { return nil }
                example = shorter
            } catch {
                return nil
            }
        }
    }

    /// The value without the innermost field on a path that may be left out: it does not go with the rest.
    /// - Parameter path: names of fields and places in arrays.
    /// - Returns: nil where the path names nothing that may be left out.
    private static func leavingOut(_ path: ArraySlice<Substring>, of value: JSONValue, _ schema: Schema) -> JSONValue? {
        guard let step = path.first else { return nil }
        switch (value, schema.kind) {
        case (.object(var fields), .object(let members)):
            let name = String(step)
            guard let member = members.first(where: { $0.name == name }), let inner = fields[name] else { return nil }
            let shorter = leavingOut(path.dropFirst(), of: inner, member.schema)
            guard shorter != nil || member.presence != .required else { return nil }
            fields[name] = shorter
            return .object(fields)
        case (.array(var elements), .array(let element)):
            guard let place = Int(step), elements.indices.contains(place),
                let shorter = leavingOut(path.dropFirst(), of: elements[place], element)
            else { return nil }
            elements[place] = shorter
            return .array(elements)
        default:
            return nil
        }
    }

    static func value(_ schema: Schema) -> JSONValue {
        switch schema.kind {
        case .any: return .string("text")
        case .boolean: return .bool(true)
        case .integer: return .integer(Int(number(schema)))
        case .number: return .number(number(schema))
        case .string: return .string(text(schema))
        case .array(let element): return .array([value(element)])
        case .map(let member): return .object(["text": value(member)])
        case .object(let members):
            return .object(Dictionary(uniqueKeysWithValues: members.map { ($0.name, value($0.schema)) }))
        }
    }

    private static func text(_ schema: Schema) -> String {
        if case .array(let names)? = schema.keywords["enum"], let first = names.first?.stringValue { return first }
        if let example = schema.example { return example }
        if schema.keywords["format"] == .string("email") { return "mia@acme.example" }
        let minimum = schema.keywords["minLength"]?.doubleValue ?? 0
        return minimum > 4 ? "correct horse battery staple" : "text"
    }

    /// 8, or the nearest to it that is allowed.
    private static func number(_ schema: Schema) -> Double {
        let lower = schema.keywords["minimum"]?.doubleValue ?? -.infinity
        let upper = schema.keywords["maximum"]?.doubleValue ?? .infinity
        return min(max(8, lower), upper)
    }
}

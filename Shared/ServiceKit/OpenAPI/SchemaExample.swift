import Contracts

/// An example made from a schema; for requests one that the request's own type accepts.
enum SchemaExample {
    /// Every field is there, as far as the request's rules let them be there together.
    /// - Returns: nil for a request that takes no example made this way.
    static func request<T: RequestPayload>(_ type: T.Type, _ schema: Schema) -> JSONValue? {
        guard case .object(var fields) = value(schema) else { return nil }
        while true {
            do {
                _ = try StrictJSON.decode(type, from: try WireJSON.encode(JSONValue.object(fields)))
                return .object(fields)
            } catch let problem as ProblemError {
                let faulty = problem.errors.compactMap { error in
                    error.field.split(whereSeparator: { $0 == "." || $0 == "[" }).first.map(String.init)
                }
                // What may be left out and does not go with the rest is left out.
                guard let field = faulty.first(where: { fields[$0] != nil && !schema.requires($0) }) else { return nil }
                fields[field] = nil
            } catch {
                return nil
            }
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

extension Schema {
    fileprivate func requires(_ name: String) -> Bool {
        guard case .object(let members) = kind else { return false }
        return members.first { $0.name == name }?.presence == .required
    }
}

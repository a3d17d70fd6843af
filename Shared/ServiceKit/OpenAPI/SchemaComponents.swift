import Contracts

/// Writes schemas as JSON Schema 2020-12 (that of OpenAPI 3.1), objects with names under `components`.
struct SchemaComponents {
    private(set) var schemas: [String: JSONValue] = [:]

    /// - Parameters:
    ///   - isRequest: unknown fields are refused there; in an answer, clients must expect new ones.
    ///   - ignoresUnknown: unknown fields of the request are ignored instead.
    mutating func json(_ schema: Schema, isRequest: Bool, ignoresUnknown: Bool = false) -> JSONValue {
        let body = inline(schema, isRequest, ignoresUnknown)
        guard let name = schema.typeName else { return nullable(body, schema) }
        let isEnum = if case .string = schema.kind { true } else { false }
        let title = isRequest && !isEnum && !name.hasSuffix("Request") ? name + "Input" : name
        guard schemas[title] == nil || schemas[title] == body else { return nullable(body, schema) }
        schemas[title] = body
        let reference = JSONValue.object(["$ref": .string("#/components/schemas/\(title)")])
        guard schema.isNullable else { return reference }
        return .object(["anyOf": .array([reference, .object(["type": .string("null")])])])
    }

    /// A schema written elsewhere.
    mutating func add(_ name: String, _ schema: JSONValue) -> JSONValue {
        schemas[name] = schema
        return .object(["$ref": .string("#/components/schemas/\(name)")])
    }

    private func nullable(_ json: JSONValue, _ schema: Schema) -> JSONValue {
        guard schema.isNullable, case .object(var members) = json, case .string(let type)? = members["type"] else {
            return json
        }
        members["type"] = .array([.string(type), .string("null")])
        if case .array(let names)? = members["enum"] { members["enum"] = .array(names + [.null]) }
        return .object(members)
    }

    private mutating func inline(_ schema: Schema, _ isRequest: Bool, _ ignoresUnknown: Bool) -> JSONValue {
        func part(_ schema: Schema) -> JSONValue {
            self.json(schema, isRequest: isRequest, ignoresUnknown: ignoresUnknown)
        }
        var json = schema.keywords
        if !schema.words.isEmpty {
            json["description"] = .string(schema.words.map { "It \($0)." }.joined(separator: " "))
        }
        switch schema.kind {
        case .any: break
        case .string: json["type"] = .string("string")
        case .integer:
            json["type"] = .string("integer")
            json["format"] = .string(schema.fits32Bits ? "int32" : "int64")
        case .number: json["type"] = .string("number")
        case .boolean: json["type"] = .string("boolean")
        case .array(let element):
            json["type"] = .string("array")
            json["items"] = part(element)
        case .map(let value):
            json["type"] = .string("object")
            json["additionalProperties"] = part(value)
        case .object(let members):
            json["type"] = .string("object")
            var properties: [String: JSONValue] = [:]
            for member in members {
                if member.presence == .optionalOrNull { member.schema.isNullable = true }
                // Generated clients name the type of such a field after it; no component shall have that name.
                if case .map = member.schema.kind {
                    member.schema.keywords["title"] = .string("\(member.name) by name")
                }
                var property = part(member.schema)
                if case .object(var keywords) = property,
                    let meaning = FieldMeaning.of(member.name, in: schema.typeName)
                {
                    keywords["description"] = .string(meaning)
                    property = .object(keywords)
                }
                properties[member.name] = property
            }
            json["properties"] = .object(properties)
            let required = members.filter { $0.presence == .required }.map { JSONValue.string($0.name) }
            if !required.isEmpty { json["required"] = .array(required) }
            if isRequest, !ignoresUnknown { json["additionalProperties"] = .bool(false) }
        }
        return .object(json)
    }
}

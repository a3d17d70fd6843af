import Contracts
import HTTPTypes

/// One route as an operation of OpenAPI.
struct OpenAPIOperation {
    let route: DeclaredRoute

    /// - Throws: ``SchemaRecorder/Unrecordable``.
    func json(_ components: inout SchemaComponents) throws -> JSONValue {
        var operation: [String: JSONValue] = [
            "operationId": .string(route.name),
            "summary": .string(Self.words(route.name)),
            "description": .string("For \(route.access.text)."),
            "tags": .array([.string(tag)]),
            "security": .array(security),
            "parameters": .array(try parameters()),
        ]
        if let body = route.body { operation["requestBody"] = try requestBody(body, &components) }
        operation["responses"] = .object(try responses(&components))
        return .object(operation)
    }

    /// The resource: the first segment below the API's root; all of the Open Inference Protocol is one.
    var tag: String {
        let segments = route.path.split(separator: "/").map(String.init)
        if segments.first == "v2" { return "inference" }
        return segments.first == "api" && segments.count > 2 ? segments[2] : "auth"
    }

    /// One of these lets a request in; an empty one: no credential does as well.
    private var security: [JSONValue] {
        let schemes =
            switch route.access {
            case .anyone, .namedTenant, .services: route.headers.contains(.sessionCookie) ? ["sessionCookie"] : []
            case .signedIn: ["accessToken", "apiKey", "operatorKey"]
            case .permission: ["accessToken", "apiKey"]
            case .platformOperator: ["operatorKey"]
            }
        let alternatives = schemes.map { JSONValue.object([$0: .array([])]) }
        return route.headers.contains(.sessionCookie) ? [.object([:])] + alternatives : alternatives
    }

    // MARK: What is sent

    private func parameters() throws -> [JSONValue] {
        try route.pathParameters.map(Self.parameter) + route.query.map(Self.parameter) + headers
    }

    private static func parameter(_ parameter: RoutePath.Parameter) throws -> JSONValue {
        let schema: [String: JSONValue] =
            switch parameter.kind {
            case .identifier: ["type": .string("string"), "format": .string("uuid")]
            case .date: ["type": .string("string"), "format": .string("date")]
            case .text: ["type": .string("string"), "minLength": .integer(1)]
            }
        return .object([
            "name": .string(parameter.name), "in": .string("path"), "required": .bool(true),
            "description": .string(try ParameterMeaning.inPath(parameter.name)), "schema": .object(schema),
        ])
    }

    private static func parameter(_ parameter: QueryParameter) throws -> JSONValue {
        var schema: [String: JSONValue] = ["type": .string("string")]
        switch parameter.kind {
        case .text(let length):
            if let length {
                schema["minLength"] = .integer(length.lowerBound)
                schema["maxLength"] = .integer(length.upperBound)
            }
        case .integer(let range):
            schema = [
                "type": .string("integer"), "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .bool: schema["type"] = .string("boolean")
        case .civilDate: schema["format"] = .string("date")
        case .time: schema["format"] = .string("date-time")
        case .identifier: schema["format"] = .string("uuid")
        case .identifiers:
            schema = [
                "type": .string("array"), "minItems": .integer(1),
                "maxItems": .integer(QueryParameters.maximumIdentifiers),
                "items": .object(["type": .string("string"), "format": .string("uuid")]),
            ]
        case .choice(let names): schema["enum"] = .array(names.map(JSONValue.string))
        }
        if let value = parameter.defaultValue { schema["default"] = value }
        return .object([
            "name": .string(parameter.name), "in": .string("query"), "required": .bool(parameter.isRequired),
            "description": .string(try ParameterMeaning.inQuery(parameter.name)), "schema": .object(schema),
        ])
    }

    private var headers: [JSONValue] {
        var names: [String] = ["RequestID"]
        if route.headers.contains(.idempotencyKey) { names.append("IdempotencyKey") }
        if route.headers.contains(.ifMatch) { names.append("IfMatch") }
        if route.headers.contains(.lastEventID) { names.append("LastEventID") }
        if route.headers.contains(.inferenceHeaderLength) { names.append("InferenceHeaderLength") }
        if route.answer.isConditional, route.method == .get { names.append("IfNoneMatch") }
        if route.access == .namedTenant || route.access == .anyone, tag == "auth" { names.append("TenantID") }
        return names.map { .object(["$ref": .string("#/components/parameters/\($0)")]) }
    }

    private func requestBody(_ body: RouteBody, _ components: inout SchemaComponents) throws -> JSONValue {
        let content: [String: JSONValue] =
            switch body.content {
            case .file(let mediaTypes): Self.files(mediaTypes)
            case .json(let type): ["application/json": try Self.json(type, &components)]
            case .jsonOrFile(let type, let mediaTypes):
                Self.files(mediaTypes).merging(["application/json": try Self.json(type, &components)]) { $1 }
            }
        return .object(["required": .bool(body.isRequired), "content": .object(content)])
    }

    private static func files(_ mediaTypes: [String]) -> [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: mediaTypes.map {
                ($0, .object(["schema": .object(["type": .string("string"), "format": .string("binary")])]))
            })
    }

    private static func json<T: RequestPayload>(
        _ type: T.Type, _ components: inout SchemaComponents
    ) throws -> JSONValue {
        let schema = try SchemaRecorder.request(type)
        var content: [String: JSONValue] = [
            "schema": components.json(schema, isRequest: true, ignoresUnknown: T.ignoresUnknownFields)
        ]
        if let example = SchemaExample.request(type, schema) { content["example"] = example }
        return .object(content)
    }

    // MARK: What is answered

    private func responses(_ components: inout SchemaComponents) throws -> [String: JSONValue] {
        var responses: [String: JSONValue] = [:]
        let content = try answers(&components)
        for status in route.answer.statuses {
            var headers = headersOfAll
            if route.answer.headers.contains(.eTag) { headers["ETag"] = Self.header("ETag") }
            if route.answer.headers.contains(.location), status == .created {
                headers["Location"] = Self.header("Location")
            }
            if route.answer.headers.contains(.setCookie) { headers["Set-Cookie"] = Self.header("SetCookie") }
            var response: [String: JSONValue] = [
                "description": .string(status.reasonPhrase), "headers": .object(headers),
            ]
            if !content.isEmpty, status != .noContent { response["content"] = .object(content) }
            responses["\(status.code)"] = .object(response)
        }
        if route.answer.isConditional, route.method == .get {
            responses["304"] = .object([
                "description": .string("The client has this version already."),
                "headers": .object(headersOfAll.merging(["ETag": Self.header("ETag")]) { $1 }),
            ])
        }
        for (status, codes) in RouteProblems.of(route) {
            var headers = headersOfAll
            if status == 401 { headers["WWW-Authenticate"] = Self.header("WWWAuthenticate") }
            if status == 429 || status == 503 { headers["Retry-After"] = Self.header("RetryAfter") }
            responses["\(status)"] = .object([
                "description": .string("A problem with the code \(codes.joined(separator: " or "))."),
                "headers": .object(headers),
                "content": .object([
                    Problem.mediaType: .object([
                        "schema": .object(["$ref": .string("#/components/schemas/Problem")]),
                        "examples": .object(
                            Dictionary(uniqueKeysWithValues: codes.map { ($0, RouteProblems.example($0)) })),
                    ])
                ]),
            ])
        }
        return responses
    }

    /// Of every answer.
    private var headersOfAll: [String: JSONValue] {
        var headers = ["X-Request-ID": Self.header("RequestID")]
        // Whom a tenant's allowance counts is told what is left of it.
        if case .permission = route.access {
            headers["RateLimit"] = Self.header("RateLimit")
            headers["RateLimit-Policy"] = Self.header("RateLimitPolicy")
        }
        return headers
    }

    private static func header(_ name: String) -> JSONValue {
        .object(["$ref": .string("#/components/headers/\(name)")])
    }

    private func answers(_ components: inout SchemaComponents) throws -> [String: JSONValue] {
        var content: [String: JSONValue] = [:]
        for answer in route.answer.content {
            switch answer {
            case .data(let type):
                content[answer.mediaType] = try Self.envelope(
                    type, isList: false, hasWarnings: route.answer.hasWarnings, &components)
            case .list(let type): content[answer.mediaType] = try Self.envelope(type, isList: true, &components)
            case .document(let type, _): content[answer.mediaType] = try Self.document(type, &components)
            case .text:
                content[answer.mediaType] = .object(["schema": .object(["type": .string("string")])])
            case .bytes:
                content[answer.mediaType] = .object([
                    "schema": .object(["type": .string("string"), "format": .string("binary")])
                ])
            }
        }
        return content
    }

    private static func document<T: Codable>(_ type: T.Type, _ components: inout SchemaComponents) throws -> JSONValue {
        let schema = try SchemaRecorder.schema(type)
        return .object([
            "schema": components.json(schema, isRequest: false), "example": SchemaExample.value(schema),
        ])
    }

    /// `{"success": true, "data": …}`, for a list with the `page` that says where it goes on.
    private static func envelope<T: Codable>(
        _ type: T.Type, isList: Bool, hasWarnings: Bool = false, _ components: inout SchemaComponents
    ) throws -> JSONValue {
        let schema = try SchemaRecorder.schema(type)
        let one = components.json(schema, isRequest: false)
        let data: JSONValue = isList ? .object(["type": .string("array"), "items": one]) : one
        var properties: [String: JSONValue] = [
            "success": .object(["type": .string("boolean"), "const": .bool(true)]), "data": data,
        ]
        let example = SchemaExample.value(schema)
        var answer: [String: JSONValue] = ["success": .bool(true), "data": isList ? .array([example]) : example]
        if isList {
            properties["page"] = components.json(try SchemaRecorder.schema(Page.self), isRequest: false)
            answer["page"] = .object(["nextCursor": .null])
        }
        if hasWarnings {
            let warning = components.json(try SchemaRecorder.schema(PlanningWarning.self), isRequest: false)
            properties["warnings"] = .object(["type": .string("array"), "items": warning])
            answer["warnings"] = .array([])
        }
        let body = JSONValue.object([
            "type": .string("object"), "properties": .object(properties),
            "required": .array(properties.keys.sorted().map(JSONValue.string)),
        ])
        let suffix = isList ? "List" : hasWarnings ? "AnswerWithWarnings" : "Answer"
        let described = schema.typeName.map { components.add($0 + suffix, body) } ?? body
        return .object(["schema": described, "example": .object(answer)])
    }

    /// `List API keys` for `listAPIKeys`.
    static func words(_ name: String) -> String {
        var words: [String] = []
        let letters = Array(name)
        for (index, letter) in letters.enumerated() {
            let beginsWord =
                index == 0
                || (letter.isUppercase
                    && (letters[index - 1].isLowercase
                        || (index + 1 < letters.count && letters[index + 1].isLowercase)))
            if beginsWord { words.append("") }
            words[words.count - 1].append(letter)
        }
        let lower = words.enumerated().map { index, word in
            word.count > 1 && word.allSatisfy(\.isUppercase) ? word : index == 0 ? word : word.lowercased()
        }
        let text = lower.joined(separator: " ")
        return text.prefix(1).uppercased() + text.dropFirst()
    }
}

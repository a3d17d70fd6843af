import Contracts
import Foundation
import HTTPTypes
import ServiceIdentity
import Testing

@testable import ServiceKit

@Suite("Descriptions of the API")
struct OpenAPITests {
    struct Part: Codable, Sendable {
        let share: Double
        let day: CivilDate
    }

    struct Asked: RequestPayload {
        let name: String
        let project: ProjectID
        let status: ProjectStatus?
        @NonNull var hours: Double?
        let note: Patch<String>
        let parts: [Part]
        let labels: [String: String]?
        let anything: JSONValue?
        let at: Date
        let count: Int

        func validate(_ validation: inout Validation) {
            validation.text(name, "name", maximum: 30)
            validation.range(hours, 0...168, "hours")
            validation.email(note.newValue, "note")
            if validation.count(parts.count, 1...5, "parts") {
                for (index, part) in parts.enumerated() { validation.range(part.share, 0...1, "parts[\(index)].share") }
            }
            validation.labels(labels, "labels")
            validation.require(count != 13, "count", "must not be 13")
        }
    }

    private func written(_ schema: Schema, isRequest: Bool = true) -> (JSONValue?, [String: JSONValue]) {
        var components = SchemaComponents()
        _ = components.json(schema, isRequest: isRequest)
        return (components.schemas.values.first { $0["properties"]?["name"] != nil }, components.schemas)
    }

    @Test("a request's fields, their types, what may be left out and what may be null are those its decoder reads")
    func fields() throws {
        let (described, schemas) = written(try SchemaRecorder.request(Asked.self))
        let asked = try #require(described)
        let fields = try #require(asked["properties"])
        #expect(
            Set(asked["required"]?.elements.compactMap(\.stringValue) ?? [])
                == ["name", "project", "parts", "at", "count"])
        #expect(asked["additionalProperties"] == .bool(false))
        var lenient = SchemaComponents()
        _ = lenient.json(try SchemaRecorder.request(Asked.self), isRequest: true, ignoresUnknown: true)
        #expect(lenient.schemas.values.allSatisfy { $0["additionalProperties"] != .bool(false) })
        #expect(fields["project"]?["format"] == .string("uuid"))
        #expect(fields["at"]?["format"] == .string("date-time"))
        #expect(fields["count"]?["type"] == .string("integer"))
        // NonNull may be left out and not be null; Patch and a plain optional may be both.
        #expect(fields["hours"]?["type"] == .string("number"))
        #expect(fields["note"]?["type"] == .array([.string("string"), .string("null")]))
        #expect(
            fields["status"]?["anyOf"]?.elements.first?["$ref"] == .string("#/components/schemas/ProjectStatus"))
        #expect(schemas["ProjectStatus"]?["enum"]?.elements.count == ProjectStatus.allCases.count)
        #expect(fields["anything"] == .object([:]))
    }

    @Test("limits are what the request's own rules state, of absent fields and inside lists too")
    func limits() throws {
        let (asked, schemas) = written(try SchemaRecorder.request(Asked.self))
        let fields = try #require(asked?["properties"])
        #expect(fields["name"]?["maxLength"] == .integer(30))
        #expect(fields["name"]?["minLength"] == .integer(1))
        #expect(fields["hours"]?["minimum"] == .integer(0))
        #expect(fields["hours"]?["maximum"] == .integer(168))
        #expect(fields["note"]?["format"] == .string("email"))
        #expect(fields["parts"]?["minItems"] == .integer(1))
        #expect(fields["parts"]?["maxItems"] == .integer(5))
        #expect(fields["labels"]?["maxProperties"] == .integer(50))
        #expect(fields["labels"]?["propertyNames"]?["maxLength"] == .integer(100))
        #expect(fields["labels"]?["additionalProperties"]?["maxLength"] == .integer(500))
        #expect(fields["count"]?["description"] == .string("It must not be 13."))
        let part = try #require(schemas.values.first { $0["properties"]?["share"] != nil })
        #expect(part["properties"]?["share"]?["maximum"] == .integer(1))
        #expect(part["properties"]?["day"]?["format"] == .string("date"))
    }

    struct Written: RequestPayload {
        let line: String
        let lines: String
        let week: [Int]
        let bytes: Int

        func validate(_ validation: inout Validation) {
            validation.text(line, "line")
            validation.prose(lines, "lines", maximum: 50)
            if validation.count(week.count, 7...7, "week") {
                for (index, day) in week.enumerated() { validation.range(day, 0...1440, "week[\(index)]") }
            }
            validation.notNegative(bytes, "bytes")
        }
    }

    /// What generated clients check, or how wide they make a number, before a request is sent.
    @Test("a text of several lines may have line breaks, a list of seven has seven, a number has its width")
    func generated() throws {
        var components = SchemaComponents()
        _ = components.json(try SchemaRecorder.request(Written.self), isRequest: true)
        let fields = try #require(components.schemas.values.first?["properties"])
        func matches(_ text: String, _ field: String) throws -> Bool {
            let pattern = try #require(fields[field]?["pattern"]?.stringValue)
            return text.range(of: pattern, options: .regularExpression) != nil
        }
        #expect(try matches("one\ntwo\tthree\r\n", "lines"))
        #expect(try !matches("one\u{1}", "lines") && !matches(" \n", "lines"))
        #expect(try matches("one two", "line") && !matches("one\ntwo", "line") && !matches(" ", "line"))
        #expect(fields["lines"]?["maxLength"] == .integer(50))
        #expect(fields["week"]?["minItems"] == .integer(7) && fields["week"]?["maxItems"] == .integer(7))
        #expect(fields["week"]?["items"]?["maximum"] == .integer(1440))
        #expect(fields["week"]?["items"]?["format"] == .string("int32"))
        #expect(fields["bytes"]?["format"] == .string("int64"))
        // Of an answer's numbers no limit is known.
        var answers = SchemaComponents()
        let answer = answers.json(try SchemaRecorder.schema(Int.self), isRequest: false)
        #expect(answer["format"] == .string("int64"))
    }

    @Test("the hours of a utilisation report are said to be those of recorded days alone")
    func recordedHours() throws {
        var components = SchemaComponents()
        _ = components.json(try SchemaRecorder.schema(UtilizationRow.self), isRequest: false)
        for type in ["UtilizationRow", "UtilizationPart"] {
            let fields = components.schemas[type]?["properties"]
            let meaning = try #require(fields?["actualHours"]?["description"]?.stringValue, "\(type)")
            #expect(meaning.contains("capacity history") && meaning.contains("bookings state"))
            #expect(fields?["actualHours"]?["type"] != nil && fields?["hardHours"]?["description"] == nil)
        }
    }

    @Test("a request's example is one that the request accepts")
    func example() throws {
        let example = try #require(SchemaExample.request(Asked.self, try SchemaRecorder.request(Asked.self)))
        let asked = try StrictJSON.decode(Asked.self, from: try WireJSON.encode(example))
        #expect(asked.hours == 8)
        #expect(asked.labels?.count == 1)
    }

    struct Stubborn: Codable, Sendable {
        let colour: Colour
        struct Colour: Codable, Sendable {
            let name: String
            init(from decoder: any Decoder) throws {
                name = try decoder.singleValueContainer().decode(String.self)
                guard name == "blue" else { throw ProblemError.malformed("not blue") }
            }
        }
    }

    @Test("a type that takes none of the recorder's values is an error, not a hole in the description")
    func unrecordable() {
        #expect(throws: SchemaRecorder.Unrecordable.self) { try SchemaRecorder.schema(Stubborn.self) }
    }

    struct Things: Controller {
        static func addRoutes(to routes: inout RouteList<Self>) {
            routes.on(
                .post, "things", "createThing", .may(.write, .projects), takes: [.idempotencyKey], fails: [.conflict],
                use: create)
            routes.on(.get, "things/{id}", "getThing", .may(.read, .projects), use: show)
            routes.on(.get, "things", "listAPIThings", .platformOperator, use: list)
            routes.on(.get, "secrets", "getSecrets", .services(.gateway), use: secrets)
        }

        func create(_ call: TenantCall, _ asked: Asked) async throws -> Created<Part> {
            try Created(Part(share: 1, day: CivilDate(daysSinceEpoch: 0)), at: "things/1")
        }
        func show(_ call: TenantCall) async throws -> Tagged<Part> { throw ProblemError.notFound("Thing") }
        func list(_ call: OperatorCall, _ page: PageQuery<TextPosition>) async throws -> Listed<Part> {
            Listed(all: [])
        }
        func secrets(_ call: ServiceCall) async throws -> OK<Part> { throw ProblemError.notFound("Thing") }
    }

    @Test("an operation has its parameters, headers, body, answers and problems; internal routes are not described")
    func operations() throws {
        let part = try OpenAPIDocument.part(Things.declaredRoutes)
        let create = try #require(part["paths"]?["/api/v1/things"]?["post"])
        #expect(create["operationId"] == .string("createThing"))
        #expect(create["tags"] == .array([.string("things")]))
        #expect(create["requestBody"]?["content"]?["application/json"]?["example"] != nil)
        let answers = try #require(create["responses"]).members
        #expect(Set(["201", "400", "401", "403", "409", "413", "415", "422", "429", "503"]).isSubset(of: answers.keys))
        #expect(answers["404"] == nil)
        #expect(answers["201"]?["headers"]?["Location"] != nil)
        #expect(answers["503"]?["headers"]?["Retry-After"] != nil)
        for status in ["201", "422", "429"] {
            let headers = answers[status]?["headers"]?.members ?? [:]
            #expect(headers["RateLimit"] != nil && headers["X-Request-ID"] != nil)
        }
        #expect(answers["401"]?["headers"]?["WWW-Authenticate"] != nil)
        let conflicts = answers["409"]?["content"]?[Problem.mediaType]?["examples"]?.members ?? [:]
        #expect(conflicts.keys.sorted() == ["conflict"])
        let components = OpenAPIDocument.merged([], reachable: [], missing: [])["components"]
        let (shared, headers) = (components?["examples"], components?["headers"]?.members ?? [:])
        for answer in answers.values {
            let named = answer["headers"]?.members.values.compactMap { $0["$ref"]?.stringValue } ?? []
            #expect(named.allSatisfy { headers[$0.replacing("#/components/headers/", with: "")] != nil }, "\(named)")
        }
        #expect(shared?["conflict"]?["value"]?["status"] == .integer(409))
        let show = try #require(part["paths"]?["/api/v1/things/{id}"]?["get"])
        #expect(show["parameters"]?.elements.first?["schema"]?["format"] == .string("uuid"))
        #expect(show["parameters"]?.elements.first?["description"] == .string("The resource's id."))
        #expect(show["responses"]?["304"]?["headers"]?["X-Request-ID"] != nil)
        let list = try #require(part["paths"]?["/api/v1/things"]?["get"])
        #expect(list["summary"] == .string("List API things"))
        #expect(list["security"] == .array([.object(["operatorKey": .array([])])]))
        #expect(list["parameters"]?.elements.first?["schema"]?["maximum"] == .integer(500))
        #expect(part["paths"]?.members.keys.contains { $0.contains("secrets") } == false)
    }

    struct Odd: Controller {
        struct Query: RouteQuery {
            init(_ query: inout QueryParameters) { _ = query.string("withoutMeaning") }
        }

        static func addRoutes(to routes: inout RouteList<Self>) {
            routes.on(.get, "odd", "getOdd", .platformOperator, use: show)
        }

        func show(_ call: OperatorCall, _ query: Query) async throws -> NoContent { NoContent() }
    }

    @Test("a parameter of which nothing is said is an error, not a parameter without a description")
    func meanings() {
        #expect(throws: ParameterMeaning.Unlisted.self) { try OpenAPIDocument.part(Odd.declaredRoutes) }
    }

    @Test(
        "parts are merged as far as the table reaches; clashing names are qualified; missing services are named"
    )
    func merged() throws {
        let part = try OpenAPIDocument.part(Things.declaredRoutes)
        guard case .object(var other) = part else { return }
        other["components"] = .object(["schemas": .object(["Problem": .object(["type": .string("string")])])])
        other["paths"] = .object([
            "/api/v1/other": .object(["get": .object(["$ref": .string("#/components/schemas/Problem")])])
        ])
        let document = OpenAPIDocument.merged(
            [(.gateway, part), (.mlTraining, .object(other))],
            reachable: ["GET /api/v1/things", "GET /api/v1/other"], missing: [.mlPrediction])

        #expect(document["paths"]?.members.keys.sorted() == ["/api/v1/other", "/api/v1/things"])
        #expect(document["paths"]?["/api/v1/things"]?.members.keys.sorted() == ["get"])
        #expect(
            document["paths"]?["/api/v1/other"]?["get"]?["$ref"] == .string("#/components/schemas/MlTrainingProblem"))
        #expect(document["components"]?["schemas"]?["Problem"]?["type"] == .string("object"))
        #expect(document["components"]?["schemas"]?["MlTrainingProblem"]?["type"] == .string("string"))
        #expect(document["x-missing-services"] == .array([.string("ml-prediction")]))
    }
}

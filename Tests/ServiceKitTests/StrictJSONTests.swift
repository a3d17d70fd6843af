import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ServiceKit

@Suite("Strict JSON")
struct StrictJSONTests {
    struct Inner: Codable, Sendable, Equatable {
        let hours: Double
        let count: Int
    }

    struct Body: RequestPayload, Equatable {
        let id: ProjectID
        let name: String
        let status: ProjectStatus
        let day: CivilDate?
        let at: Date?
        let inner: Inner?
        let list: [Inner]?
        let tags: [String]?
        let labels: [String: String]?
        let free: JSONValue?
        let small: Int16?
        let note: Patch<String>

        func validate(_ validation: inout Validation) {
            validation.text(name, "name")
            validation.range(inner?.hours, 0...100, "inner.hours")
        }
    }

    static let id = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"

    func decode(_ text: String) throws -> Body { try StrictJSON.decode(from: Array(text.utf8)) }

    /// A body that is right but for these members.
    func body(_ members: String) -> String {
        #"{"id":"\#(Self.id)","name":"x","status":"planned""# + (members.isEmpty ? "" : ",") + members + "}"
    }

    func errors(_ text: String) -> [String: String] {
        do {
            _ = try decode(text)
            return [:]
        } catch {
            guard let problem = error as? ProblemError else { return ["": "\(error)"] }
            if problem.status == .badRequest { return ["400": problem.sentence] }
            return Dictionary(problem.errors.map { ($0.field, $0.message) }, uniquingKeysWith: { first, _ in first })
        }
    }

    struct Foreign: RequestPayload, Equatable {
        static var ignoresUnknownFields: Bool { true }
        let name: String
        let inner: Inner?

        func validate(_ validation: inout Validation) { validation.text(name, "name") }
    }

    @Test("a type that says so is read without its unknown fields, at any depth, and all else is judged")
    func ignored() throws {
        let text = #"{"name":"x","more":{"a":1},"inner":{"hours":1,"count":2,"more":[null]}}"#
        let value: Foreign = try StrictJSON.decode(from: Array(text.utf8))
        #expect(value == Foreign(name: "x", inner: Inner(hours: 1, count: 2)))
        let error = #expect(throws: ProblemError.self) {
            try StrictJSON.decode(Foreign.self, from: Array(#"{"name":7,"more":1}"#.utf8))
        }
        #expect(error?.errors.map(\.field) == ["name"])
    }

    @Test("a right body is read whole")
    func right() throws {
        let text = body(
            #""day":"2026-01-31","at":"2026-01-31T12:00:00Z","inner":{"hours":1.5,"count":2},"list":[{"hours":1,"count":3.0}],"tags":["a"],"labels":{"k":"v"},"free":{"a":[1,null]},"small":-5,"note":null"#
        )
        let value = try decode(text)
        #expect(value.inner == Inner(hours: 1.5, count: 2))
        #expect(value.list == [Inner(hours: 1, count: 3)])
        #expect(value.labels == ["k": "v"])
        #expect(value.free?["a"] == .array([.integer(1), .null]))
        #expect(value.note == .null)
        #expect(try decode(body("")).note == .unchanged)
        #expect(try decode(body(#""note":"n""#)).note == .value("n"))
    }

    @Test("every bad field is listed at once, with its path")
    func allAtOnce() {
        let found = errors(
            #"{"id":"nope","status":"done","day":"2026-02-30","at":"soon","inner":{"hours":"1","count":1.5,"extra":1},"list":[{"hours":1},{"count":99999999999999999999,"hours":1}],"tags":["a",3],"labels":{"k":1},"small":40000,"typo":1,"note":5}"#
        )
        #expect(
            found == [
                "id": "must be a UUID", "name": "is missing",
                "status": "must be one of planned, in_progress, on_hold, completed, cancelled",
                "day": "must be a date like 2026-01-31", "at": "must be a time like 2026-01-31T12:00:00.000Z",
                "inner.hours": "must be a number", "inner.count": "must be a whole number",
                "inner.extra": "is not a field of this request", "list[0].count": "is missing",
                "list[1].count": "must be between \(Int.min) and \(Int.max)", "tags[1]": "must be a string",
                "labels.k": "must be a string", "small": "must be between -32768 and 32767",
                "typo": "is not a field of this request", "note": "must be a string",
            ])
    }

    @Test("rules of value are reported beside wrong types, and stand-ins are not judged")
    func rulesToo() {
        #expect(errors(body(#""inner":{"hours":-1,"count":"x"}"#)).keys.sorted() == ["inner.count", "inner.hours"])
        #expect(errors(#"{"id":"\#(Self.id)","name":1,"status":"planned"}"#) == ["name": "must be a string"])
    }

    @Test("null where a value is needed, and a field given twice, are refused")
    func nullAndTwice() {
        #expect(
            errors(#"{"id":null,"name":null,"status":null}"#) == [
                "id": "must not be null", "name": "must not be null", "status": "must not be null",
            ])
        #expect(errors(body(#""name":"y""#)) == ["name": "is a duplicate"])
        #expect(errors(body(#""inner":null,"tags":null"#)).isEmpty)
    }

    @Test("U+0000 is refused wherever a text may be, for Postgres cannot keep it")
    func nul() {
        let found = errors(
            body(#""tags":["a\u0000"],"labels":{"k":"\u0000","b\u0000":"x"},"free":["\u0000"],"note":"\u0000""#))
        #expect(found.count == 5)
        #expect(found.values.allSatisfy { $0 == "must not contain the character U+0000" })
    }

    @Test("a body that is not an object is refused as a whole", arguments: ["[]", "1", "\"x\"", "null"])
    func notAnObject(text: String) {
        #expect(errors(text).keys.sorted() == [""])
    }

    @Test(
        "what is not JSON is malformed, and the answer says where",
        arguments: [
            "", "{", "{]", #"{"a":}"#, #"{"a":1,}"#, "[1,]", "01", "1.", "-", "1e", "+1", ".5", "NaN", "tru",
            "\"\u{1}\"", #""\x""#,
            #""\ud800""#, #""\ud800A""#, "{} x", "{'a':1}", "\"abc", #"{"a" 1}"#,
            String(repeating: "[", count: 100_000), "1" + String(repeating: "0", count: 100),
        ])
    func malformed(text: String) {
        let sentence = errors(text)["400"]
        #expect(sentence?.hasPrefix("The body is not valid JSON: ") == true)
        #expect(sentence?.contains("line 1, column ") == true)
    }

    @Test("the place of a syntax error is counted in characters and lines")
    func place() {
        #expect(
            errors("{\n  \"né\": x }")["400"] == "The body is not valid JSON: a value is expected at line 2, column 9.")
    }

    @Test("bytes that are not UTF-8 are malformed")
    func notUTF8() {
        let problem = #expect(throws: ProblemError.self) {
            try StrictJSON.decode(Body.self, from: [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D])
        }
        #expect(problem?.status == .badRequest)
    }

    @Test("64 levels of nesting are read and 65 are not")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            body(#""free":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels))
        }
        #expect(try decode(nested(63)).free != nil)
        #expect(errors(nested(64))["400"]?.contains("more than 64 levels") == true)
    }

    @Test("escapes and surrogate pairs are read")
    func escapes() throws {
        #expect(
            try decode(body(#""note":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#)).note == .value("\"\\/\u{8}\u{c}\n\r\té😀"))
    }

    @Test("a number beyond a double is refused and one with a huge exponent does not trap")
    func numbers() {
        #expect(
            errors(body(#""inner":{"hours":1e999,"count":1e300}"#)).keys.sorted() == ["inner.count", "inner.hours"])
        #expect(errors(body(#""inner":{"hours":1e2,"count":1e3}"#)).isEmpty)
        #expect(errors(body(#""small":1e2"#)).isEmpty)
    }

    @Test("a huge bad body does not make a huge answer")
    func bounded() {
        let members = (0..<500).map { "\"f\($0)\":1" }.joined(separator: ",")
        #expect(errors(body(members)).count == Validation.maximumErrors)
    }

    @Test("a long name is told only so far, so that errors below it do not make a huge answer")
    func longNames() throws {
        let name = String(repeating: "n", count: 20_000)
        let wrong = (0..<200).map { "\"f\($0)\":\"\\u0000\"" }.joined(separator: ",")
        let told = errors(body(#""free":{"\#(name)":{\#(wrong)}}"#))

        #expect(told.count == Validation.maximumErrors)
        let start = "free." + String(repeating: "n", count: JSONPath.longestName) + "…."
        #expect(told.keys.allSatisfy { $0.hasPrefix(start + "f") })

        // One character of many scalars, and many steps.
        let accents = "e" + String(repeating: "\u{301}", count: 20_000)
        #expect(JSONPath()[accents].text.unicodeScalars.count == JSONPath.longestName + 1)
        let deep = (0..<64).reduce(JSONPath()) { path, _ in path[name] }
        #expect(deep.text.utf8.count < JSONPath.longestText + 3 * JSONPath.longestName)
        #expect(JSONPath()["employees"][3]["name"].text == "employees[3].name")
    }

    @Test("the parts of a document below a long name do not hold that name once each")
    func longNamesAreShared() throws {
        let parent = JSONPath()[String(repeating: "n", count: 100_000)]
        var (paths, least): ([[JSONPath]], Int) = ([], .max)
        // Tests beside this one take memory, too, but hardly so much each time.
        for _ in 1...3 {
            let before = try Self.residentBytes()
            // 200 MB, if each held a text of its own.
            paths.append((0..<2_000).map { parent[$0] })
            least = min(least, try Self.residentBytes() - before)
        }

        #expect(least < 100_000_000)
        #expect(paths.allSatisfy { $0.count == 2_000 })
    }

    /// What the process has in memory.
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 4096
    }

    @Test("elements of arrays are judged in their order, unknown fields in them too, and read twice they are the same")
    func elements() throws {
        let told = errors(
            body(#""list":[{"hours":1,"count":1},{"hours":1,"count":1,"extra":0},{"hours":"x","count":1}]"#))
        #expect(told == ["list[1].extra": "is not a field of this request", "list[2].hours": "must be a number"])
        #expect(
            try decode(body(#""free":[1,[2,{"a":[]}],null]"#)).free
                == .array([.integer(1), .array([.integer(2), .object(["a": .array([])])]), .null]))
    }

    @Test("the platform's own requests are read by it")
    func contracts() throws {
        let request: CreateTenantRequest = try StrictJSON.decode(
            from: Array(
                #"{"name":"Acme","subdomain":"acme","plan":"starter","adminEmail":"a@b.example","adminPassword":"correct horse","settings":{"k":1}}"#
                    .utf8))
        #expect(request.subdomain.rawValue == "acme")
        let problem = #expect(throws: ProblemError.self) {
            try StrictJSON.decode(
                CreateTenantRequest.self,
                from: Array(
                    #"{"name":"","subdomain":"www","plan":"gold","adminEmail":"x","adminPassword":"short"}"#.utf8))
        }
        #expect(
            Set(problem?.errors.map(\.field) ?? []) == ["name", "subdomain", "plan", "adminEmail", "adminPassword"])
        #expect(problem?.errors.first { $0.field == "subdomain" }?.message == "is reserved")
    }
}

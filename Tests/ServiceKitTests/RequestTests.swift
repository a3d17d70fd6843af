import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOHTTP1
import ServiceIdentity
import Testing

@testable import ServiceKit

@Suite("Requests through the router")
struct RequestTests {
    struct Note: RequestPayload {
        let text: String
        func validate(_ validation: inout Validation) { validation.text(text, "text") }
    }

    struct Broken: Error { let secret = "hunter2" }

    struct Leaky: LogDescribable {
        let row = "mia@acme.example"
        var logDescription: String { "a row was refused" }
    }

    static let gateway = ServiceKeyPair()

    struct Notes: Controller {
        static func addRoutes(to routes: inout RouteList<Self>) {
            routes.on(.post, "/notes", "createNote", .anyone, use: create)
            routes.on(.get, "/notes/{id}", "getNote", .anyone, use: show)
            routes.on(.delete, "/notes/{id}", "deleteNote", .anyone, takes: [.ifMatch], use: delete)
            routes.on(.get, "/notes", "listNotes", .anyone, use: list)
            routes.on(.delete, "/notes", "deleteNotes", .anyone, use: forgetful)
        }

        func create(_ call: Call<Void>, _ note: Note) async throws -> Created<Note> { try Created(note, at: "notes/1") }

        func show(_ call: Call<Void>) async throws -> Tagged<String> {
            let id: ProjectID = try call.id("id")
            return Tagged("\(id)", tag: EntityTag(version: 1))
        }

        func delete(_ call: Call<Void>) async throws -> NoContent {
            try call.checkIfMatch(tag: EntityTag(version: 1))
            return NoContent()
        }

        func list(_ call: Call<Void>, _ query: ListQuery<Filter, TextPosition>) async throws -> Listed<String> {
            let found = ["a", "b", "c"].filter { $0 > query.page.after?.key ?? "" }
            return try Listed(found.map { $0 + (query.filter.status?.rawValue ?? "") }, query.page) {
                TextPosition(String($0.prefix(1)))
            }
        }

        /// Reads a header that it does not declare.
        func forgetful(_ call: Call<Void>) async throws -> NoContent {
            try call.checkIfMatch(tag: nil)
            return NoContent()
        }
    }

    struct Filter: RouteQuery {
        let status: ProjectStatus?
        init(_ query: inout QueryParameters) { status = query.choice("status") }
    }

    static func router() -> Router<ServiceRequestContext> {
        let keys = JSONWebKeySet(keys: [gateway.publicJWK(issuer: .gateway)])
        let routes = Routes(verifier: AssertionVerifier(audience: .tenantAdmin, keys: keys))
        routes.add(Notes())
        let router = routes.router
        router.get("leaky") { _, _ -> Response in throw Leaky() }
        router.get("broken") { _, _ -> Response in throw Broken() }
        router.get("hummingbird") { _, _ -> Response in throw HTTPError(.badRequest, message: "Say it better") }
        router.get("gone") { _, _ -> Response in throw CancellationError() }
        router.get("cut") { _, _ -> Response in throw HTTPParserError.invalidEOFState }
        router.get("proxied") { _, _ in
            Response(
                status: .init(code: 418), headers: [.contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: "mine")))
        }
        return router
    }

    func execute(
        _ uri: String, _ method: HTTPRequest.Method = .get, headers: HTTPFields = [:], body: String? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        metrics: MetricsRegistry = MetricsRegistry(), accessLines: (@Sendable (String) -> Void)? = nil
    ) async throws -> TestResponse {
        let app = ServiceApplication(router: Self.router()).testable(
            metrics: metrics, bodyLimit: 1024, logger: logger, accessLines: accessLines)
        let token = try AssertionSigner(issuer: .gateway, keyPair: Self.gateway).assertion(
            for: .tenantAdmin, caller: nil)
        var headers = headers
        headers[.authorization] = "Bearer \(token)"
        return try await app.test(.router) { [headers] client in
            try await client.execute(
                uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        }
    }

    func problem(_ response: TestResponse) throws -> Problem {
        #expect(response.headers[.contentType] == Problem.mediaType)
        return try WireJSON.decode(from: Array(response.body.readableBytesView))
    }

    static let json: HTTPFields = [.contentType: "application/json"]

    @Test("a client that hung up, in the middle of a body too, is not our error", arguments: ["/gone", "/cut"])
    func hungUp(path: String) async throws {
        #expect(try await execute(path).status.code == 499)
    }

    @Test("a created resource comes in the envelope with its place")
    func created() async throws {
        let response = try await execute("/notes", .post, headers: Self.json, body: #"{"text":"hi"}"#)
        #expect(response.status == .created)
        #expect(response.headers[.location] == "/api/v1/notes/1")
        #expect(String(buffer: response.body) == #"{"data":{"text":"hi"},"success":true}"#)
    }

    @Test(
        "each kind of bad body gets its own status and code",
        arguments: [
            ("{", "application/json", 400, "malformed_request"), ("", "application/json", 400, "malformed_request"),
            (#"{"text":" "}"#, "application/json", 422, "validation_failed"),
            (#"{"text":"x","more":1}"#, "application/json; charset=utf-8", 422, "validation_failed"),
            ("text=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            (#"{"text":"x"}"#, "application/json; charset=latin1", 415, "unsupported_media_type"),
            (String(repeating: " ", count: 2000), "application/json", 413, "payload_too_large"),
        ])
    func badBodies(body: String, type: String, status: Int, code: String) async throws {
        let response = try await execute("/notes", .post, headers: [.contentType: type], body: body)
        let problem = try problem(response)
        #expect(response.status.code == status)
        #expect(problem.status == status)
        #expect(problem.code.rawValue == code)
        #expect(!problem.success)
        #expect(problem.requestId == response.headers[.requestID])
    }

    @Test("an unknown address is 404, a known one with another method 405 with what it takes")
    func unknownRoutes() async throws {
        let missing = try await execute("/nowhere")
        #expect(missing.status == .notFound)
        #expect(try problem(missing).code == .notFound)
        let wrong = try await execute("/notes/1", .put)
        #expect(wrong.status == .methodNotAllowed)
        #expect(wrong.headers[.allow] == "DELETE, GET")
        #expect(try problem(wrong).code == .methodNotAllowed)
    }

    @Test("an id in the path that is no UUID is 422 with its name")
    func badPath() async throws {
        let response = try await execute("/notes/abc")
        #expect(response.status == .unprocessableContent)
        #expect(try problem(response).errors == [FieldError(field: "id", message: "must be a UUID")])
    }

    @Test("a query is read strictly, all its faults at once")
    func queries() async throws {
        let good = try await execute("/notes?limit=2&status=on_hold")
        let answer = try WireJSON.decode(Success<[String]>.self, from: Array(good.body.readableBytesView))
        #expect(answer.data == ["aon_hold", "bon_hold"])
        let next = try #require(answer.page?.nextCursor)
        let rest = try await execute("/notes?cursor=\(next)")
        #expect(String(buffer: rest.body) == #"{"data":["c"],"page":{"nextCursor":null},"success":true}"#)
        let inner = String(next.drop { $0 != "." }.dropFirst())
        for other in [inner, ListCursor.wrap(inner, of: "/tasks"), ListCursor.wrap("", of: "/notes")] {
            #expect(try problem(try await execute("/notes?cursor=\(other)")).errors.map(\.field) == ["cursor"])
        }
        let bad = try await execute("/notes?limit=501&status=x&typo=1&cursor=&cursor=")
        #expect(bad.status == .unprocessableContent)
        #expect(Set(try problem(bad).errors.map(\.field)) == ["limit", "status", "typo", "cursor"])
        #expect(try await execute("/notes?cursor=abc").status == .unprocessableContent)
        #expect(try await execute("/notes/\(ProjectID())?x=1").status == .unprocessableContent)
        #expect(try await execute("/notes?limit=%FF").status == .badRequest)
    }

    @Test("our own mistakes are 500 without their cause; the log has it under the request id")
    func internalErrors() async throws {
        let lines = Lines()
        let logger = Logger(label: "t") {
            ServiceLogHandler(service: "t", label: $0, level: .info, format: .json, write: lines.append)
        }
        let response = try await execute("/broken", headers: [.requestID: "req-1"], logger: logger)
        #expect(response.status == .internalServerError)
        #expect(response.headers[.requestID] == "req-1")
        #expect(!String(buffer: response.body).contains("hunter2"))
        #expect(lines.all.contains { $0.contains("hunter2") && $0.contains("\"request.id\":\"req-1\"") })
    }

    @Test("an error of the router's own becomes a problem and keeps its words; a proxied answer stays as it is")
    func foreignErrors() async throws {
        #expect(try problem(try await execute("/hummingbird")).error == "Say it better.")
        let proxied = try await execute("/proxied")
        #expect(proxied.status.code == 418)
        #expect(String(buffer: proxied.body) == "mine")
    }

    @Test("a client that hung up is not an error of ours")
    func hungUp() async throws {
        let lines = Lines()
        let logger = Logger(label: "t") {
            ServiceLogHandler(service: "t", label: $0, level: .info, format: .json, write: lines.append)
        }
        #expect(try await execute("/gone", logger: logger).status.code == 499)
        #expect(!lines.all.contains { $0.contains("\"level\":\"error\"") })
    }

    @Test("an error that may quote data is logged in the words it has for that")
    func logWithoutData() async throws {
        let lines = Lines()
        let logger = Logger(label: "t") {
            ServiceLogHandler(service: "t", label: $0, level: .debug, format: .json, write: lines.append)
        }
        _ = try await execute("/leaky", logger: logger)

        #expect(lines.all.contains { $0.contains("a row was refused") })
        #expect(!lines.all.contains { $0.contains("mia@acme.example") })
    }

    @Test("log lines and metrics know the route's template, never the path or the body")
    func observed() async throws {
        let lines = Lines()
        let metrics = MetricsRegistry()
        let logger = Logger(label: "t") {
            ServiceLogHandler(service: "t", label: $0, level: .info, format: .json, write: lines.append)
        }
        let id = "\(ProjectID())"
        for path in ["/notes/\(id)", "/notes/\(id)?x=secret", "/nowhere/\(id)"] {
            _ = try await execute(path, logger: logger, metrics: metrics, accessLines: { lines.append($0) })
        }
        // The access log is written by a thread of its own.
        while lines.all.count(where: { $0.contains("\"message\":\"request\"") }) < 3 {
            try await Task.sleep(for: .milliseconds(10))
        }
        let everything = lines.all.joined() + metrics.text()
        #expect(!everything.contains(id))
        #expect(!everything.contains("secret"))
        #expect(
            metrics.text().contains(#"http_server_requests_total{method="GET",route="/notes/{id}",status="200"} 1"#)
                || metrics.text().contains(
                    #"http_server_requests_total{method="GET",route="/notes/:id",status="200"} 1"#)
        )
        #expect(metrics.text().contains(#"route="unmatched",status="404""#))
    }

    @Test("an entity tag saves the second reading and guards against a stale write")
    func entityTags() async throws {
        let path = "/notes/\(ProjectID())"
        let tag = try #require(try await execute(path).headers[.eTag])
        #expect(try await execute(path, headers: [.ifNoneMatch: "W/\(tag)"]).status == .notModified)
        #expect(try await execute(path, .delete, headers: [.ifMatch: tag]).status == .noContent)
        #expect(try await execute(path, .delete).status == .noContent)
        let stale = try await execute(path, .delete, headers: [.ifMatch: "\"old\""])
        #expect(stale.status == .preconditionFailed)
        #expect(try problem(stale).code == .preconditionFailed)
    }

    @Test("a handler that reads a header its route does not declare is our mistake, not a silent one")
    func undeclaredHeader() async throws {
        #expect(try await execute("/notes", .delete).status == .internalServerError)
    }
}

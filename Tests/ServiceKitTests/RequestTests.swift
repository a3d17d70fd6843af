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

    static func router() -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        router.post("notes") { request, context in
            try Answer.created(try await request.payload(Note.self, context: context), location: "/notes/1")
        }
        router.get("notes/:id") { request, context in
            let id: ProjectID = try context.identifier("id")
            return try Answer.resource("\(id)", tag: EntityTag(version: 1), for: request)
        }
        router.delete("notes/:id") { request, _ in
            try EntityTag(version: 1).checkIfMatch(request)
            return Answer.noContent()
        }
        router.get("notes") { request, _ in
            var query = try QueryParameters(request)
            let page = query.page()
            let status = query.choice("status", as: ProjectStatus.self)
            try query.finish()
            return try Answer.list(["\(page.limit)", status?.rawValue ?? "-"], nextCursor: page.cursor)
        }
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
        logger: Logger? = nil, metrics: MetricsRegistry = MetricsRegistry()
    ) async throws -> TestResponse {
        let application = ServiceApplication(router: Self.router())
        let app =
            logger.map { application.testable(metrics: metrics, bodyLimit: 1024, logger: $0) }
            ?? application.testable(metrics: metrics, bodyLimit: 1024)
        return try await app.test(.router) { client in
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
        #expect(response.headers[.location] == "/notes/1")
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
        let good = try await execute("/notes?limit=7&status=on_hold&cursor=abc")
        #expect(String(buffer: good.body) == #"{"data":["7","on_hold"],"page":{"nextCursor":"abc"},"success":true}"#)
        let bad = try await execute("/notes?limit=501&status=x&typo=1&cursor=&cursor=")
        #expect(bad.status == .unprocessableContent)
        #expect(Set(try problem(bad).errors.map(\.field)) == ["limit", "status", "typo", "cursor"])
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
        #expect(lines.all.contains { $0.contains("hunter2") && $0.contains("\"requestId\":\"req-1\"") })
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

    @Test("the log line and the metrics know the route's template, never the path or the body")
    func observed() async throws {
        let lines = Lines()
        let metrics = MetricsRegistry()
        let logger = Logger(label: "t") {
            ServiceLogHandler(service: "t", label: $0, level: .info, format: .json, write: lines.append)
        }
        let id = "\(ProjectID())"
        _ = try await execute("/notes/\(id)?x=secret", logger: logger, metrics: metrics)
        _ = try await execute("/nowhere/\(id)", logger: logger, metrics: metrics)
        let everything = lines.all.joined() + metrics.text()
        #expect(!everything.contains(id))
        #expect(!everything.contains("secret"))
        #expect(lines.all.count { $0.contains("\"message\":\"request\"") } == 2)
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
}

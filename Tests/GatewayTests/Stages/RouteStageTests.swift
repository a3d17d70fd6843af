import HTTPTypes
import ServiceKit
import Testing

@testable import Gateway

@Suite("Route stage")
struct RouteStageTests {
    private func stage() throws -> RouteStage {
        RouteStage(routes: [
            try Fixture.route("/api/v1/models/{modelId}", ["GET": nil, "DELETE": nil]),
            try Fixture.route("/api/v1/models/rollback", ["POST": nil]),
            try Fixture.route("/api/v1/models/{modelId}/artifact"),
        ])
    }

    @Test("a parameter's value is given by its name")
    func parameter() throws {
        let match = try stage().match(method: "GET", target: "/api/v1/models/42?x=1")
        #expect(match.route.template == "/api/v1/models/{modelId}")
        #expect(match.parameters == ["modelId": "42"])
        #expect(match.path.target == "/api/v1/models/42?x=1")
    }

    @Test("a literal is preferred to a parameter, whatever their order in the table")
    func literal() throws {
        #expect(try stage().match(method: "POST", target: "/api/v1/models/rollback").route.segments.count == 4)
        #expect(try stage().match(method: "POST", target: "/api/v1/models/rollback").parameters.isEmpty)
    }

    @Test("a literal that leads nowhere leaves the parameter its chance")
    func backtracking() throws {
        let match = try stage().match(method: "GET", target: "/api/v1/models/rollback/artifact")
        #expect(match.parameters == ["modelId": "rollback"])
    }

    @Test("an unknown path is 404", arguments: ["/", "/api/v1/model", "/api/v1/models", "/api/v1/models/1/artifact/2"])
    func unknown(path: String) async throws {
        let problem = try await problem { try stage().match(method: "GET", target: path) }
        #expect(problem.status == .notFound)
    }

    @Test("a method not in the route is 405 and says which are allowed")
    func method() async throws {
        let problem = try await problem { try stage().match(method: "PATCH", target: "/api/v1/models/1") }
        #expect(problem.status == .methodNotAllowed)
        #expect(problem.headers[.allow] == "DELETE, GET, HEAD, OPTIONS")
    }

    @Test("a HEAD is a GET of the table, but of a stream, which it would have to begin")
    func head() async throws {
        let stage = RouteStage(routes: [
            try Fixture.route("/api/v1/export", isStreaming: true), try Fixture.route("/api/v1/models"),
        ])
        #expect(try stage.match(method: "HEAD", target: "/api/v1/models").method == "GET")
        #expect(try stage.match(method: "GET", target: "/api/v1/export").method == "GET")
        let problem = try await problem { try stage.match(method: "HEAD", target: "/api/v1/export") }
        #expect(problem.status == .methodNotAllowed)
        #expect(problem.headers[.allow] == "GET, OPTIONS")
    }
}

@Suite("Request path")
struct RequestPathTests {
    @Test("two spellings of one path become one", arguments: ["/a/b%63", "/%61/bc", "/a/bc"])
    func canonical(target: String) throws {
        #expect(try RequestPath(target: target).target == "/a/bc")
    }

    @Test("what must be encoded is encoded again, and the query goes on as it came")
    func encoding() throws {
        let path = try RequestPath(target: "/a/b%20c%C3%A4?q=%2F..%2F")
        #expect(path.segments == ["a", "b cä"])
        #expect(path.target == "/a/b%20c%C3%A4?q=%2F..%2F")
        let quoted = try RequestPath(target: "/a\"b;c/d:e?q=\"%zz")
        #expect(quoted.segments == ["a\"b;c", "d:e"] && quoted.target == "/a%22b;c/d:e?q=\"%zz")
    }

    @Test(
        "a path that two readers could read differently is refused",
        arguments: [
            "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a/../b", "/a/%2e%2e/b", "/a/%2E./b", "/a/./b", "/a/..", "/a/%00",
            "/a/%", "/a/%4", "/a/%zz", "/a/%ff", "/a/%c0%af", "/a/%ed%a0%80", "/a/%252e%252e/b", "/a b", "/a\u{7f}",
            "/ä",
            "/a#b", "http://other.example/a", "*", "", "a",
        ])
    func malformed(target: String) async throws {
        let problem = try await problem { try RequestPath(target: target) }
        #expect(problem.status == .badRequest)
    }

    @Test("empty segments name nothing", arguments: ["//a", "/a//b", "/a/", "//"])
    func empty(target: String) async throws {
        let problem = try await problem { try RequestPath(target: target) }
        #expect(problem.status == .notFound)
    }
}

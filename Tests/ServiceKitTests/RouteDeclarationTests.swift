import Contracts
import HTTPTypes
import ServiceIdentity
import Testing

@testable import ServiceKit

@Suite("Declared routes")
struct RouteDeclarationTests {
    struct Days: RouteQuery {
        let from: CivilDate
        let format: ProjectStatus
        let limit: Int

        init(_ query: inout QueryParameters) {
            from = query.requiredCivilDate("from")
            format = query.choice("format", default: .planned)
            limit = query.integer("limit", 1...9, default: 3)
        }
    }

    struct Files: Controller {
        static func addRoutes(to routes: inout RouteList<Self>) {
            routes.on(
                .get, "files/{id}/\(date: "day")", "listFiles", .may(.read, .projects), fails: [.conflict], use: list)
            routes.on(.post, "files", "putFile", .services(.gateway), uploads: ["text/csv"], use: upload)
        }

        func list(_ call: TenantCall, _ days: Days) async throws -> Listed<Int> { Listed(all: [days.limit]) }
        func upload(_ call: Call<Caller>) async throws -> NoContent { NoContent() }
    }

    @Test("a declaration says path, parameters, access, query and answer")
    func described() throws {
        let routes = Files.declaredRoutes
        try #require(routes.count == 2)
        #expect(routes[0].title == "GET /api/v1/files/{id}/{day}")
        #expect(routes[0].pathParameters.map(\.kind) == [.identifier, .date])
        #expect(routes[0].access == .permission(.projects, .read))
        #expect(routes[0].query.map(\.name) == ["from", "format", "limit"])
        #expect(routes[0].query.map(\.isRequired) == [true, false, false])
        #expect(routes[0].query[1].defaultValue == .string("planned"))
        #expect(routes[0].query[2].kind == .integer(1...9))
        #expect(routes[0].answer.statuses == [.ok])
        #expect(routes[1].title == "POST /internal/v1/files")
        #expect(routes[1].answer.statuses == [.noContent])
    }

    @Test("a route that is listed for others, not listed or not answered is reported; internal routes are not compared")
    func compared() throws {
        let declared = Files.declaredRoutes
        let path = "/api/v1/files/{id}/{day}"
        func disagreements(_ listed: [ListedRoute]) -> [String] {
            RouteComparison.compared(declared: declared, listed: listed).map(\.sentence)
        }

        #expect(disagreements([.init(method: "GET", path: path, access: .permission(.projects, .read))]) == [])
        #expect(
            disagreements([.init(method: "GET", path: path, access: .permission(.projects, .write))])
                == ["GET \(path) is for permission projects:read, in the gateway's table for permission projects:write"]
        )
        #expect(
            disagreements([.init(method: "PUT", path: path, access: .anyone)]) == [
                "GET \(path) is missing in the gateway's table",
                "PUT \(path) is in the gateway's table and not answered",
            ])
    }
}

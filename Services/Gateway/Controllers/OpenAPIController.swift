import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// The whole API as an OpenAPI 3.1 document.
struct OpenAPIController: Controller {
    let description: APIDescription

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "openapi.json", "getOpenAPI", .anyone, use: show)
    }

    private func show(_ call: Call<Void>) async throws -> Download<OpenAPIFile> {
        let document = try await description.document()
        // One that lacks a service shall not be kept.
        let caching = document.missing.isEmpty ? "public, max-age=60" : "no-store"
        return Download(
            OpenAPIFile.self, headers: [.cacheControl: caching],
            body: .inPieces(document.bytes))
    }
}

enum OpenAPIFile: DownloadKind {
    static var content: AnswerDescription.Content { .document(JSONValue.self, mediaType: "application/json") }
}

import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// The route table as an OpenAPI 3.1 document: paths, methods, who may ask, and the shape of failures.
struct OpenAPIController: Controller {
    private let document: [UInt8]

    init(routes: [Route]) throws { document = try WireJSON.encode(Self.document(routes)) }

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "openapi.json", "getOpenAPI", .anyone, use: show)
    }

    private func show(_ call: Call<Void>) async throws -> Download<OpenAPIDocument> {
        Download(
            OpenAPIDocument.self, headers: [.cacheControl: "public, max-age=300"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document)))
    }

    static func document(_ routes: [Route]) -> JSONValue {
        .object([
            "openapi": .string("3.1.0"),
            "info": .object(["title": .string("ERM platform"), "version": .string("1")]),
            "paths": .object(Dictionary(uniqueKeysWithValues: routes.map { ($0.template, path($0)) })),
            "components": .object(["securitySchemes": securitySchemes]),
        ])
    }

    private static let securitySchemes: JSONValue = .object([
        "bearer": .object(["type": .string("http"), "scheme": .string("bearer")]),
        "apiKey": .object(["type": .string("apiKey"), "in": .string("header"), "name": .string("X-API-Key")]),
    ])

    private static func path(_ route: Route) -> JSONValue {
        let parameters: [JSONValue] = route.segments.compactMap {
            guard case .parameter(let name) = $0 else { return nil }
            return .object([
                "name": .string(name), "in": .string("path"), "required": .bool(true),
                "schema": .object(["type": .string("string")]),
            ])
        }
        var item = route.methods.reduce(into: [:] as [String: JSONValue]) {
            $0[$1.key.lowercased()] = operation(route, $1.key, $1.value)
        }
        if !parameters.isEmpty { item["parameters"] = .array(parameters) }
        return .object(item)
    }

    private static func operation(_ route: Route, _ method: String, _ requirement: Route.Requirement?) -> JSONValue {
        let need =
            switch route.scope {
            case .public: "Needs no credential."
            case .signedIn: "Needs any credential."
            case .platform: "For the platform operator."
            case .tenant:
                "Needs \(requirement.map { "\($0.resource.rawValue):\($0.action.rawValue)" } ?? "a credential")."
            }
        let names = ["bearer", "apiKey"].map { JSONValue.object([$0: .array([])]) }
        return .object([
            "summary": .string(need),
            "tags": .array([.string(route.target.name)]),
            "security": .array(route.scope == .public ? [] : names),
            "responses": .object([
                "2XX": .object(["description": .string("Success")]),
                "default": .object([
                    "description": .string("A problem (RFC 9457)"),
                    "content": .object([Problem.mediaType: .object([:])]),
                ]),
            ]),
        ])
    }
}

enum OpenAPIDocument: DownloadKind {
    static var content: AnswerDescription.Content { .document(JSONValue.self, mediaType: "application/json") }
}

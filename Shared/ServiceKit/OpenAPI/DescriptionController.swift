import Contracts

/// A service's part of the API's description, for the gateway.
struct DescriptionController: Controller {
    let declared: [DeclaredRoute]

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "/internal/v1/openapi", "getOpenAPIPart", .services(.gateway), use: part)
    }

    private func part(_ call: ServiceCall) async throws -> OK<JSONValue> { OK(try OpenAPIDocument.part(declared)) }
}

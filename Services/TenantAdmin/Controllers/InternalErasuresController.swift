import Contracts
import ServiceIdentity
import ServiceKit

/// The anonymised people, for the service that keeps names in its stored answers.
struct InternalErasuresController: Controller {
    let people: PersonData

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "erasures", "listErasures", .services(.mlPrediction), use: due)
        routes.on(.post, "erasures", "confirmErasure", .services(.mlPrediction), use: confirm)
    }

    private func due(_ call: ServiceCall) async throws -> OK<[Erasure]> { OK(try await people.erasures()) }

    private func confirm(_ call: ServiceCall, _ erasure: Erasure) async throws -> OK<Erasure> {
        try await people.erased(erasure)
        return OK(erasure)
    }
}

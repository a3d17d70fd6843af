import Contracts
import ServiceIdentity
import ServiceKit

/// People who were anonymised or deleted, for the services that keep something of them.
struct InternalErasuresController: Controller {
    let people: PersonData

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "erasures", "listErasures", .services(.mlTraining, .mlPrediction), use: due)
        routes.on(.post, "erasures", "confirmErasure", .services(.mlTraining, .mlPrediction), use: confirm)
    }

    private func due(_ call: ServiceCall) async throws -> OK<[Erasure]> {
        let due = try await people.erasures(for: try call.service())
        // Each node asks every two seconds.
        call.context.record.note { $0.isQuiet = true }
        return OK(due)
    }

    private func confirm(_ call: ServiceCall, _ erasure: Erasure) async throws -> OK<Erasure> {
        try await people.erased(erasure, by: try call.service())
        return OK(erasure)
    }
}

import Contracts
import ServiceKit

/// Messages to people, for an operator who delivers messages without the webhook.
struct MessagesController: Controller {
    let outbox: Outbox

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "messages", "listWaitingMessages", .platformOperator, use: waiting)
        routes.on(.post, "messages/claim", "claimMessages", .platformOperator, use: claim)
        routes.on(.delete, "messages/{id}", "acknowledgeMessage", .platformOperator, use: acknowledge)
    }

    private func waiting(_ call: OperatorCall) async throws -> OK<[WaitingMessages]> {
        OK(try await outbox.waiting(), headers: .notStored)
    }

    private func claim(_ call: OperatorCall, _ payload: ClaimMessagesRequest?) async throws -> OK<[OutgoingMessage]> {
        OK(try await outbox.claim(payload?.limit ?? 20).map(\.message), headers: .notStored)
    }

    private func acknowledge(_ call: OperatorCall) async throws -> NoContent {
        guard try await outbox.delivered(try call.id("id")) else { throw ProblemError.notFound("Message") }
        return NoContent()
    }
}

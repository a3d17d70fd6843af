import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// Messages to people, for an operator who delivers them himself instead of by a webhook.
///
/// | method | path              | permission        |
/// | ------ | ----------------- | ----------------- |
/// | POST   | `/messages/claim` | platform operator |
/// | DELETE | `/messages/{id}`  | platform operator |
struct MessagesController: Sendable {
    let outbox: Outbox

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("messages/claim", use: claim)
        group.delete("messages/:id", use: acknowledge)
    }

    @Sendable func claim(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let payload = try await request.optionalPayload(ClaimMessagesRequest.self, context: context)
        let claimed = try await outbox.claim(payload?.limit ?? 20)
        return try Answer.data(claimed.map(\.message), headers: [.cacheControl: "no-store"])
    }

    @Sendable func acknowledge(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        guard try await outbox.delivered(try context.identifier("id")) else { throw ProblemError.notFound("Message") }
        return Answer.noContent()
    }
}

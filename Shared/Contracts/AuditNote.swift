public import Foundation

/// `POST /internal/v1/tenants/{id}/audit-logs`: what another service than tenant-admin has changed for a tenant, for the tenant's
/// audit log. A repeated note is recorded once.
public struct AuditNote: RequestPayload, Equatable {
    public let id: UUID
    /// When it happened; the log's own time is that of its arrival.
    public let occurredAt: Date
    public let actor: String
    public let action: String
    public let entity: String
    public let entityId: String?
    public let details: [String: JSONValue]
    public let requestId: String?
    /// The client's address and program, where they are known.
    public let address: String?
    public let agent: String?

    /// Something that happens now.
    public init(
        _ action: String, _ entity: String, _ entityId: String? = nil, details: [String: JSONValue] = [:],
        by actor: String, requestId: String? = nil, address: String? = nil, agent: String? = nil
    ) {
        id = UUID()
        occurredAt = Date()
        self.actor = actor
        self.action = action
        self.entity = entity
        self.entityId = entityId
        self.details = details
        self.requestId = requestId
        self.address = address
        self.agent = agent
    }

    public func validate(_ validation: inout Validation) {
        validation.text(actor, "actor")
        validation.text(action, "action")
        validation.text(entity, "entity")
    }
}

import Contracts
import ServiceKit

/// What was changed by whom.
struct AuditController: Controller {
    let auditLog: AuditLog

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "audit-logs", "listAuditLogs", .may(.read, .audit), use: list)
        routes.on(.get, "audit-logs/verification", "verifyAuditLog", .may(.read, .audit), use: verify)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<AuditLog.Filter, AuditPosition>
    ) async throws -> Listed<AuditEntry> {
        let found = try await auditLog.page(
            of: call.tenant, filter: query.filter, limit: query.page.readLimit, before: query.page.after?.seq)
        return try Listed(found, query.page) { AuditPosition(seq: $0.seq) }
    }

    private func verify(_ call: TenantCall) async throws -> OK<AuditVerification> {
        OK(try await auditLog.verification(of: call.tenant))
    }
}

extension AuditLog.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(entity: query.string("entity"), entityID: query.string("entityId"), actor: query.string("actor"))
    }
}

/// Where the audit log goes on.
struct AuditPosition: Codable, Sendable {
    let seq: Int

    init(seq: Int) { self.seq = seq }

    init(from decoder: any Decoder) throws {
        guard let seq = Int(try PositionKeys(from: decoder, count: 1).keys[0]) else {
            throw PositionKeys.mismatch(decoder)
        }
        self.seq = seq
    }

    func encode(to encoder: any Encoder) throws { try PositionKeys([String(seq)]).encode(to: encoder) }
}

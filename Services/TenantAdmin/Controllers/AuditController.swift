import Contracts
import Hummingbird
import ServiceKit

/// What was changed by whom.
struct AuditController: Controller {
    let auditLog: AuditLog
    let chain: AuditChain

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "audit-logs", "listAuditLogs", .may(.read, .audit), use: list)
        routes.on(
            .get, "audit-logs/verification", "verifyAuditLog", .may(.read, .audit), fails: [.conflict], use: verify)
        routes.on(.get, "audit-logs/heads", "listAuditHeads", .may(.read, .audit), fails: [.conflict], use: heads)
        routes.on(.get, "audit-logs/keys", "getAuditKeys", .may(.read, .audit), use: keys)
        routes.on(
            .get, "audit-logs/export", "exportAuditLog", .may(.read, .audit), fails: [.conflict], use: export)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<AuditLog.Filter, AuditPosition>
    ) async throws -> Listed<AuditEntry> {
        let found = try await auditLog.page(
            of: call.tenant, filter: query.filter, limit: query.page.readLimit, before: query.page.after?.seq)
        return try Listed(found, query.page) { AuditPosition(seq: $0.seq) }
    }

    private func verify(_ call: TenantCall) async throws -> OK<AuditVerification> {
        OK(try await chain.verification(of: call.tenant))
    }

    /// Newest first, the present one included.
    private func heads(_ call: TenantCall, _ page: PageQuery<AuditPosition>) async throws -> Listed<AuditHead> {
        if page.after == nil { try await chain.anchors.anchor(call.tenant) }
        let found = try await chain.anchors.heads(of: call.tenant, limit: page.readLimit, before: page.after?.seq)
        return try Listed(found, page) { AuditPosition(seq: $0.seq) }
    }

    private func keys(_ call: TenantCall) -> OK<AuditKeys> { OK(chain.keys) }

    /// Newline-delimited JSON of `AuditExportLine`; its last entry is that of the export.
    private func export(_ call: TenantCall) async throws -> Download<NDJSON> {
        try await auditLog.record(Change("export", "audit_log", nil), by: call.author, of: call.tenant)
        let chain = chain
        // Begun while there is still a status to refuse with.
        let begun = try await chain.begin(call.tenant)
        return Download(
            NDJSON.self,
            body: ResponseBody { writer in
                try await chain.send(begun) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }
}

extension AuditLog.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            entity: query.string("entity"), entityID: query.string("entityId"), actor: query.string("actor"),
            action: query.string("action"), from: query.date("from"), to: query.date("to"))
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

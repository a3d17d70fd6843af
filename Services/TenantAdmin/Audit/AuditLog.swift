import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceKit

/// One entry of the audit log.
struct Change: Sendable {
    let action: String
    let entity: String
    let entityID: String?
    var details: [String: JSONValue]

    init(_ action: String, _ entity: String, _ entityID: String?, details: [String: JSONValue] = [:]) {
        self.action = action
        self.entity = entity
        self.entityID = entityID
        self.details = details
    }
}

/// A tenant's append-only, hash-chained record of changes. The database computes the chain.
struct AuditLog: Sendable {
    let database: TenantDatabase

    /// Records what the transaction under way changes, personal values beside the entry (``PersonalValues``). Comes last in it: writers of
    /// one tenant take turns from here on.
    static func record(_ change: Change, by author: Author, on connection: PostgresConnection) async throws {
        var change = change
        let personal = change.takePersonalValues().mapValues(PersonalValue.salted)
        if !personal.isEmpty {
            change.details["sealed"] = .object(personal.compactMapValues { $0.digest.map(JSONValue.string) })
        }
        let entry: SQL = """
            INSERT INTO audit_logs (actor, action, entity, entity_id, details, request_id, address, agent)
            VALUES (\(author.name), \(change.action), \(change.entity), \(optional: change.entityID), \(json: change.details),
                \(author.requestID), \(optional: author.origin.address), \(optional: author.origin.agent))
            """
        // A tenant that is still to be migrated has no table for values; the operator's changes that bring none go on.
        if personal.isEmpty {
            try await connection.execute(entry)
            return
        }
        let places = Array(personal)
        try await connection.execute(
            """
            WITH entry AS (\(sql: entry) RETURNING seq)
            INSERT INTO audit_personal_values (seq, place, salt, value)
            SELECT entry.seq, v.place, decode(v.salt, 'hex'), v.value FROM entry, unnest(\(places.map(\.key))::text[],
                \(places.map(\.value.salt))::text[], \(places.map(\.value.value))::text[]) v (place, salt, value)
            """)
    }

    /// Records what changes nothing else.
    func record(_ change: Change, by author: Author, of tenant: TenantID) async throws {
        try await database.withTenant(tenant) { connection in
            try await Self.record(change, by: author, on: connection)
        }
    }

    /// Records once what another service has changed, for suspended and deleted tenants as well.
    /// - Throws: 404 for a tenant that is not known.
    func record(_ note: AuditNote, of tenant: TenantID) async throws {
        try await database.withAny(tenant) { _, connection in
            let isNew = try await connection.execute(
                "INSERT INTO audit_notes (id) VALUES (\(note.id)) ON CONFLICT DO NOTHING")
            guard isNew == 1 else { return }
            var details = note.details
            // What these say is this service's to say.
            for reserved in ["sealed", "erased"] { details[reserved] = nil }
            details["occurredAt"] = .string(WireJSON.timestamp(note.occurredAt))
            try await Self.record(
                Change(note.action, note.entity, note.entityId, details: details),
                by: Author(
                    name: note.actor, requestID: note.requestId ?? "",
                    origin: RequestOrigin(address: note.address, agent: note.agent)), on: connection)
        }
    }

    struct Filter: Sendable {
        var entity: String?
        var entityID: String?
        var actor: String?
        var action: String?
        /// From this moment on.
        var from: Date?
        /// Before this one.
        var to: Date?
    }

    /// Newest first, with each personal value in its place, or the word that it was erased.
    func page(of tenant: TenantID, filter: Filter, limit: Int, before seq: Int?) async throws -> [AuditEntry] {
        var conditions: [SQL] = ["true"]
        if let entity = filter.entity { conditions.append("entity = \(entity)") }
        if let entityID = filter.entityID { conditions.append("entity_id = \(entityID)") }
        if let actor = filter.actor { conditions.append("actor = \(actor)") }
        if let action = filter.action { conditions.append("action = \(action)") }
        // By the time that an entry says, which is rounded to the millisecond.
        let half = 0.0005
        if let from = filter.from { conditions.append("occurred_at >= \(from - half)") }
        if let to = filter.to { conditions.append("occurred_at < \(to - half)") }
        if let seq { conditions.append("seq < \(seq)") }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT seq, occurred_at, actor, action, entity, entity_id, \(sql: PersonalValues.shown) AS details, request_id,
                    address, agent, encode(hash, 'hex') AS hash
                FROM audit_logs a WHERE \(sql: condition) ORDER BY seq DESC LIMIT \(limit)::bigint
                """
            ).map(AuditEntry.init)
        }
    }
}

extension AuditEntry {
    init(_ row: PostgresRow) throws {
        self.init(
            seq: try row.decode("seq"), occurredAt: try row.decode("occurred_at"), actor: try row.decode("actor"),
            action: try row.decode("action"), entity: try row.decode("entity"), entityId: try row.decode("entity_id"),
            details: try row.decode("details", as: PostgresJSON<JSONValue>.self).value,
            requestId: try row.decode("request_id"), address: try row.decode("address"),
            agent: try row.decode("agent"), hash: try row.decode("hash"))
    }
}

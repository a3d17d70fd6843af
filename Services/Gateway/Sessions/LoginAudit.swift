import Basics
import Contracts
import Foundation
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization

/// Who logs in or out, and in which request.
struct Visit: Sendable {
    let address: ClientAddress
    /// The client's program.
    let agent: String?
    let requestID: String
}

/// Log-ins, log-outs, failures, refusals and revoked sessions, on their way to the tenants' audit logs.
///
/// What was typed may be anything, a password in the wrong field included: it is not repeated. Entries about attempts name the user whose
/// address it was.
struct LoginAudit: Sendable {
    let record: @Sendable (AuditNote, TenantID) async throws -> Void

    /// Through the gateway's outbox.
    static func outbox(_ database: ServiceDatabase) -> LoginAudit {
        LoginAudit { note, tenant in
            try await database.withTenantRows(tenant) { connection in
                try await AuditOutbox.record(note, of: tenant, on: connection)
            }
        }
    }

    func loggedIn(_ family: RefreshFamily, _ visit: Visit) async throws {
        try await record(
            note("login", "session", family.id.description, by: family.user.description, visit), family.tenant)
    }

    /// - Parameter user: whose account it was; nil for nobody's.
    func failed(_ user: UserID?, _ tenant: TenantID, _ visit: Visit) async throws {
        try await record(note("login_failed", "user", user?.description, by: "anonymous", visit), tenant)
    }

    /// The attempt was not looked at, because others had failed before it.
    /// - Parameter user: as in ``failed(_:_:_:)``.
    func lockedOut(_ user: UserID?, _ tenant: TenantID, _ visit: Visit) async throws {
        try await record(note("login_locked_out", "user", user?.description, by: "anonymous", visit), tenant)
    }

    /// Somebody has used one of the session's refresh tokens a second time.
    func revoked(_ family: RefreshFamily, _ visit: Visit) async throws {
        try await record(
            note(
                "revoke", "session", family.id.description, by: family.user.description, visit,
                ["reason": .string("refresh_token_reused")]), family.tenant)
    }

    func loggedOut(_ family: RefreshFamily, _ visit: Visit) async throws {
        try await record(
            note("logout", "session", family.id.description, by: family.user.description, visit), family.tenant)
    }

    private func note(
        _ action: String, _ entity: String, _ id: String?, by actor: String, _ visit: Visit,
        _ details: [String: JSONValue] = [:]
    ) -> AuditNote {
        AuditNote(
            action, entity, id, details: details, by: actor, requestId: visit.requestID, address: "\(visit.address)",
            agent: visit.agent.map { String($0.prefix(300)) })
    }
}

/// Which attempts that are refused while locked out have an entry of the audit log. A refusal costs an attacker nothing, so that as many
/// entries would.
///
/// Each node counts by itself, and remembers the last 10,000 subjects: who has more of them refused within a minute gets further entries. No
/// more of these than of failed attempts: before an account or an address is refused it has used up its free failures, which have an entry
/// each.
final class LockedOutEntries: Sendable {
    private let last = Mutex(RecentEntries<[UInt8], Date>(maximumCount: 10_000))

    private static let pause: TimeInterval = 60

    /// True once a minute for each subject: an account, or an address.
    func isDue(_ subject: [UInt8], now: Date) -> Bool {
        last.withLock { last in
            if let time = last.use(subject), abs(now.timeIntervalSince(time)) < Self.pause { return false }
            last.insert(now, for: subject)
            return true
        }
    }
}

import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// What was erased of the audit log when a person or a user had to be forgotten. The entry that records the change says it too, so that
/// a value which is gone without such an entry is found by a verification.
struct ErasedValues: Sendable {
    /// Entries by place: `after.name`.
    private let entries: [String: [Int]]
    /// Entries of earlier releases, whose hashed details themselves name the person. They cannot be changed.
    let namingEntries: Int

    var count: Int { entries.values.reduce(0) { $0 + $1.count } }

    /// As ``AuditDetails`` has them.
    var details: [String: JSONValue] {
        var details: [String: JSONValue] = [:]
        if !entries.isEmpty {
            details["erased"] = .object(entries.mapValues { .array($0.map(JSONValue.integer)) })
        }
        if namingEntries > 0 { details["namingEntries"] = .integer(namingEntries) }
        return details
    }

    /// Erases what the log says of a person. The person's row is locked.
    static func erase(about person: EmployeeID, on connection: PostgresConnection) async throws -> ErasedValues {
        let entries = isAbout(Employees.noun, person)
        return try await erase(entries, naming: entries, on: connection)
    }

    /// Erases what the log says of a user who is gone: of the account, of invitations to its addresses, and where such an address was the
    /// tenant's.
    /// - Parameter addresses: keys of addresses that the log may lack; addresses in the log are found, and another user's are left alone.
    static func erase(
        about user: UserID, addresses: [String] = [], on connection: PostgresConnection
    ) async throws -> ErasedValues {
        let account = isAbout("user", user)
        let known = try await connection.query(
            """
            SELECT \(sql: .addressKey("v.value")) AS key FROM audit_logs a JOIN audit_personal_values v ON v.seq = a.seq
            WHERE \(sql: account) AND v.place IN ('before.email', 'after.email')
            UNION SELECT unnest(\(addresses)::text[]) EXCEPT SELECT email_key FROM users
            """
        ).map { try $0.decode("key", as: String.self) }
        let invitations: SQL = """
            a.entity = 'invitation' AND a.entity_id IN (
                SELECT i.entity_id FROM audit_logs i JOIN audit_personal_values v ON v.seq = i.seq
                WHERE i.entity = 'invitation' AND \(sql: .addressKey("v.value")) = ANY(\(known)::text[]))
            """
        let tenant: SQL = "a.entity = 'tenant' AND \(sql: .addressKey("v.value")) = ANY(\(known)::text[])"
        let others: SQL = """
            a.entity IN ('invitation', 'tenant') AND EXISTS (
                SELECT FROM unnest(ARRAY['before', 'after']) side, unnest(ARRAY['email', 'adminEmail']) field
                WHERE \(sql: .addressKey("a.details -> side ->> field")) = ANY(\(known)::text[]))
            """
        return try await erase(
            "\(sql: account) OR \(sql: invitations) OR \(sql: tenant)", naming: "\(sql: account) OR \(sql: others)",
            on: connection)
    }

    /// Somebody of whom the log still says something.
    enum Gone: Sendable {
        case person(EmployeeID)
        case user(UserID)
    }

    /// People and users who are gone, and people who were anonymised: by a release that erased nothing here, or because an archive has
    /// brought other users.
    static func gone(on connection: PostgresConnection) async throws -> [Gone] {
        func ids<ID: PostgresDecodable>(_ entity: String, left: SQL) async throws -> [ID] {
            try await connection.query(
                """
                SELECT DISTINCT a.entity_id AS id FROM audit_logs a JOIN audit_personal_values v ON v.seq = a.seq
                WHERE a.entity = \(entity) AND a.entity_id NOT IN (\(sql: left)) ORDER BY 1
                """
            ).map { try $0.decode("id") }
        }
        let people: [EmployeeID] = try await ids(
            Employees.noun, left: "SELECT id::text FROM employees WHERE external_id <> 'anonymised-' || id")
        let users: [UserID] = try await ids("user", left: "SELECT id::text FROM users")
        return people.map(Gone.person) + users.map(Gone.user)
    }

    /// Erases what the log says of them, and records that. Comes last in a transaction: writers of one tenant's log take turns from here on.
    static func erase(_ gone: Gone, by author: Author, on connection: PostgresConnection) async throws {
        let (entity, id, erased) =
            switch gone {
            case .person(let id): (Employees.noun, id.description, try await erase(about: id, on: connection))
            case .user(let id): ("user", id.description, try await erase(about: id, on: connection))
            }
        // Another node may have been first.
        guard erased.count > 0 else { return }
        try await AuditLog.record(Change("erase", entity, id, details: erased.details), by: author, on: connection)
    }

    /// Erases what the log says of invitations. Their rows are locked.
    static func erase(
        about invitations: [InvitationID], on connection: PostgresConnection
    ) async throws -> ErasedValues {
        let entries: SQL = "a.entity = 'invitation' AND a.entity_id = ANY(\(invitations.map(\.description))::text[])"
        return try await erase(entries, naming: entries, on: connection)
    }

    /// Of `audit_logs a`.
    private static func isAbout<Entity>(_ entity: String, _ id: Identifier<Entity>) -> SQL {
        "(a.entity = \(entity) AND a.entity_id = \(id.description))"
    }

    /// - Parameters:
    ///   - condition: of `audit_logs a` and `audit_personal_values v`.
    ///   - naming: of entries `audit_logs a` that are counted where their own text is personal.
    private static func erase(
        _ condition: SQL, naming: SQL, on connection: PostgresConnection
    ) async throws -> ErasedValues {
        let rows = try await connection.query(
            """
            WITH erased AS (
                DELETE FROM audit_personal_values v USING audit_logs a WHERE a.seq = v.seq AND (\(sql: condition))
                RETURNING v.place, v.seq)
            SELECT place, array_agg(seq ORDER BY seq) AS entries FROM erased GROUP BY place
            """)
        let entries = try rows.map { row in
            (try row.decode("place", as: String.self), try row.decode("entries", as: [Int].self))
        }
        let fields = PersonalValues.fields.values.flatMap(\.self)
        let naming = try await connection.query(
            """
            SELECT count(*) AS entries FROM audit_logs a WHERE (\(sql: naming)) AND EXISTS (
                SELECT FROM unnest(ARRAY['before', 'after']) side, unnest(\(fields)::text[]) field
                WHERE jsonb_typeof(a.details -> side -> field) = 'string')
            """)
        return ErasedValues(
            entries: Dictionary(uniqueKeysWithValues: entries), namingEntries: try naming[0].decode("entries"))
    }
}

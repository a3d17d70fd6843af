import Contracts
import Postgres
import ServiceKit

/// Rows that refer to one that is to be deleted.
struct ResourceUse: Sendable {
    /// `employees`
    let kind: String
    let count: Int
    /// The first few by name.
    let examples: [String]

    private static let shown = 5

    /// - Parameters:
    ///   - names: a query of one text column, `name`; shown only to those who may read these rows.
    /// - Returns: nil when there are none.
    static func find(
        _ resource: Resource, _ names: SQL, for caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> ResourceUse? {
        let rows = try await connection.query(
            """
            WITH uses AS (\(sql: names))
            SELECT (SELECT count(*) FROM uses) AS total,
                array(SELECT name FROM uses ORDER BY name LIMIT \(shown)::bigint) AS examples
            """)
        let count = try rows[0].decode("total", as: Int.self)
        guard count > 0 else { return nil }
        let mayRead = caller.permissions.allow(.read, on: resource)
        return ResourceUse(
            kind: resource.rawValue, count: count, examples: mayRead ? try rows[0].decode("examples") : [])
    }

    /// `3 employees: E1, E2, E3`
    var description: String {
        let more = count > examples.count ? ", …" : ""
        return "\(count) \(kind)" + (examples.isEmpty ? "" : ": \(examples.joined(separator: ", "))\(more)")
    }

    /// 409 that names each kind of use.
    static func refusal(of noun: String, usedBy uses: [ResourceUse]) -> ProblemError {
        .conflict(
            "The \(noun) is in use and cannot be deleted: \(uses.map(\.description).joined(separator: "; ")).",
            errors: uses.map { FieldError(field: $0.kind, message: "in use by \($0.description)") })
    }
}

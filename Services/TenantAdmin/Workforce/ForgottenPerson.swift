import Contracts
import Postgres

/// A person whose name, address and external id are taken out of what imports and archives have left in the tenant's schema.
struct ForgottenPerson: Sendable {
    let id: EmployeeID
    let externalID: String
    /// Name, address and external id.
    private let values: [String]

    init(_ person: Employee) {
        id = person.id
        externalID = person.externalId
        values = [person.name, person.email, person.externalId].compactMap(\.self)
    }

    /// Acts as the tenant.
    func forget(on connection: PostgresConnection) async throws {
        try await forgetNotes(on: connection)
        try await connection.execute(
            "DELETE FROM archived_ids WHERE kind = 'employees' AND (id = \(id) OR key = \(externalID))")
        try await ArchivedEntries(connection: connection).forget(
            Employees.noun, id: id.description, where: "externalId"
        ) { "\(sql: $0) = \(externalID)" }
    }

    // MARK: notes of imports

    /// What replaces a note that quotes the person.
    private static let note = "quoted a person who was deleted or anonymised"

    /// Notes quote what a file said: a value between quotation marks, cut off at 40 characters, and an unknown column as it is. A short
    /// name is a part of many words, so that it counts only as a whole.
    private var quotes: [String] {
        values.filter { $0.count >= 5 && $0 != externalID }.map { String($0.prefix(30)) }
            + values.map { $0.count > 30 ? "\"\($0.prefix(30))" : "\"\($0)\"" }
    }

    /// Whether an element of `errors` or `warnings` quotes the person.
    private func isQuoted(in note: SQL) -> SQL {
        """
        (\(sql: note) ->> 'column' = ANY(\(values)::text[]) OR EXISTS (SELECT FROM unnest(\(quotes)::text[]) quote
            WHERE position(lower(quote) IN lower(concat_ws(' ', \(sql: note) ->> 'column', \(sql: note) ->> 'reason'))) > 0))
        """
    }

    private func forgetNotes(on connection: PostgresConnection) async throws {
        func cleared(_ column: SQL) -> SQL {
            """
            (SELECT coalesce(jsonb_agg(CASE WHEN \(sql: isQuoted(in: "n"))
                    THEN n || jsonb_build_object('column', '', 'reason', \(Self.note)::text) ELSE n END ORDER BY place), '[]')
                FROM jsonb_array_elements(\(sql: column)) WITH ORDINALITY e (n, place))
            """
        }
        try await connection.execute(
            """
            UPDATE imports SET errors = \(sql: cleared("errors")), warnings = \(sql: cleared("warnings"))
            WHERE EXISTS (SELECT FROM jsonb_array_elements(errors || warnings) n WHERE \(sql: isQuoted(in: "n")))
            """)
    }
}

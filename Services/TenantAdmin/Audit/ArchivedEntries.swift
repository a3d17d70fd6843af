import Postgres

/// Entries of other tenants' audit logs that archives have brought. They may name people who are forgotten here.
struct ArchivedEntries: Sendable {
    let connection: PostgresConnection

    /// Takes personal values out of the entries about an object, also where the archived tenant had it under another id.
    /// - Parameters:
    ///   - id: nil where the value alone says which objects are meant.
    ///   - field: one of ``PersonalValues/fields``.
    ///   - isMeant: whether such a value, an SQL expression, is that of the object.
    func forget(_ entity: String, id: String?, where field: String, _ isMeant: (SQL) -> SQL) async throws {
        let sides = ["before", "after"]
        let values = sides.flatMap { ["{details,\($0),\(field)}", "{personal,\($0).\(field),value}"] }
            .map { path -> SQL in "entry #>> \(path)::text[]" }.joined(separator: ", ")
        let emptied = (PersonalValues.fields[entity] ?? []).flatMap { field in
            sides.map { "{details,\($0),\(field)}" }
        }.reduce("entry - 'personal'" as SQL) { "\(sql: $0) #- \($1)::text[]" }
        try await connection.setLocal(settings: ["erm.forgets_person": "on"])
        try await connection.execute(
            """
            WITH entries AS MATERIALIZED (
                SELECT number, line::jsonb AS entry FROM archived_audit_logs WHERE position(\("\"\(entity)\"")::text IN line) > 0
            ), meant AS (
                SELECT \(optional: id)::text AS id
                UNION SELECT entry ->> 'entity_id' FROM entries WHERE entry ->> 'entity' = \(entity) AND EXISTS (
                    SELECT FROM unnest(ARRAY[\(sql: values)]) value WHERE \(sql: isMeant("value")))
            )
            UPDATE archived_audit_logs a SET line = (\(sql: emptied))::text
            FROM entries WHERE entries.number = a.number AND entry ->> 'entity' = \(entity)
                AND entry ->> 'entity_id' IN (SELECT id FROM meant)
            """)
        try await connection.setLocal(settings: ["erm.forgets_person": "off"])
    }
}

import Contracts
import Postgres
import ServiceStorage

extension PostgresDecisionMetrics {
    /// Per department; people without a department last.
    func selection(
        from first: CivilDate, to last: CivilDate, model: ModelID?, tenant: TenantID
    ) async throws -> [DepartmentSelection] {
        let counts = try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                WITH answers AS (
                    SELECT selection, CASE WHEN decision = 'rejected' THEN NULL
                            WHEN instead_employee_id IS NOT NULL THEN coalesce(instead_department_id::text, '')
                            WHEN decision IS NOT NULL OR actual_hours IS NOT NULL THEN
                                (SELECT d FROM jsonb_each(selection) s (d, n) WHERE (n ->> 0)::integer > 0 LIMIT 1)
                        END AS booked
                    FROM predictions
                    WHERE selection IS NOT NULL AND created_at >= \(first.startOfDay)
                        AND created_at < \(last.adding(days: 1).startOfDay)
                        AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))
                ), counts AS (
                    SELECT d AS department, (n ->> 0)::bigint AS asked, (n ->> 1)::bigint AS considered,
                        (n ->> 2)::bigint AS proposed, 0::bigint AS booked
                    FROM answers, jsonb_each(selection) s (d, n)
                    UNION ALL
                    SELECT booked, 0, 0, 0, 1 FROM answers WHERE booked IS NOT NULL
                )
                SELECT nullif(department, '')::uuid AS department, sum(asked)::bigint AS asked,
                    sum(considered)::bigint AS considered, sum(proposed)::bigint AS proposed, sum(booked)::bigint AS booked
                FROM counts GROUP BY department ORDER BY nullif(department, '') NULLS LAST
                """
            ).map(Counts.init)
        }
        let highest = counts.compactMap { DepartmentSelection.percent($0.proposed, of: $0.considered) }.max()
        return counts.map {
            DepartmentSelection(
                departmentId: $0.department, asked: $0.asked, considered: $0.considered, proposed: $0.proposed,
                booked: $0.booked, highestProposedPercent: highest)
        }
    }

    private struct Counts {
        let department: DepartmentID?
        let asked: Int
        let considered: Int
        let proposed: Int
        let booked: Int

        init(_ row: PostgresRow) throws {
            department = try row.decode("department")
            asked = try row.decode("asked")
            considered = try row.decode("considered")
            proposed = try row.decode("proposed")
            booked = try row.decode("booked")
        }
    }
}

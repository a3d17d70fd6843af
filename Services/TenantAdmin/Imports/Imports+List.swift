import Contracts
import Postgres
import ServiceKit
import ServiceStorage

extension Imports {
    struct Filter: Sendable {
        var kind: ImportKind?
        var status: ImportStatus?
    }

    /// Newest first, those under way included, without their lists of errors.
    func page(
        of tenant: TenantID, filter: Filter, limit: Int, after last: NewestFirst<ImportEntity>?
    ) async throws -> [ImportReport] {
        var conditions: [SQL] = ["true"]
        if let kind = filter.kind { conditions.append("kind = \(kind)") }
        if let status = filter.status { conditions.append("status = \(status)") }
        if let last { conditions.append(last.condition) }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT * FROM (
                    SELECT \(sql: ImportReport.columnsWithoutErrors) FROM imports
                    UNION ALL \(sql: ImportProgress.rows)) i
                WHERE \(sql: condition) ORDER BY created_at DESC, id DESC LIMIT \(limit)::bigint
                """
            ).map(ImportReport.init)
        }
    }

    /// One import, under way or over.
    /// - Throws: 404.
    func report(_ id: ImportID, of tenant: TenantID) async throws -> ImportReport {
        let report = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT * FROM (SELECT \(sql: ImportReport.columns) FROM imports UNION ALL \(sql: ImportProgress.rows)) i
                WHERE id = \(id)
                """
            ).first.map(ImportReport.init)
        }
        guard let report else { throw ProblemError.notFound("Import") }
        return report
    }
}

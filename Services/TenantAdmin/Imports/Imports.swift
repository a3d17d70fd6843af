import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Takes whole files of history (DESIGN §10).
struct Imports: Sendable {
    let database: TenantDatabase
    let slots: ImportSlots

    struct Order: Sendable {
        let kind: ImportKind
        let format: ImportFormat
        let policy: ImportErrorPolicy
    }

    /// Applies a file in one transaction: the bytes are staged by COPY as they arrive, in bounded memory, then judged and
    /// applied as sets. Whatever ends it early, a crash included, leaves nothing.
    /// - Throws: 422 `import_failed` naming lines and columns when the file is rejected; 403 `tenant_unavailable`; 503.
    func run<Body: AsyncSequence>(
        _ order: Order, body: Body, in tenant: TenantID, by author: Author,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> ImportReport where Body.Element == ByteBuffer {
        let tally = ImportTally()
        let id = ImportID()
        do {
            return try await slots.withSlot(for: tenant) {
                try await database.pool.withTransaction(retries: 0) { connection in
                    let before = try await TenantDatabase.active(tenant, on: connection)
                    try await TenantCounts.requireStorage(before, on: connection)
                    let stream = ImportCopyStream(body: body, kind: order.kind, format: order.format, tally: tally)
                    try await Self.stage(stream, as: order.kind, for: before.names, on: connection)
                    // Asked again: the upload may have taken an hour, and a tenant suspended meanwhile writes nothing.
                    let active = try await TenantDatabase.active(tenant, on: connection)
                    try await TenantDatabase.enter(active.names, on: connection)
                    let application = ImportApplication(
                        id: id, order: order, staged: tally.state, limits: active.limits, connection: connection)
                    let report = try await application.run()
                    try await Users.requireActive(author, on: connection)
                    try await TenantCounts.requireStorage(active, on: connection)
                    try await report.store(policy: order.policy, by: author, on: connection)
                    return report
                }
            }
        } catch let rejection as ImportRejection {
            throw try await reject(rejection.report(id, order), order: order, in: tenant, by: author)
        } catch let error as ImportFileError {
            let rejection = ImportRejection(rowsRead: tally.state.rowsRead, rejected: 0, errors: error.errors)
            throw try await reject(rejection.report(id, order), order: order, in: tenant, by: author)
        }
    }

    struct Filter: Sendable {
        var kind: ImportKind?
        /// `applied` or `rejected`.
        var status: ImportStatus?
    }

    /// Newest first, without their lists of errors.
    func page(
        of tenant: TenantID, filter: Filter, limit: Int, after last: NewestFirst<ImportEntity>?
    ) async throws -> [ImportReport] {
        var conditions: [SQL] = ["true"]
        if let kind = filter.kind { conditions.append("kind = \(kind.rawValue)") }
        if let status = filter.status { conditions.append("status = \(status.rawValue)") }
        if let last { conditions.append(last.condition) }
        let condition = conditions.joined(separator: " and ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                select \(sql: ImportReport.columnsWithoutErrors) from imports where \(sql: condition)
                order by created_at desc, id desc limit \(limit)::bigint
                """
            ).map(ImportReport.init)
        }
    }

    /// - Throws: 404.
    func report(_ id: ImportID, of tenant: TenantID) async throws -> ImportReport {
        let report = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query("select \(sql: ImportReport.columns) from imports where id = \(id.rawValue)")
                .first.map(ImportReport.init)
        }
        guard let report else { throw ProblemError.notFound("Import") }
        return report
    }

    /// The tenant's role may make no temporary tables of its own; it is given the rights to this one.
    private static func stage<Body: AsyncSequence>(
        _ stream: ImportCopyStream<Body>, as kind: ImportKind, for names: TenantNames,
        on connection: PostgresConnection,
        isolation: isolated (any Actor)? = #isolation
    ) async throws where Body.Element == ByteBuffer {
        try await connection.execute(ImportPlan.staging(kind))
        _ = try await connection.copyIn(ImportPlan.copy(kind), chunks: stream)
        try await connection.execute("analyze pg_temp.import_rows")
        try await connection.execute(
            "grant select, delete on pg_temp.import_rows to \(identifier: names.role)")
    }

    /// Keeps the report of a file of which nothing was applied, and makes the answer.
    private func reject(
        _ report: ImportReport, order: Order, in tenant: TenantID, by author: Author
    ) async throws -> ProblemError {
        try await database.withTenant(tenant) { connection in
            try await report.store(policy: order.policy, by: author, on: connection)
        }
        let (sentence, errors) = report.problem
        return ProblemError(
            status: .unprocessableContent, code: .importFailed, sentence, errors: errors,
            headers: [.location: "/api/v1/imports/\(report.id)"])
    }
}

/// A file of which nothing may be applied.
struct ImportRejection: Error {
    let rowsRead: Int
    let rejected: Int
    let errors: [ImportRowError]

    func report(_ id: ImportID, _ order: Imports.Order) -> ImportReport {
        ImportReport(
            id: id, kind: order.kind, status: "rejected", rowsRead: rowsRead, inserted: 0, updated: 0, unchanged: 0,
            rejected: rejected, errors: errors, createdAt: Date())
    }
}

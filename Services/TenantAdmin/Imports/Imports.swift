import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Takes whole files of people, work and history.
///
/// An upload is validated row by row as it comes and its valid rows are spooled, outside of any transaction: a slow sender delays
/// neither the history feed's watermark nor vacuum, nor another tenant. A complete file waits for its turn and is applied in one
/// transaction, as sets. An upload that ends early, also by a crash, leaves nothing.
struct Imports: Sendable {
    let database: TenantDatabase
    let settings: ImportSettings
    /// Of uploads under way.
    let places: TenantPlaces
    let turns: BulkTurns

    /// - Parameter turns: to apply what has come whole.
    init(database: TenantDatabase, settings: ImportSettings, turns: BulkTurns) {
        self.database = database
        self.settings = settings
        self.turns = turns
        places = TenantPlaces(for: "imports", capacity: settings.maximumUploads)
    }

    struct Order: Sendable {
        var id = ImportID()
        let kind: ImportKind
        let format: ImportFormat
        let policy: ImportErrorPolicy
        var history = ImportHistory.asDecided
        /// Says all that would happen and does nothing.
        var isDryRun = false
    }

    /// Ends the transaction of a dry run.
    private struct DryRun: Error {
        let report: ImportReport
    }

    /// - Throws: 422 `import_failed` naming lines and columns when the file is rejected; 403 `tenant_unavailable`; 408 when
    ///   the upload comes too slowly; 409 when there is an import with this id; 413; 429 when the tenant has enough uploads under way;
    ///   503.
    func run<Body: AsyncSequence & Sendable>(
        _ order: Order, body: Body, in tenant: TenantID, by author: Author
    ) async throws -> ImportReport where Body.Element == ByteBuffer {
        let tally = ImportTally()
        let progress = ImportProgress(database: database, tenant: tenant, order: order)
        do {
            return try await places.withPlace(for: tenant) {
                let zone = try await requireRoom(for: order, in: tenant)
                let spool = Spool(in: settings.space, of: tenant)
                let stage = ImportStage(
                    plan: ImportPlan(order.kind), format: order.format, zone: zone, tally: tally)
                try await receive(body, stage, to: spool, tally, progress)
                if progress.isShown { try await progress.show(.applying, tally.state) }
                return try await turns.withTurn(for: tenant) {
                    try await apply(spool, order, tally.state, progress, in: tenant, by: author)
                }
            }
        } catch let rejection as ImportRejection {
            throw try await reject(rejection, order, progress, in: tenant, by: author)
        } catch let error as ImportFileError {
            let rejection = ImportRejection(tally.state, rejected: 0, errors: error.errors)
            throw try await reject(rejection, order, progress, in: tenant, by: author)
        } catch let dryRun as DryRun {
            await progress.withdraw()
            return dryRun.report
        } catch {
            await progress.withdraw()
            throw error
        }
    }

    /// - Returns: the tenant's time zone.
    private func requireRoom(for order: Order, in tenant: TenantID) async throws -> TimeZone {
        try await database.withActive(tenant, readOnly: true) { active, connection in
            try TenantCounts.requireStorage(active)
            let known = try await connection.query(
                """
                SELECT FROM imports WHERE id = \(order.id)
                UNION ALL SELECT FROM imports_under_way WHERE id = \(order.id) AND \(sql: ImportProgress.isCurrent)
                """)
            guard known.isEmpty else { throw ConstraintProblem.knownImport }
            let zone = try await connection.query("SELECT tenant_zone()")[0].decode(at: 0, as: String.self)
            return TimeZone(identifier: zone) ?? .gmt
        }
    }

    /// Spools the upload while its rate is watched and its progress written down.
    private func receive<Body: AsyncSequence & Sendable>(
        _ body: Body, _ stage: ImportStage, to spool: Spool, _ tally: ImportTally, _ progress: ImportProgress
    ) async throws where Body.Element == ByteBuffer {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var stage = stage
                try await stage.run(body, to: spool)
            }
            group.addTask { try await watch(tally, progress) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func watch(_ tally: ImportTally, _ progress: ImportProgress) async throws {
        var rate = UploadRate(settings.minimumRate, from: .now)
        while true {
            try await Task.sleep(for: settings.pause)
            let state = tally.state
            guard rate.isKept(bytes: state.bytes, at: .now) else {
                throw ProblemError(
                    status: .requestTimeout, code: .requestTimeout,
                    "The upload came more slowly than \(settings.minimumRate.bytesPerSecond) bytes a second; nothing was applied.",
                    headers: [.connection: "close"])
            }
            do {
                try await progress.show(.receiving, state)
            } catch let problem as ProblemError where problem.code == .tenantUnavailable {
                throw problem
            } catch {
                // An upload does not fail because its progress could not be written down this time.
                try Task.checkCancellation()
            }
        }
    }

    private func apply(
        _ spool: Spool, _ order: Order, _ staged: ImportTally.State, _ progress: ImportProgress,
        in tenant: TenantID, by author: Author
    ) async throws -> ImportReport {
        let plan = ImportPlan(order.kind)
        // A dry run locks nothing, so that nobody waits for it: it judges one state of the tenant.
        let report: ImportReport = try await database.pool.withTransaction(
            isolationLevel: order.isDryRun ? .repeatableRead : .readCommitted
        ) { connection in
            // The tenant's role may make no temporary tables of its own; it is given the rights to this one.
            let active = try await TenantDatabase.active(tenant, on: connection)
            try database.requireVersion(of: active)
            // The judgement's statement is long and soon done: compiling it would take longer than running it.
            try await connection.setLocal(settings: ["jit": "off", "work_mem": "32MB"])
            try await connection.execute(plan.staging)
            if case .bookings = plan.planning {
                try await ImportedBookings.stage(for: active.names.role, on: connection)
            }
            let copies = ImportCopies(order.isDryRun ? plan.copies : [], of: active.names)
            try await copies.make(on: connection)
            _ = try await connection.copyIn(plan.copy, chunks: spool.chunks)
            try await connection.execute("ANALYZE pg_temp.import_rows")
            try await connection.execute(
                "GRANT SELECT, DELETE ON pg_temp.import_rows to \(identifier: active.names.role)")
            try await copies.enter(on: connection)
            try await author.requireStill(.write, on: .imports, of: tenant, on: connection)
            try TenantCounts.requireStorage(active)
            try await requireNew(order, on: connection)
            let application = ImportApplication(
                plan: plan, order: order, staged: staged, limits: active.limits, author: author, copies: copies,
                connection: connection)
            let report = try await application.run()
            if order.isDryRun { throw DryRun(report: report) }
            // To write a large file takes a while, too.
            try await author.requireStill(.write, on: .imports, of: tenant, on: connection)
            try await progress.end(on: connection)
            try await report.store(policy: order.policy, by: author, on: connection)
            return report
        }
        database.onWrite(tenant)
        return report
    }

    /// The same import may have been sent twice, and the other one be applied now: of two, one waits here for the end of the other.
    private func requireNew(_ order: Order, on connection: PostgresConnection) async throws {
        if !order.isDryRun {
            try await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('erm import ' || \(order.id.description)::text, 0))")
        }
        let known = try await connection.query("SELECT FROM imports WHERE id = \(order.id)")
        guard known.isEmpty else { throw ConstraintProblem.knownImport }
    }

    /// Stores the report of a file that was refused as a whole, and makes the answer.
    private func reject(
        _ rejection: ImportRejection, _ order: Order, _ progress: ImportProgress, in tenant: TenantID, by author: Author
    ) async throws -> ProblemError {
        let report = rejection.report(order)
        if order.isDryRun {
            await progress.withdraw()
            let (sentence, errors) = report.problem(isStored: false)
            return ProblemError(
                status: .unprocessableContent, code: .importFailed, sentence, errors: errors)
        }
        do {
            try await database.withTenant(tenant) { connection in
                try await progress.end(on: connection)
                try await report.store(policy: order.policy, by: author, on: connection)
            }
        } catch {
            await progress.withdraw()
            throw error
        }
        let (sentence, errors) = report.problem(isStored: true)
        return ProblemError(
            status: .unprocessableContent, code: .importFailed, sentence, errors: errors,
            headers: [.location: "/api/v1/imports/\(report.id)"])
    }
}

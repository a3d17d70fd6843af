import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Imports under way")
struct ImportResourceTests {
    @Test("a client that goes away in the middle leaves nothing")
    func brokenUpload() async throws {
        struct Gone: Error {}
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let imports = Imports(service, .testing(uploads: 1))
            let (body, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            continuation.yield(ByteBuffer(string: "name\nSwift\nSQL\n"))
            continuation.finish(throwing: Gone())

            await #expect(throws: Gone.self) {
                _ = try await imports.run(
                    .init(kind: .skills, format: .csv, policy: .skip), body: body, in: tenant.id,
                    by: Author(name: "t", requestID: "r"))
            }
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            // The place is free again.
            let report: ImportReport = try await service.importCSV(.skills, "name\nSwift\n", into: tenant.id).data()
            #expect(report.inserted == 1)
        }
    }

    @Test("no more uploads are under way than there are places for, and a sixteenth of them is one tenant's")
    func places() async throws {
        let places = TenantPlaces(for: "imports", capacity: 32)
        let (slow, other) = (TenantID(), TenantID())
        try await places.withPlace(for: slow) {
            try await places.withPlace(for: slow) {
                let refused = await #expect(throws: ProblemError.self) { try await places.withPlace(for: slow) { 0 } }
                let served = try await places.withPlace(for: other) { 1 }

                #expect(refused?.status.code == 429)
                #expect(served == 1)
            }
        }
        #expect(try await places.withPlace(for: slow) { 2 } == 2)
        let taken = try (0..<32).map { _ in try places.take(for: TenantID()) }
        #expect(throws: ProblemError.self) { try places.take(for: other) }
        taken[0].giveBack()
        // Given back once, however often it is said; and with its last user.
        taken[0].giveBack()
        do { _ = try places.take(for: other) }
        let again = try places.take(for: other)
        let full = #expect(throws: ProblemError.self) { try places.take(for: slow) }
        #expect(full?.status.code == 503)
        again.giveBack()
        for place in taken { place.giveBack() }
    }

    @Test(
        "turns begin in the order in which they are asked for, half of them one tenant's, and who leaves is passed over"
    )
    func turns() {
        let (one, two) = (TenantID(), TenantID())
        var order = TurnOrder<String>(atOnce: 4)
        func ask(_ tenant: TenantID, _ name: String) -> (began: Bool, ticket: Int) {
            let ticket = order.ticket()
            return (order.begin(tenant, ticket, name), ticket)
        }
        let asked = ["a", "b", "c", "d", "e"].map { ask(one, $0) } + ["f", "g", "h"].map { ask(two, $0) }
        let left = (0..<2).map { _ in order.leave(asked[3].ticket) }
        let next = [two, one, one, two].map { order.end($0) }

        #expect(asked.map(\.began) == [true, true, false, false, false, true, true, false])
        #expect(left == ["d", nil])
        #expect(next == [["h"], ["c"], ["e"], []])
    }

    @Test("who waits for a turn gets it when one ends, or leaves when cancelled")
    func waiting() async throws {
        let turns = BulkTurns(atOnce: 1)
        let tenant = TenantID()
        let (begun, over) = (Signal(), Signal())
        let first = Task {
            try await turns.withTurn(for: tenant) {
                begun.set()
                await over.wait()
            }
        }
        await begun.wait()
        let second = Task { try await turns.withTurn(for: tenant) { 2 } }
        let third = Task { try await turns.withTurn(for: tenant) { 3 } }
        third.cancel()
        await #expect(throws: CancellationError.self) { try await third.value }
        over.set()
        try await first.value
        #expect(try await second.value == 2)
    }

    @Test("uploads of two tenants that have stopped coming keep no third tenant from importing")
    func stoppedUploads() async throws {
        try await TestService.run { service in
            let slow = [try await service.createTenant("slow"), try await service.createTenant("slower")]
            let other = try await service.createTenant("other")
            let underWay = Mutex(0)
            let over = Signal()
            // As the service is set up: eight imports at a time, and four uploads of one tenant.
            let imports = Imports(service, atOnce: 8)
            let author = Author(name: "t", requestID: "r")
            func order() -> Imports.Order { .init(kind: .skills, format: .csv, policy: .skip) }
            var uploads: [Task<ImportReport, any Error>] = []
            for tenant in slow + slow + slow + slow {
                let body = AsyncThrowingStream<ByteBuffer, any Error> {
                    underWay.withLock { $0 += 1 }
                    await over.wait()
                    return nil
                }
                let order = order()
                uploads.append(Task { try await imports.run(order, body: body, in: tenant.id, by: author) })
            }
            let count = uploads.count
            try await waitUntil("all uploads are under way") { underWay.withLock { $0 } == count }
            let refused = await #expect(throws: ProblemError.self) {
                try await imports.run(order(), body: AsyncStream.of("name\nSQL\n"), in: slow[0].id, by: author)
            }
            let applied = try await imports.run(
                order(), body: AsyncStream.of("name\nSwift\n"), in: other.id, by: author)
            over.set()
            for upload in uploads { _ = try? await upload.value }

            #expect(refused?.status.code == 429)
            #expect(applied.inserted == 1)
        }
    }

    @Test("an import that a killed service left under way does not keep its id from being used again")
    func killed() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func underWay(_ id: ImportID, _ status: String, _ age: String) async throws {
                _ = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                    try await connection.execute(
                        """
                        INSERT INTO imports_under_way (id, kind, status, received_bytes, rows_read, rejected, created_at, seen_at)
                        VALUES (\(id), 'projects', \(status), 1, 0, 0, now() - \(age)::interval, now() - \(age)::interval)
                        """)
                }
            }
            func send(_ id: ImportID) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/imports?kind=skills&id=\(id)", as: service.token(tenant.id),
                    body: Array("name\nSwift\n".utf8), type: "text/csv")
            }
            let (killed, running, applying) = (ImportID(), ImportID(), ImportID())
            try await underWay(killed, "receiving", "2 minutes")
            try await underWay(running, "receiving", "10 seconds")
            try await underWay(applying, "applying", "10 minutes")

            #expect(try await send(running).status == 409)
            #expect(try await send(applying).status == 409)
            let report: ImportReport = try await send(killed).data()
            #expect(report.id == killed && report.kind == .skills)
            let progress = ImportProgress(
                database: TenantDatabase(pool: service.pool), tenant: tenant.id,
                order: .init(kind: .skills, format: .csv, policy: .abort))
            try await progress.show(.receiving, .init())
            let shown = try await service.all("imports?status=receiving", of: tenant.id, as: ImportReport.self)
            #expect(Set(shown.map(\.kind)) == [.skills, .projects] && shown.count == 2)
        }
    }

    @Test("imports are listed newest first, by kind and outcome, and each can be read with its errors")
    func list() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.skills, "name\nSwift\n", into: tenant.id)
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let refused = try await service.importCSV(.skills, "nome\nSwift\n", into: tenant.id)
            let token = try service.token(tenant.id)

            let first = try await service.send(.get, "/api/v1/imports?limit=2", as: token).list(ImportReport.self)
            let rest = try await service.send(
                .get, "/api/v1/imports?cursor=\(try #require(first.next))", as: token
            ).list(ImportReport.self)
            let rejected = try await service.all("imports?status=rejected", of: tenant.id, as: ImportReport.self)
            let one = try await service.send(.get, "/api/v1/imports/\(rejected[0].id)", as: token)
            let bad = try await service.send(.get, "/api/v1/imports?status=lost&kind=7&cursor=abc", as: token)

            #expect((first.items + rest.items).map(\.kind) == [.skills, .employees, .skills])
            #expect(rest.next == nil)
            #expect(
                try await service.all("imports?kind=employees", of: tenant.id, as: ImportReport.self).count == 1)
            #expect(refused.headers[.location] == "/api/v1/imports/\(rejected[0].id)")
            #expect(try !one.data(ImportReport.self).errors.isEmpty)
            #expect(Set(try bad.problem.errors.map(\.field)) == ["status", "kind", "cursor"])
        }
    }

    @Test(
        "NDJSON is read as strictly as a request: names twice, impossible numbers and lines that are no object are named"
    )
    func strictLines() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func send(_ text: String) async throws -> [String] {
                try await service.send(
                    .post, "/api/v1/imports?kind=employees", as: service.token(tenant.id), body: Array(text.utf8),
                    type: "application/x-ndjson"
                ).problem.errors.map { "\($0.field): \($0.message)" }
            }
            let twice = try await send(#"{"external_id":"E1","name":"A","name":"B"}"#)
            let huge = try await send(
                #"{"external_id":"E1","name":"A"}"# + "\n"
                    + #"{"external_id":"E2","name":"B","weekly_capacity_hours":1e400}"#)
            let wrongKind = try await send(#"{"external_id":"E1","name":true}"#)
            let noObject = try await send("[1]\n{\n")

            #expect(twice == ["line 1, name: is a duplicate"])
            #expect(huge == ["line 2, weekly_capacity_hours: is too large a number"])
            #expect(wrongKind == ["line 1, name: must not be true or false"])
            #expect(noObject.map { $0.prefix(6) } == ["line 1", "line 2"])
            #expect(try await service.all("employees", of: tenant.id, as: Employee.self).isEmpty)
        }
    }

    @Test("a compressed file is refused as such")
    func compressed() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let reply = try await service.send(
                .post, "/api/v1/imports?kind=skills", as: service.token(tenant.id), body: [0x1f, 0x8b],
                type: "text/csv", headers: ["Content-Encoding": "gzip"])

            #expect(reply.status == 415)
        }
    }

    @Test("a tenant suspended during its upload writes nothing")
    func suspendedMeanwhile() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let imports = Imports(service, .testing(uploads: 1))
            let pieces = Pieces()
            let body = AsyncThrowingStream<ByteBuffer, any Error> {
                if await pieces.isFirst { return ByteBuffer(string: "name\nSwift\n") }
                _ = try await service.send(
                    .post, "/api/v1/tenants/\(tenant.id)/suspend", as: service.operatorToken)
                return nil
            }

            let refused = await #expect(throws: ProblemError.self) {
                _ = try await imports.run(
                    .init(kind: .skills, format: .csv, policy: .abort), body: body, in: tenant.id,
                    by: Author(name: "t", requestID: "r"))
            }
            _ = try await service.send(.post, "/api/v1/tenants/\(tenant.id)/resume", as: service.operatorToken)

            #expect(refused?.code == .tenantUnavailable)
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
        }
    }

    @Test("people that rows name cannot be deleted between the rows' checks and their writing")
    func heldReferences() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let plan = ImportPlan(.capacityHistory)
            let refused = try await service.pool.withTransaction { connection in
                let names = try await TenantDatabase.active(tenant.id, on: connection).names
                try await connection.execute(plan.staging)
                try await connection.execute(
                    """
                    INSERT INTO pg_temp.import_rows (line, employee_external_id, date, utilization_rate)
                    VALUES (2, 'E1', '2024-01-01', 80)
                    """)
                try await connection.execute(
                    "GRANT SELECT, DELETE ON pg_temp.import_rows to \(identifier: names.role)")
                try await TenantDatabase.enter(names, on: connection)
                for statement in plan.holds { try await connection.execute(statement) }
                return await #expect(throws: PostgresError.self) {
                    try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { other in
                        try await other.execute("SET LOCAL lock_timeout = '100ms'")
                        // Nobody names E2, who can go.
                        try await other.execute("DELETE FROM employees WHERE external_id = 'E2'")
                        try await other.execute("DELETE FROM employees WHERE external_id = 'E1'")
                    }
                }
            }
            #expect(refused?.sqlState == "55P03")
            #expect(ImportPlan(.allocations).holds.count == 2)
            #expect(ImportPlan(.employeeSkills).holds.count == 1)
        }
    }
}

/// Tells the first question from the later ones.
private actor Pieces {
    private var asked = false

    var isFirst: Bool {
        defer { asked = true }
        return !asked
    }
}

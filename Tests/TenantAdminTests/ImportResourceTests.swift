import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
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
            let imports = Imports(database: TenantDatabase(pool: service.pool), settings: .testing(concurrent: 1))
            let (body, continuation) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            continuation.yield(ByteBuffer(string: "name\nSwift\nSQL\n"))
            continuation.finish(throwing: Gone())

            await #expect(throws: Gone.self) {
                _ = try await imports.run(
                    .init(kind: .skills, format: .csv, policy: .skip), body: body, in: tenant.id,
                    by: Author(name: "t", requestID: "r"))
            }
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            // The slot is free again.
            let report: ImportReport = try await service.importCSV(.skills, "name\nSwift\n", into: tenant.id).data()
            #expect(report.inserted == 1)
        }
    }

    @Test("no more imports run at once than there are slots for")
    func slots() async throws {
        let slots = ImportSlots(capacity: 1)
        let tenant = TenantID()
        let refused = try await slots.withSlot(for: tenant) {
            await #expect(throws: ProblemError.self) { try await slots.withSlot(for: TenantID()) { 0 } }
        }
        let afterwards = try await slots.withSlot(for: tenant) { 1 }

        #expect(refused?.status.code == 503)
        #expect(afterwards == 1)
    }

    @Test("one tenant's slow senders do not keep the others from importing")
    func fairSlots() async throws {
        let slots = ImportSlots(capacity: 4)
        let (slow, other) = (TenantID(), TenantID())
        try await slots.withSlot(for: slow) {
            try await slots.withSlot(for: slow) {
                let refused = await #expect(throws: ProblemError.self) { try await slots.withSlot(for: slow) { 0 } }
                let served = try await slots.withSlot(for: other) { 1 }

                #expect(refused?.status.code == 429)
                #expect(served == 1)
            }
        }
        #expect(try await slots.withSlot(for: slow) { 2 } == 2)
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
            let imports = Imports(database: TenantDatabase(pool: service.pool), settings: .testing(concurrent: 1))
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

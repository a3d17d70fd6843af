import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import TenantAdmin

/// An export, and all of it brought back.
@Suite("Archive")
struct ArchiveTests {
    /// The tenant of other tests, with people who may do things, settings, and a project and bookings that were edited.
    private func everything(_ service: TestService) async throws -> Tenant {
        let tenant = try await service.filledTenant()
        let token = try service.token(tenant.id)
        func send(_ method: HTTPRequest.Method, _ path: String, _ body: String) async throws {
            let reply = try await service.send(method, "/api/v1/\(path)", as: token, text: body)
            #expect([200, 201].contains(reply.status), "\(path): \(reply.text)")
        }
        try await send(
            .post, "roles", #"{"name":"planner","permissions":[{"resource":"allocations","actions":["read"]}]}"#)
        try await send(.post, "users", #"{"email":"zoe@acme.example","name":"Zoe","roles":["planner","viewer"]}"#)
        try await send(.patch, "settings", #"{"settings":{"timezone":"Europe/Berlin","colour":{"a":[1,null]}}}"#)
        let project = try await service.all("projects", of: tenant.id, as: Project.self)[0]
        try await send(.patch, "projects/\(project.id)", #"{"status":"on_hold","estimatedEndDate":"2026-12-31"}"#)
        let bookings = try await service.all("allocations", of: tenant.id, as: Allocation.self)
        let people = try await service.all("employees", of: tenant.id, as: Employee.self)
        try await send(.patch, "allocations/\(bookings[0].id)", #"{"title":"Build \"it\"","endDate":"2024-04-30"}"#)
        // To somebody who leaves no trace but in the version.
        try await send(.post, "employees", #"{"externalId":"E9","name":"Gone"}"#)
        let gone = try await service.all("employees?externalId=E9", of: tenant.id, as: Employee.self)[0]
        try await send(.patch, "allocations/\(bookings[0].id)", #"{"employeeId":"\#(gone.id)"}"#)
        try await send(.patch, "allocations/\(bookings[0].id)", #"{"employeeId":"\#(people[2].id)"}"#)
        #expect(try await service.send(.delete, "/api/v1/employees/\(gone.id)", as: token).status == 204)
        let unknown = try await service.importCSV(
            .allocations, ImportTests.allocationHeader + "A9,E1,P1,,4,,,2024-05-01,,,2024-04-01,\n", into: tenant.id,
            history: "unknown")
        #expect(unknown.status == 201)
        return tenant
    }

    private func manifest(_ archive: ZipArchive) throws -> [String: ArchiveManifest.File] {
        let manifest = try WireJSON.decode(ArchiveManifest.self, from: archive.files["manifest.json"] ?? [])
        return Dictionary(uniqueKeysWithValues: manifest.files.map { ($0.name, $0) })
    }

    @Test("all of a tenant comes back in a new one: equal by content hash kind by kind, and what was decided with it")
    func everythingBack() async throws {
        try await TestService.run { service in
            let first = try await everything(service)
            let second = try await service.createTenant("other")
            service.archives.put(.predictions, [#"{"id":"p1"}"#, #"{"id":"p2"}"#], of: first.id)
            service.archives.put(.models, [#"{"version":1}"#], of: first.id)
            let archive = try await service.export(first)
            #expect(try await service.restore(.ids, archive.text("ids.ndjson"), into: second).status == 200)
            _ = try await service.bring(archive, into: second)
            try await service.restore(archive, into: second)
            let copy = try await service.export(second)

            let (was, now) = (try manifest(archive), try manifest(copy))
            for file in was.values where !file.name.contains("audit_logs") {
                #expect(now[file.name] == file, "\(file.name): \(copy.text(file.name)) \(archive.text(file.name))")
            }
            #expect(was["allocation_versions.ndjson"]?.lines == 4)
            #expect(was["project_versions.ndjson"]?.lines == 2)
            #expect(was["predictions.ndjson"]?.lines == 2 && was["models.ndjson"]?.lines == 1)
            #expect((was["ids.ndjson"]?.lines ?? 0) > 8)
            #expect(now["archived_audit_logs.ndjson"]?.sha256 == was["audit_logs.ndjson"]?.sha256)
            func allocations(_ tenant: Tenant) async throws -> [Allocation] {
                try await service.all("allocations", of: tenant.id, as: Allocation.self)
            }
            let (before, after) = (try await allocations(first), try await allocations(second))
            #expect(before.map(\.decided) == after.map(\.decided))
            #expect(before[0].decided != nil && after[0].title == #"Build "it""#)
            #expect(before.map(\.isHistoryKnown) == after.map(\.isHistoryKnown))
            // Once more, it changes nothing.
            for (kind, report) in try await service.bring(archive, into: second) {
                #expect(report.unchanged == report.rowsRead, "\(kind): \(report.counts)")
            }
            try await service.restore(archive, into: second)
            let again = try manifest(try await service.export(second))
            for file in was.values where !file.name.contains("audit_logs") { #expect(again[file.name] == file) }
            #expect(again["archived_audit_logs.ndjson"] == now["archived_audit_logs.ndjson"])
        }
    }

    @Test("an empty tenant comes back empty, and a file of an export can be fetched by itself")
    func emptyAndParts() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            let archive = try await service.export(first)
            _ = try await service.bring(archive, into: second)
            try await service.restore(archive, into: second)
            let copy = try await service.export(second, "?files=users,roles,employees,settings")

            #expect(
                copy.names == [
                    "tenant.json", "employees.ndjson", "roles.ndjson", "users.ndjson", "settings.ndjson",
                    "manifest.json",
                ])
            for name in copy.names.dropFirst().dropLast() { #expect(copy.text(name) == archive.text(name), "\(name)") }
            // SHA-256 of nothing.
            #expect(
                try manifest(copy)["employees.ndjson"]
                    == ArchiveManifest.File(
                        name: "employees.ndjson", lines: 0,
                        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
            let unknown = try await service.send(
                .get, "/api/v1/export?files=employees,secrets", as: service.token(first.id))
            #expect(try unknown.status == 422 && unknown.problem.errors.map(\.field) == ["files"])
        }
    }

    @Test("files of the other services may come in parts, numbered on, and some may stay out of an export")
    func parts() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func restore(_ query: String) async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/tenants/\(tenant.id)/archive?\(query)", as: service.operatorToken,
                    body: Array(#"{"id":"m1"}\#n{"id":"m2"}\#n"#.utf8), type: "application/x-ndjson")
            }
            #expect(try await restore("kind=models&firstLine=5&more=true").status == 200)
            #expect(service.archives.latest?.firstLine == 5 && service.archives.latest?.isEnd == false)
            #expect(service.archives.latest?.lines.count == 2)
            #expect(try await restore("kind=models").status == 200)
            #expect(service.archives.latest?.firstLine == 1 && service.archives.latest?.isEnd == true)
            // tenant-admin's own are applied whole.
            #expect(try await restore("kind=roles&more=true").status == 422)

            let export = try await service.export(tenant, "?without=dataset_content,audit_logs")
            #expect(
                Set(TenantExport.stems.map { "\($0).ndjson" }).subtracting(export.names)
                    == ["dataset_content.ndjson", "audit_logs.ndjson"])
            let one = try await service.export(tenant, "?files=models,roles&without=roles")
            #expect(one.names == ["tenant.json", "models.ndjson", "manifest.json"])
        }
    }

    @Test("bookings that became orphans come back as orphans, which another file could not bring")
    func orphans() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob) = (
                try await plan.employee("E1"), try await plan.employee("E2", #""hiredOn":"2026-01-01""#)
            )
            let work = try await plan.project()
            #expect(
                try await plan.book("A1", ann, work, #""allocationPercentage":50"#, "2026-12-07…2026-12-11").status
                    == 201)
            // Hours without an end, worked off on one day.
            #expect(try await plan.book("A2", bob, work, #""allocatedHours":8"#, "2026-03-02").status == 201)
            _ = try await plan.send(.patch, "employees/\(ann)", #"{"leftOn":"2026-11-30"}"#)
            _ = try await plan.send(.patch, "employees/\(bob)", #"{"hiredOn":"2026-06-01"}"#)
            let archive = try await service.export(plan.tenant)
            let other = try await service.createTenant("other")
            #expect(try await service.restore(.ids, archive.text("ids.ndjson"), into: other).status == 200)
            let reports = try await service.bring(archive, into: other)
            let copy = try await service.export(other)
            let third = try await service.createTenant("third")
            for kind in [ImportKind.employees, .projects, .allocations] {
                let reply = try await service.send(
                    .post, "/api/v1/imports?kind=\(kind.rawValue)&onError=skip", as: service.token(third.id),
                    body: Array(archive.text("\(kind.rawValue).ndjson").utf8), type: "application/x-ndjson")
                let report: ImportReport = try reply.data()
                #expect(report.rejected == (kind == .allocations ? 2 : 0))
            }

            #expect(reports[.allocations]?.inserted == 2)
            #expect(copy.text("allocations.ndjson") == archive.text("allocations.ndjson"))
        }
    }

    @Test("bookings, versions and leave longer than any that is taken today come back as they were")
    func longOnes() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            #expect(
                try await plan.book("A1", ann, work, #""allocatedHours":40"#, "2020-01-01…2020-12-31").status == 201)
            let id = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)[0].id
            #expect(try await plan.send(.patch, "allocations/\(id)", #"{"allocatedHours":41}"#).status == 200)
            let leave = try await service.importCSV(
                .leave, "employee_external_id,first_day,last_day\nE1,2024-01-01,2024-01-02\n", into: plan.tenant.id)
            #expect(leave.status == 201)
            // From before there was a limit.
            try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) {
                _ = try await $0.execute("UPDATE resource_allocations SET end_date = '9999-12-31'")
                _ = try await $0.execute("UPDATE allocation_versions SET end_date = '9999-12-31'")
                _ = try await $0.execute("UPDATE leave SET last_day = '2050-12-31'")
            }
            let archive = try await service.export(plan.tenant)
            let other = try await service.createTenant("other")
            #expect(try await service.restore(.ids, archive.text("ids.ndjson"), into: other).status == 200)
            let reports = try await service.bring(archive, into: other)
            let copy = try await service.export(other)

            #expect(reports[.allocations]?.inserted == 1 && reports[.leave]?.inserted == 1)
            for file in ["allocations.ndjson", "allocation_versions.ndjson", "leave.ndjson"] {
                #expect(archive.text(file).contains("\n") && copy.text(file) == archive.text(file))
            }
        }
    }

    @Test("ids come before what has them, and are kept for a day")
    func ids() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.filledTenant(), try await service.createTenant("other"))
            let archive = try await service.export(first, "?files=ids,employees")
            #expect(archive.names == ["tenant.json", "employees.ndjson", "ids.ndjson", "manifest.json"])
            let ids = archive.text("ids.ndjson")
            #expect(try await service.restore(.ids, "no JSON", into: second).status == 422)
            #expect(try await service.restore(.ids, ids, into: second).status == 200)
            let loaded = try await service.send(
                .post, "/api/v1/imports?kind=employees", as: service.token(second.id),
                body: Array(archive.text("employees.ndjson").utf8), type: "application/x-ndjson")
            #expect(loaded.status == 201)
            func people(_ tenant: Tenant) async throws -> [String: EmployeeID] {
                let people = try await service.all("employees", of: tenant.id, as: Employee.self)
                return Dictionary(uniqueKeysWithValues: people.map { ($0.externalId, $0.id) })
            }
            #expect(try await people(second) == people(first))
            #expect(try await service.restore(.ids, ids, into: second).status == 200)
            // Somebody else has none.
            let other = try await service.send(
                .post, "/api/v1/employees", as: service.token(second.id), text: #"{"externalId":"E77","name":"New"}"#)
            #expect(other.status == 201)

            let third = try await service.createTenant("third")
            #expect(try await service.importCSV(.employees, ImportTests.people, into: third.id).status == 201)
            #expect(try await service.restore(.ids, ids, into: third).status == 409)

            try await service.asSuperuser("other", "UPDATE archived_ids SET received_at = now() - interval '25 hours'")
            try await Retention(
                database: TenantDatabase(pool: service.pool), feedDays: 90, importDays: 365,
                logger: PostgresCluster.quietLogger
            ).sweep(second.id)
            let left = try await TenantDatabase(pool: service.pool).withTenant(second.id) {
                try await $0.query("SELECT FROM archived_ids").count
            }
            #expect(left == 0)
        }
    }

    @Test("a tenant that is deleted while another service's file is brought back gets no more of it")
    func deletedMeanwhile() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            // More than one request takes.
            let text = String(repeating: "x", count: 100_000)
            let lines = (1...6).map { #"{"id":"p\#($0)","text":"\#(text)"}"# + "\n" }
            service.archives.afterRestoring {
                _ = try await service.send(.delete, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken)
            }
            let refused = try await service.restore(.predictions, lines.joined(), into: tenant)
            let latest = try #require(service.archives.latest)

            #expect(refused.status == 403)
            #expect(latest.firstLine == 1 && latest.isEnd == false && latest.lines.count < lines.count)
        }
    }

    @Test("an export that another service breaks off is not taken for whole, and its rest can be fetched")
    func brokenOff() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            service.archives.put(.predictions, [#"{"id":"p1"}"#, #"{"id":"p2"}"#], of: tenant.id)
            service.archives.breakOff(.predictions, after: 1)
            await #expect(throws: (any Error).self) { _ = try await service.export(tenant) }
            let rest = try await service.export(tenant, "?files=models,users")
            #expect(rest.names == ["tenant.json", "users.ndjson", "models.ndjson", "manifest.json"])
            service.archives.breakOff(.models, after: 1)
            #expect(try await service.export(tenant, "?files=predictions").text("predictions.ndjson").count == 24)
        }
    }

    @Test("with users that are none of the archive's go the invitations by which they came")
    func formerInvitations() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            let admin = try await service.administrator(of: second.id).description
            func invite(_ email: String) async throws {
                let reply = try await service.send(
                    .post, "/api/v1/invitations", as: service.token(second.id, subject: admin),
                    json: CreateInvitationRequest(email: email, name: "X", roles: ["viewer"]))
                #expect(reply.status == 201)
            }
            try await invite("zoe@acme.example")
            try await invite("kim@acme.example")
            let message = try #require(try await service.claimMessages().first { $0.email == "zoe@acme.example" })
            let accepted = try await service.send(
                .post, "/api/v1/auth/invitations/accept", as: service.publicToken(second.id),
                json: AcceptInvitationRequest(token: message.token, password: "a password of my own"))
            #expect(accepted.status == 201)
            let users = try await service.export(first, "?files=users").text("users.ndjson")
            #expect(try await service.restore(.users, users, into: second).status == 200)
            let left = try await service.all("invitations", of: second.id, as: Invitation.self)

            #expect(left.map(\.email) == ["kim@acme.example"])
            #expect(
                try await TenantTraces.tables(holding: "zoe@acme.example", in: service.databases.superuser)
                    .allSatisfy { !$0.hasSuffix(".invitations") && $0 != "tenant_admin.outbox" })
        }
    }

    @Test("only the platform operator restores permissions, and an administrator always remains")
    func refused() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user =
                #"{"id":"0b8f1c9e-5d1a-4b8e-9a55-2f3d8c7e6a10","email":"a@b.example","name":"A","is_active":true,"permissions":[],"address_taken_by":null,"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00","roles":["ROLE"]}"#
            let own = try await service.send(
                .post, "/api/v1/tenants/\(tenant.id)/archive?kind=users", as: service.token(tenant.id),
                body: Array(user.utf8), type: "application/x-ndjson")
            #expect(own.status == 403)
            func status(_ kind: ArchiveKind, _ text: String) async throws -> Int {
                try await service.restore(kind, text, into: tenant).status
            }
            #expect(try await status(.users, user.replacing("ROLE", with: "viewer")) == 409)
            #expect(try await status(.users, user.replacing("ROLE", with: "nobody")) == 422)
            #expect(try await status(.users, "") == 409)
            #expect(try await status(.users, "no JSON") == 422)
            #expect(
                try await status(
                    .settings, #"{"key":"timezone","value":"Moon/Crater","updated_at":"2026-01-01T00:00:00+00:00"}"#)
                    == 422)
            let users = try await service.all("users", of: tenant.id, as: User.self)
            #expect(users.map(\.email) == ["admin@acme.example"])
            #expect(try await status(.users, user.replacing("ROLE", with: "admin")) == 200)
            let restored = try await service.all("users", of: tenant.id, as: User.self)
            #expect(restored.map(\.email) == ["a@b.example"] && restored.map(\.hasPassword) == [false])
            // A tenant that is in use is nobody's to take over.
            _ = try await service.pool.withConnection {
                try await $0.execute(
                    "UPDATE tenant_admin.tenants SET created_at = now() - interval '2 days' WHERE id = \(tenant.id)")
            }
            for kind in ArchiveKind.allCases { #expect(try await status(kind, "") == 409, "\(kind)") }
            #expect(restored.map(\.id.description) == ["0b8f1c9e-5d1a-4b8e-9a55-2f3d8c7e6a10"])
        }
    }
}

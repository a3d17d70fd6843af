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

@Suite("Export")
struct ExportTests {
    @Test("what is exported can be imported by another tenant, which then exports the same")
    func roundTrip() async throws {
        try await TestService.run { service in
            let first = try await service.filledTenant()
            let second = try await service.createTenant("other")
            let archive = try await service.export(first)
            for kind in ImportKind.allCases {
                #expect(!archive.text("\(kind.rawValue).ndjson").isEmpty, "\(kind)")
            }
            _ = try await service.bring(archive, into: second)
            let copy = try await service.export(second)
            // Into the tenant it is of, it changes nothing.
            for (kind, report) in try await service.bring(archive, into: first) {
                #expect(report.unchanged == report.rowsRead, "\(kind): \(report.counts)")
            }

            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
            let allocation = try await service.all("allocations", of: second.id, as: Allocation.self)[0]
            #expect(allocation.allocatedHours == 20)
            #expect(allocation.plannedHours == 12.5)
            #expect(allocation.requiredSkills == ["a;b", "c\\d"])
            #expect(allocation.labels == ["k=1": "v;w"])
            let people = try await service.all("employees", of: second.id, as: Employee.self)
            #expect(people.map(\.isActive) == [false, false, true])
        }
    }

    @Test("texts that the API took with blanks around them or in another Unicode form come back unchanged")
    func tidiedTexts() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let department = try await plan.send(
                .post, "departments", #"{"name":"Lab","description":" Tests things.\n"}"#
            ).data(Department.self)
            let skill = try await plan.send(.post, "skills", #"{"name":"Go"}"#).data(Skill.self)
            _ = try await plan.send(.patch, "skills/\(skill.id)", #"{"category":" Cafe\u0301 "}"#)
            let archive = try await service.export(plan.tenant)
            let reports = try await service.bring(archive, into: plan.tenant)
            let edited = try await plan.send(
                .patch, "departments/\(department.id)", #"{"description":"More.\n"}"#
            ).data(Department.self)

            #expect(department.description == "Tests things." && edited.description == "More.")
            for kind in [ImportKind.departments, .skills] {
                #expect(reports[kind].map { $0.unchanged == $0.rowsRead } == true, "\(kind)")
            }
        }
    }

    @Test("an empty tenant's export is imported into another one, which stays empty")
    func empty() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("acme"), try await service.createTenant("other"))
            let archive = try await service.export(first)
            let reports = try await service.bring(archive, into: second)
            let copy = try await service.export(second)

            #expect(reports.values.allSatisfy { $0.unchanged == $0.rowsRead })
            for kind in ImportKind.allCases {
                let name = "\(kind.rawValue).ndjson"
                #expect(copy.text(name) == archive.text(name), "\(kind)")
            }
        }
    }

    @Test("a tenant's administrator may export it, a reader may not, and another tenant's export is never given")
    func ownExport() async throws {
        try await TestService.run { service in
            let tenant = try await service.filledTenant()
            let other = try await service.createTenant("other")
            let reply = try await service.send(.get, "/api/v1/export", as: service.token(tenant.id))
            let viewer = try await service.send(
                .get, "/api/v1/export", as: service.token(tenant.id, DefaultRole.viewer.permissions))
            let foreign = try await service.send(.get, "/api/v1/export", as: service.token(other.id))

            #expect(try ZipArchive(reply.bytes).text("projects.ndjson").contains("Bridge"))
            #expect(viewer.status == 403)
            #expect(try !ZipArchive(foreign.bytes).text("projects.ndjson").contains("Bridge"))
        }
    }

    @Test("an export has everything but secrets, for a deleted tenant too, and is on record")
    func everything() async throws {
        try await TestService.run { service in
            let tenant = try await service.filledTenant()
            _ = try await service.send(.delete, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken)
            let archive = try await service.export(tenant)
            let missing = try await service.send(
                .get, "/api/v1/tenants/\(TenantID())/export", as: service.operatorToken)

            #expect(
                archive.names == ["tenant.json"] + ImportKind.allCases.map { "\($0.rawValue).ndjson" } + [
                    "ids.ndjson", "roles.ndjson", "users.ndjson", "settings.ndjson", "imports.ndjson",
                    "archived_audit_logs.ndjson", "audit_logs.ndjson", "prediction_features.ndjson",
                    "predictions.ndjson", "shadow_answers.ndjson", "drift_alarms.ndjson",
                    "datasets.ndjson", "dataset_content.ndjson", "dataset_outcomes.ndjson", "training_jobs.ndjson",
                    "backtests.ndjson", "models.ndjson",
                    "model_artifacts.ndjson", "deployments.ndjson", "shadows.ndjson", "training_schedules.ndjson",
                    "manifest.json",
                ])
            #expect(archive.text("users.ndjson").contains("admin@acme.example"))
            #expect(!archive.names.contains { archive.text($0).contains("scrypt") })
            #expect(archive.text("audit_logs.ndjson").contains(#""action":"export""#))
            #expect(missing.status == 404)
        }
    }

    /// Exports, of which a sixteenth of `places` may be one tenant's.
    private func exports(
        _ service: TestService, places: Int, spoolBytes: Int = 1 << 30, others: (any ArchiveSources)? = nil,
        turns: BulkTurns = BulkTurns(atOnce: 4), longestHeld: Duration? = nil
    ) -> TenantExport {
        TenantExport(
            tenants: Tenants(pool: service.pool, schemas: service.schemas),
            database: TenantDatabase(pool: service.pool), others: others ?? service.archives,
            space: ExportSettings.testing(spoolBytes: spoolBytes, longestHeld: longestHeld).space,
            places: TenantPlaces(for: "exports", capacity: places), turns: turns)
    }

    private static let author = Author(name: "t", requestID: "r")

    /// What a client has been sent.
    private final class Sent: Sendable {
        private let pieces = Mutex<[UInt8]>([])
        var bytes: [UInt8] { pieces.withLock { $0 } }
        func add(_ piece: ByteBuffer) { pieces.withLock { $0 += piece.readableBytesView } }
    }

    /// Takes the first piece, which comes before anything is read, at once.
    private static func afterFirst(
        _ take: @escaping @Sendable (ByteBuffer) async -> Void
    ) -> @Sendable (ByteBuffer) async throws -> Void {
        let isFirst = Mutex(true)
        return { piece in
            let wasFirst = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if !wasFirst { await take(piece) }
        }
    }

    /// A tenant with more than a spool keeps in memory.
    private func largeTenant(_ service: TestService) async throws -> Tenant {
        let tenant = try await service.createTenant("large")
        let category = String(repeating: "x", count: 190)
        let file = "name,category\n" + (0..<600).map { "Skill \($0),\(category)\n" }.joined()
        #expect(try await service.importCSV(.skills, file, into: tenant.id).status == 201)
        let line = "{\"id\":\"\(category)\"}"
        service.archives.put(.predictions, Array(repeating: line, count: 600), of: tenant.id)
        return tenant
    }

    @Test(
        "clients that take nothing of an export or of the audit log hold no transaction and no connection",
        .timeLimit(.minutes(2)))
    func slowClients() async throws {
        try await TestService.run { service in
            let tenant = try await largeTenant(service)
            let exports = exports(service, places: 64)
            let chain = AuditChain(
                database: TenantDatabase(pool: service.pool), anchors: service.parts.anchors,
                verifier: service.parts.heads)
            let offered = Mutex(0)
            let taken = Signal()
            let take: @Sendable (ByteBuffer) async -> Void = { _ in
                offered.withLock { $0 += 1 }
                await taken.wait()
            }
            var clients: [Task<Void, any Error>] = []
            for _ in 0..<3 {
                clients.append(Task { try await chain.send(try await chain.begin(tenant.id)) { await take($0) } })
                clients.append(
                    Task {
                        let begun = try await exports.begin(tenant.id, by: Self.author)
                        try await exports.send(begun, to: Self.afterFirst(take))
                    })
            }
            try await waitUntil("every client is offered something") { offered.withLock { $0 } == 6 }
            try await waitUntil("no transaction is open") {
                try await service.pool.withConnection { connection in
                    try await connection.query(
                        """
                        SELECT FROM pg_stat_activity WHERE datname = current_database()
                            AND xact_start IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                        """
                    ).isEmpty
                }
            }
            taken.set()
            for client in clients { try await client.value }

            #expect(exports.space.usedBytes == 0)
        }
    }

    @Test("a large export comes whole from disk; one that needs more than a tenant's share breaks off")
    func large() async throws {
        try await TestService.run { service in
            let tenant = try await largeTenant(service)
            let archive = try await service.export(tenant)
            let narrow = exports(service, places: 64, spoolBytes: 100_000)
            let begun = try await narrow.begin(tenant.id, by: Self.author)
            let sent = Sent()
            let tooLarge = await #expect(throws: ProblemError.self) {
                try await narrow.send(begun) { sent.add($0) }
            }

            for name in ["skills.ndjson", "predictions.ndjson"] {
                #expect(archive.text(name).split(separator: "\n").count == 600)
            }
            #expect(tooLarge?.status.code == 413)
            #expect(throws: ZipArchive.Broken.self) { try ZipArchive(sent.bytes) }
            #expect(narrow.space.usedBytes == 0)
        }
    }

    @Test(
        "one tenant's exports are limited in number and room, and one that nobody takes any more makes room for the next",
        .timeLimit(.minutes(2)))
    func limited() async throws {
        try await TestService.run { service in
            let tenant = try await largeTenant(service)
            let other = try await service.createTenant("other")
            let exports = exports(service, places: 16)
            func begin(_ tenant: Tenant) async throws -> TenantExport.UnderWay {
                try await exports.begin(tenant.id, by: Self.author)
            }
            let first = try await begin(tenant)
            let refused = await #expect(throws: ProblemError.self) { _ = try await begin(tenant) }
            _ = try await begin(other)
            let taken = Signal()
            let client = Task { try await exports.send(first, to: Self.afterFirst { _ in await taken.wait() }) }
            try await waitUntil("something is kept for a client that takes nothing") { exports.space.usedBytes > 0 }
            taken.set()
            try await client.value
            #expect(exports.space.usedBytes == 0)
            // As of an answer that is never written.
            do { _ = try await begin(tenant) }
            do {
                let broken = try await begin(tenant)
                await #expect(throws: CancellationError.self) {
                    try await exports.send(broken) { _ in throw CancellationError() }
                }
            }
            _ = try await begin(tenant)

            #expect(refused?.status.code == 429)
            #expect(exports.space.usedBytes == 0)
        }
    }

    @Test("where exports fill the room a further one is refused with a status")
    func fullRoom() async throws {
        try await TestService.run { service in
            var tenants: [TenantID] = []
            for name in ["a1", "b2", "c3"] { tenants.append(try await service.createTenant(name).id) }
            let exports = exports(service, places: 64, spoolBytes: 1_000)
            let spools = tenants.map { Spool(in: exports.space, of: $0) }
            func status(_ tenant: Int) async -> Int {
                do {
                    _ = try await exports.begin(tenants[tenant], by: Self.author)
                    return 200
                } catch {
                    return (error as? ProblemError)?.status.code ?? 0
                }
            }
            try await spools[0].append(Array(repeating: 0, count: 500))
            let ofFullShare = await (status(0), status(1))
            try await spools[1].append(Array(repeating: 0, count: 500))
            let ofFullSpace = await status(2)
            spools[0].discard()

            #expect(ofFullShare == (429, 200))
            #expect(ofFullSpace == 503)
            #expect(await status(2) == 200)
        }
    }

    /// Gives one large file and does not end it before it is told to.
    private struct SlowArchives: ArchiveSources {
        let line: String
        let lines: Int
        let mayEnd = Signal()

        func read(
            _ kind: ArchiveKind, of tenant: TenantID, isolation: isolated (any Actor)?,
            _ body: (String) async throws -> Void
        ) async throws {
            guard kind == .predictions else { return }
            for _ in 0..<lines { try await body(line) }
            await mayEnd.wait()
        }

        func restore(_ rows: ArchiveRows, into tenant: TenantID) async throws {}
    }

    @Test("what has come of another service's file is sent while the rest comes", .timeLimit(.minutes(2)))
    func moving() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let slow = SlowArchives(line: String(repeating: "slowly", count: 30), lines: 1000)
            let exports = exports(service, places: 16, others: slow)
            let sent = Sent()
            let begun = try await exports.begin(tenant.id, only: ["predictions"], by: Self.author)
            async let sending: Void = exports.send(begun) { sent.add($0) }
            try await waitUntil("lines of the unfinished file are sent") {
                String(decoding: sent.bytes, as: UTF8.self).contains("slowly")
            }
            slow.mayEnd.set()
            try await sending
            let archive = try ZipArchive(sent.bytes)

            #expect(archive.text("predictions.ndjson").split(separator: "\n").count == 1000)
            #expect(exports.space.usedBytes == 0)
        }
    }

    @Test(
        "an export begins to be sent at once, waits for its turn to read, like an import to be applied, and is not silent meanwhile",
        .timeLimit(.minutes(2)))
    func turn() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let turns = BulkTurns(atOnce: 1)
            var exports = exports(service, places: 16, turns: turns, longestHeld: .zero)
            exports.pulse = .milliseconds(1)
            let sent = Sent()
            let client = try await turns.withTurn(for: TenantID()) { [exports] in
                let begun = try await exports.begin(tenant.id, by: Self.author)
                let client = Task { try await exports.send(begun) { sent.add($0) } }
                try await waitUntil("the archive begins") { !sent.bytes.isEmpty }
                let head = sent.bytes.count
                try await waitUntil("it goes on while it waits") { sent.bytes.count > head + 20 }
                // Far more than reading so small a tenant takes.
                for _ in 0..<30 { _ = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self) }
                #expect(throws: ZipArchive.Broken.self) { try ZipArchive(sent.bytes) }
                return client
            }
            try await client.value
            let archive = try ZipArchive(sent.bytes)
            #expect(archive.text("users.ndjson").contains("admin@acme.example"))
            #expect(try WireJSON.decode(Tenant.self, from: archive.files["tenant.json"] ?? []).id == tenant.id)
        }
    }

    @Test("an archive's files of any length come out as they went in")
    func zip() throws {
        var zip = ZipStream(year: 2026, month: 1, day: 31, hour: 23, minute: 59, second: 58)
        var out: [UInt8] = []
        let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        zip.begin("empty", into: &out)
        zip.end(into: &out)
        zip.begin("ä/long", into: &out)
        zip.append(long.prefix(70_000), into: &out)
        zip.pulse(into: &out)
        zip.append(long.dropFirst(70_000), into: &out)
        zip.end(into: &out)
        zip.finish(into: &out)
        let archive = try ZipArchive(out)

        #expect(archive.names == ["empty", "ä/long"])
        #expect(archive.files["empty"] == [])
        #expect(archive.files["ä/long"] == long)
        #expect(throws: ZipArchive.Broken.self) { try ZipArchive(out.dropLast()) }
        // The check value of the algorithm's catalogue.
        var sum = CRC32()
        sum.update(Array("123456789".utf8))
        #expect(sum.value == 0xCBF4_3926)
    }
}

import Basics
import Contracts
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Uploads", .timeLimit(.minutes(5)))
struct UploadTests {
    private static let author = Author(name: "t", requestID: "r")

    private func order(_ kind: ImportKind, _ id: ImportID = ImportID()) -> Imports.Order {
        .init(id: id, kind: kind, format: .csv, policy: .abort)
    }

    @Test("a dribbling upload holds back neither another tenant's feed nor its imports, and shows how far it has come")
    func dribbling() async throws {
        let settings = ImportSettings.testing(pause: .milliseconds(5))
        try await TestService.run(imports: settings) { service in
            let slow = try await service.createTenant("slow")
            let other = try await service.createTenant("other")
            let (body, client) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            let id = ImportID()
            async let report = Imports(service, settings).run(
                order(.skills, id), body: body, in: slow.id, by: Self.author)
            client.yield(ByteBuffer(string: "name\nSwift\nSQL\nR"))
            var shown: ImportReport?
            try await waitUntil("two rows are shown") {
                let reply = try await service.send(.get, "/api/v1/imports/\(id)", as: service.token(slow.id))
                shown = reply.status == 200 ? try reply.data(ImportReport.self) : nil
                return shown?.rowsRead == 2
            }
            let listed = try await service.all("imports?status=receiving", of: slow.id, as: ImportReport.self)
            let before = try await mark(other, service)
            let imported = try await service.importCSV(.employees, ImportTests.people, into: other.id)
            let after = try await mark(other, service)
            // Its progress is written in moments; between them no transaction is open.
            var isIdle = false
            for _ in 0..<500 where !isIdle {
                let open = try await service.pool.withConnection { connection in
                    try await connection.query(
                        """
                        SELECT count(*) AS number FROM pg_stat_activity
                        WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                        """)[0].decode("number", as: Int.self)
                }
                isIdle = open == 0
            }
            client.finish()
            let applied = try await report

            #expect(shown?.status == .receiving)
            #expect(shown?.receivedBytes == 16)
            #expect(listed.map(\.id) == [id])
            #expect(imported.status == 201)
            #expect(after > before)
            #expect(isIdle)
            #expect(applied.inserted == 3)
            let done = try await service.send(.get, "/api/v1/imports/\(id)", as: service.token(slow.id))
            #expect(try done.data(ImportReport.self).status == .applied)
            #expect(try await service.all("imports?status=receiving", of: slow.id, as: ImportReport.self).isEmpty)
        }
    }

    /// Up to which commit the tenant's history is known.
    private func mark(_ tenant: Tenant, _ service: TestService) async throws -> Int {
        let text = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
        return try #require(HistoryWatermark(text)?.number)
    }

    @Test(
        "fifty uploads of five tenants at once, broken off at random, leave nothing: no rows, no report, no progress, no file, no place"
    )
    func brokenOff() async throws {
        struct Gone: Error {}
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("erm-spool-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let settings = ImportSettings.testing(
            uploads: 5, pause: .milliseconds(1), chunkBytes: 16_384, directory: directory)
        // More than a spool keeps in memory, so that many of them have reached the disk.
        let category = String(repeating: "x", count: 190)
        let file = Array(("name,category\n" + (0..<600).map { "Skill \($0),\(category)\n" }.joined()).utf8)
        try await TestService.run(imports: settings) { service in
            let imports = Imports(service, settings)
            var tenants: [Tenant] = []
            for name in ["ada", "bob", "cleo", "dora", "eve"] { tenants.append(try await service.createTenant(name)) }
            let entries = try await service.all("audit-logs", of: tenants[0].id, as: AuditEntry.self).count
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (seed, tenant) in tenants.enumerated() {
                    group.addTask {
                        var random = SeededGenerator(seed: UInt64(seed))
                        for round in 0..<10 {
                            // First all of the file but its last byte, which looks whole.
                            let cut = round == 0 ? file.count - 1 : random.below(file.count)
                            let (body, client) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
                            for start in stride(from: 0, to: cut, by: 8_192) {
                                client.yield(ByteBuffer(bytes: file[start..<min(cut, start + 8_192)]))
                            }
                            let upload = Task {
                                try await imports.run(order(.skills), body: body, in: tenant.id, by: Self.author)
                            }
                            // A connection that broke, or a request that was cancelled, which ends its body like a whole one.
                            if random.below(2) == 0 { client.finish(throwing: Gone()) } else { upload.cancel() }
                            await #expect(throws: (any Error).self) { _ = try await upload.value }
                        }
                    }
                }
                try await group.waitForAll()
            }
            for tenant in tenants {
                let rows = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                    try await connection.query(
                        """
                        SELECT (SELECT count(*) FROM skills) AS skills, (SELECT count(*) FROM imports) AS imports,
                            (SELECT count(*) FROM imports_under_way) AS under_way
                        """)[0]
                }
                #expect(try rows.decode("skills", as: Int.self) == 0)
                #expect(try rows.decode("imports", as: Int.self) == 0)
                #expect(try rows.decode("under_way", as: Int.self) == 0)
                #expect(try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self).count == entries)
            }
            #expect(settings.space.usedBytes == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
            let whole = try await imports.run(
                order(.skills), body: AsyncStream.of(String(decoding: file, as: UTF8.self)), in: tenants[0].id,
                by: Self.author)
            #expect(whole.inserted == 600)
        }
    }

    @Test("a client that closes its connection in mid-file has sent nothing")
    func closedConnection() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let file = "name\n" + (0..<500).map { "Skill \($0)\n" }.joined()
            let token = try service.token(tenant.id)
            try await service.listening { port in
                for cut in [1, 5, 100, file.utf8.count / 2, file.utf8.count - 1] {
                    for chunked in [true, false] {
                        let part = file.utf8.prefix(cut)
                        let head = """
                            POST /api/v1/imports?kind=skills HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
                            Content-Type: text/csv\r\n
                            """
                        let length =
                            chunked
                            ? "Transfer-Encoding: chunked\r\n\r\n\(String(part.count, radix: 16))\r\n"
                            : "Content-Length: \(file.utf8.count)\r\n\r\n"
                        RawRequest.send(Array((head + length).utf8) + part, to: port)
                    }
                }
            }
            var answer = try await service.importCSV(.departments, "name\nLab\n", into: tenant.id)
            // Those that have broken off may still hold their places for a moment.
            for _ in 0..<600 where [429, 503].contains(answer.status) {
                try await Task.sleep(for: .milliseconds(100))
                answer = try await service.importCSV(.departments, "name\nLab\n", into: tenant.id)
            }
            #expect(answer.status == 201, "\(answer)")
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            #expect(
                try await service.all("imports", of: tenant.id, as: ImportReport.self).map(\.kind) == [.departments])
        }
    }

    @Test("an upload must keep to the least rate in every window")
    func rate() {
        let start = ContinuousClock.now
        func isKept(_ uploads: [(bytes: Int, second: Int)]) -> [Bool] {
            var rate = UploadRate(.init(bytesPerSecond: 10, window: .seconds(30)), from: start)
            return uploads.map { rate.isKept(bytes: $0.bytes, at: start + .seconds($0.second)) }
        }
        // A fast beginning does not pay for what follows.
        #expect(isKept([(0, 29), (100_000, 30), (100_299, 59), (100_299, 60)]) == [true, true, true, false])
        #expect(isKept([(300, 30), (600, 60), (899, 90)]) == [true, true, false])
    }

    @Test("an upload that has stopped coming is broken off with 408 and leaves nothing")
    func tooSlow() async throws {
        let settings = ImportSettings.testing(
            minimum: .init(bytesPerSecond: 1_000_000, window: .milliseconds(20)), pause: .milliseconds(5))
        try await TestService.run(imports: settings) { service in
            let tenant = try await service.createTenant("acme")
            let (body, client) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            client.yield(ByteBuffer(string: "name\nSwift\n"))
            let refused = await #expect(throws: ProblemError.self) {
                _ = try await Imports(service, settings).run(
                    order(.skills), body: body, in: tenant.id, by: Self.author)
            }
            #expect(refused?.status.code == 408)
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            #expect(try await service.all("imports", of: tenant.id, as: ImportReport.self).isEmpty)
            #expect(settings.space.usedBytes == 0)
        }
    }

    @Test("a user deactivated during the upload writes nothing")
    func deactivated() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user = try await service.all("users", of: tenant.id, as: User.self)[0]
            let author = Author(name: user.id.description, requestID: "r")
            func upload(_ meanwhile: SQL) async throws -> ImportReport {
                let (body, client) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
                client.yield(ByteBuffer(string: "name\nSwift\n"))
                async let report = Imports(service).run(
                    order(.skills), body: body, in: tenant.id, by: author)
                _ = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    try await $0.execute(meanwhile)
                }
                client.finish()
                return try await report
            }
            for change: SQL in ["UPDATE users SET is_active = false", "DELETE FROM user_roles"] {
                let refused = await #expect(throws: ProblemError.self) { try await upload(change) }
                #expect(refused?.code == .permissionDenied)
                _ = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    try await $0.execute("UPDATE users SET is_active = true")
                }
            }
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            _ = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.execute(
                    "INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, roles r")
            }
            #expect(try await upload("select").inserted == 1)
        }
    }

    /// Lets an upload of skills be applied until it waits for their table; it goes on once `meanwhile` has returned.
    ///
    /// - Parameter meanwhile: is told whether the upload still waits.
    private func whileApplying<Upload: Sendable>(
        _ tenant: Tenant, _ service: TestService, _ begin: @Sendable () async throws -> Upload,
        meanwhile: (_ upload: Upload, _ waits: () async throws -> Bool) async throws -> Void
    ) async throws -> Upload {
        try await service.pool.withTransaction { holder in
            try await TenantDatabase.enter(try await TenantDatabase.active(tenant.id, on: holder).names, on: holder)
            try await holder.execute("LOCK TABLE skills IN ACCESS EXCLUSIVE MODE")
            let upload = try await begin()
            func waits() async throws -> Bool {
                try await !holder.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'skills'::regclass")
                    .isEmpty
            }
            try await waitUntil("the upload is being applied") { try await waits() }
            try await meanwhile(upload, waits)
            return upload
        }
    }

    @Test("a user deactivated while a whole file is being applied writes nothing", .timeLimit(.minutes(3)))
    func deactivatedAtLast() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user = try await service.all("users", of: tenant.id, as: User.self)[0]
            let author = Author(name: user.id.description, requestID: "r")
            let upload = try await whileApplying(tenant, service) {
                Task {
                    try await Imports(service).run(
                        order(.skills), body: AsyncStream.of("name\nSwift\n"), in: tenant.id, by: author)
                }
            } meanwhile: { _, _ in
                _ = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    try await $0.execute("UPDATE users SET is_active = false")
                }
            }
            let refused = await #expect(throws: ProblemError.self) { try await upload.value }
            #expect(refused?.code == .permissionDenied)
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
        }
    }

    @Test(
        "an upload by an API key that the gateway takes back while it is being applied writes nothing",
        .timeLimit(.minutes(3)))
    func keyTakenBack() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id, subject: "api-key:\(APIKeyID())")
            let request = """
                POST /api/v1/imports?kind=skills HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer \(token)\r\n\
                Content-Type: text/csv\r\nContent-Length: 11\r\n\r\nname\nSwift\n
                """
            try await service.listening { port in
                _ = try await whileApplying(tenant, service) {
                    RawRequest.open(Array(request.utf8), to: port)
                } meanwhile: { socket, waits in
                    close(socket)
                    try await waitUntil("the upload is broken off") { try await !waits() }
                }
            }
            #expect(try await service.all("skills", of: tenant.id, as: Skill.self).isEmpty)
            #expect(try await service.all("imports", of: tenant.id, as: ImportReport.self).isEmpty)
        }
    }

    @Test("an upload that is broken off while its refusal is written down is listed no longer", .timeLimit(.minutes(3)))
    func refusalBrokenOff() async throws {
        let settings = ImportSettings.testing(pause: .milliseconds(5))
        try await TestService.run(imports: settings) { service in
            let tenant = try await service.createTenant("acme")
            let (body, client) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
            let upload = Task {
                try await Imports(service, settings).run(order(.skills), body: body, in: tenant.id, by: Self.author)
            }
            func listed() async throws -> [ImportReport] {
                try await service.all("imports", of: tenant.id, as: ImportReport.self)
            }
            client.yield(ByteBuffer(string: "name\nSwift\n"))
            try await waitUntil("the upload is listed") { try await !listed().isEmpty }
            try await service.pool.withTransaction { holder in
                try await TenantDatabase.enter(try await TenantDatabase.active(tenant.id, on: holder).names, on: holder)
                try await holder.execute("LOCK TABLE imports IN EXCLUSIVE MODE")
                client.yield(ByteBuffer(string: String(repeating: "x", count: 10_000) + "\n"))
                client.finish()
                try await waitUntil("the refusal is being written down") {
                    try await !holder.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass")
                        .isEmpty
                }
                upload.cancel()
                await #expect(throws: (any Error).self) { try await upload.value }
            }
            #expect(try await listed().isEmpty)
        }
    }

    @Test("what is spooled comes back as it was, in memory and from disk, within its bound and a tenant's half of it")
    func spool() async throws {
        let space = SpoolSpace(for: .uploads, in: FileManager.default.temporaryDirectory, limitBytes: 10_000_000)
        let (tenant, another) = (TenantID(), TenantID())
        let lines = (0..<3).map { number in Array(repeating: UInt8(number), count: 700_000) }
        do {
            let spool = Spool(in: space, of: tenant)
            for line in lines + lines { try await spool.append(line) }
            var read: [UInt8] = []
            for try await chunk in spool.chunks { read += chunk }
            #expect(read == (lines + lines).flatMap { $0 })
            #expect(space.usedBytes == 4_200_000)
            func refusal(_ spool: Spool, _ bytes: Int) async -> Int? {
                let problem = await #expect(throws: ProblemError.self) {
                    try await spool.append(Array(repeating: 0, count: bytes))
                }
                return problem?.status.code
            }
            let (second, foreign, third) = (
                Spool(in: space, of: tenant), Spool(in: space, of: another), Spool(in: space, of: TenantID())
            )
            #expect(await refusal(spool, 900_000) == 413)
            #expect(await refusal(second, 900_000) == 429)
            for line in lines + lines { try await foreign.append(line) }
            #expect(await refusal(third, 1_700_000) == 503)
            try await third.append(lines[0])
            foreign.discard()
            try await third.append(lines[0] + lines[1])
            #expect(space.usedBytes == 6_300_000)
        }
        // The thread that wrote last may hold its spool for a moment.
        try await waitUntil("all of the space is given back") { space.usedBytes == 0 }
        let nowhere = Spool(
            in: SpoolSpace(for: .uploads, in: URL(fileURLWithPath: "/nowhere"), limitBytes: 5_000_000), of: tenant)
        let full = await #expect(throws: ProblemError.self) {
            try await nowhere.append(Array(repeating: 0, count: 2 << 20))
        }
        #expect(full?.status.code == 503)
    }

    @Test("an import's id is its client's to choose, once")
    func chosenID() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let id = ImportID()
            func send() async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/imports?kind=skills&id=\(id)", as: service.token(tenant.id),
                    body: Array("name\nSwift\n".utf8), type: "text/csv")
            }
            let first = try await send()
            #expect(try first.data(ImportReport.self).id == id)
            #expect(try await send().status == 409)
        }
    }
}

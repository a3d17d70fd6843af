import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceLifecycle
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Audit log")
struct AuditTests {
    @Test("an export can be confirmed by the keys that the public URL answers, which are those of heads alone")
    func answeredKeys() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            _ = try await service.send(.get, "/api/v1/audit-logs/heads", as: token)
            let reply = try await service.send(.get, "/api/v1/audit-logs/keys", as: token)
            let keys = try reply.data(JSONWebKeySet.self)
            #expect(keys.keys.map(\.iss) == [.tenantAdmin])
            let export = try await service.send(.get, "/api/v1/audit-logs/export", as: token)
            var check = AuditChainCheck(keys: keys)
            for line in export.bytes.split(separator: UInt8(ascii: "\n")) {
                check.take(try WireJSON.decode(from: line))
            }
            check.finish()
            #expect(check.findings.isEmpty && check.headsOfUnknownKeys == 0)
            #expect(check.confirmedSeq > 0 && check.confirmedSeq == check.entryCount)
            // Whoever may not read the log has no business with it.
            let other = try service.token(tenant.id, [Permission(resource: "employees", actions: ["read"])])
            #expect(try await service.send(.get, "/api/v1/audit-logs/keys", as: other).status == 403)
        }
    }

    @Test("each change is recorded with its author, and the chain is whole")
    func recorded() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id, subject: "somebody")
            _ = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "p", name: "P"))
            _ = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "p", name: "twice"))

            let entries = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)
            let verified = try await service.send(.get, "/api/v1/audit-logs/verification", as: token)

            #expect(entries.map(\.seq) == [3, 2, 1])
            #expect(entries.map(\.entity) == ["project", "user", "tenant"])
            #expect(entries[0].actor == "somebody")
            #expect(entries[2].actor == "platform-operator")
            #expect(try verified.data(AuditVerification.self) == AuditVerification(firstBrokenSeq: nil))
            #expect(entries[0].address == nil && entries[0].agent == nil)
        }
    }

    /// Runs anchors of a node of their own while `body` runs.
    private func anchoring(
        _ service: TestService, wholeSweep: Duration, _ body: (AuditAnchors) async throws -> Void
    ) async throws {
        let anchors = AuditAnchors(
            pool: service.pool, signer: StatementSigner(keyPair: ServiceKeyPair()), wholeSweep: wholeSweep,
            logger: PostgresCluster.quietLogger)
        let group = ServiceGroup(configuration: .init(services: [anchors], logger: PostgresCluster.quietLogger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body(anchors)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Of the tenant's last head; 0 without one.
    private func signed(_ service: TestService, _ tenant: Tenant) async throws -> Int {
        try await service.parts.anchors.heads(of: tenant.id, limit: 1).first?.seq ?? 0
    }

    private static let change = Change("test", "test", nil)
    private static let author = Author(name: "tester", requestID: "")

    @Test("what was written last before a node ends is signed by that node", .timeLimit(.minutes(5)))
    func signedAtTheEnd() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await anchoring(service, wholeSweep: .seconds(3600)) { anchors in
                try await waitUntil("the first entries are signed") { try await signed(service, tenant) == 2 }
                let log = AuditLog(database: TenantDatabase(pool: service.pool, onWrite: anchors.note))
                try await log.record(Self.change, by: Self.author, of: tenant.id)
            }
            #expect(try await signed(service, tenant) == 3)
        }
    }

    @Test("what a killed node has written is signed by another one", .timeLimit(.minutes(5)))
    func signedByAnother() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            try await service.asSuperuser(
                "acme", "UPDATE tenant_admin.tenants SET updated_at = now() - interval '1 day'")
            try await anchoring(service, wholeSweep: .zero) { _ in
                try await waitUntil("the first entries are signed") { try await signed(service, tenant) == 2 }
                let log = AuditLog(database: TenantDatabase(pool: service.pool))
                try await log.record(Self.change, by: Self.author, of: tenant.id)
                try await waitUntil("the next one is signed") { try await signed(service, tenant) == 3 }
            }
        }
    }

    @Test("an entry says what was made or removed, and of a change each field before and after")
    func values() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let skills = "/api/v1/skills"
            let made = try await service.send(
                .post, skills, as: token, json: CreateSkillRequest(name: "Swift", category: "language"))
            let skill = try made.data(Skill.self)
            _ = try await service.send(.patch, "\(skills)/\(skill.id)", as: token, text: #"{"name": "Swift 6"}"#)
            _ = try await service.send(.delete, "\(skills)/\(skill.id)", as: token)
            _ = try await service.send(
                .patch, "/api/v1/settings", as: token, text: #"{"settings": {"theme": "dark"}}"#)

            let entries =
                try await service.all("audit-logs?entity=skill", of: tenant.id, as: AuditEntry.self)
                + service.all("audit-logs?entity=settings", of: tenant.id, as: AuditEntry.self)
            let details = entries.sorted { $0.seq < $1.seq }.map(\.details)

            let values = try JSONValue(encoding: skill)
            #expect(details[0]["after"] == values && details[0]["before"] == nil)
            #expect(details[1]["before"] == .object(["name": .string("Swift"), "aliases": .array([])]))
            #expect(
                details[1]["after"] == .object(["name": .string("Swift 6"), "aliases": .array([.string("Swift")])]))
            #expect(details[2]["before"]?["name"] == .string("Swift 6") && details[2]["after"] == nil)
            #expect(details[3]["before"] == .object(["theme": .null]))
            #expect(details[3]["after"] == .object(["theme": .string("dark")]))
        }
    }

    @Test("no entry holds a password, its hash or a token")
    func secrets() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let (first, second) = ("correct horse battery", "staple correct horse")
            let user = try await service.send(
                .post, "/api/v1/users", as: token,
                json: CreateUserRequest(email: "ada@acme.example", name: "Ada", password: first)
            ).data(User.self)
            _ = try await service.send(
                .patch, "/api/v1/users/\(user.id)", as: token, text: "{\"password\": \"\(second)\"}")

            let entries = try await service.all("audit-logs?entity=user", of: tenant.id, as: AuditEntry.self)
            let text = String(decoding: try WireJSON.encode(entries), as: UTF8.self)

            #expect(entries.first?.details["passwordChanged"] == .bool(true))
            for secret in [first, second, "scrypt"] { #expect(!text.contains(secret)) }
        }
    }

    @Test("the tenant's own role can neither change nor remove an entry")
    func appendOnly() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            for statement: SQL in [
                "UPDATE audit_logs SET actor = 'x'", "DELETE FROM audit_logs", "TRUNCATE audit_logs",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                        _ = try await $0.execute(statement)
                    }
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }

    @Test(
        "an edited, a removed and a cut-off entry are each found",
        arguments: [
            ("UPDATE audit_logs SET actor = 'x' WHERE seq = 1", 1), ("DELETE FROM audit_logs WHERE seq = 1", 1),
            ("DELETE FROM audit_logs WHERE seq = 2", 2),
        ])
    func tampering(statement: String, broken: Int) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let schema = TenantNames.schema(for: "acme")
            // A superuser is stopped by the trigger, and has to take it away first.
            let pool = PostgresPool(
                configuration: try PostgresConfiguration(url: service.databases.superuser),
                logger: PostgresCluster.quietLogger)
            let refused = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { connection in
                    try await connection.setLocal(searchPath: [schema])
                    try await connection.executeScript(statement)
                }
            }
            try await pool.withTransaction { connection in
                try await connection.setLocal(searchPath: [schema])
                try await connection.executeScript("ALTER TABLE audit_logs DISABLE TRIGGER ALL; " + statement)
            }
            await pool.close()

            let verified = try await service.send(
                .get, "/api/v1/audit-logs/verification", as: service.token(tenant.id))

            #expect(refused?.sqlState == "42501")
            #expect(try verified.data(AuditVerification.self).firstBrokenSeq == broken)
        }
    }

    @Test(
        "an entry rewritten by the service's own role after a head was signed is detected",
        arguments: [
            // Cuts off the last entries, and says so nowhere.
            (
                """
                DELETE FROM audit_logs WHERE seq > 2;
                UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_logs WHERE seq = 2);
                """, 3
            ),
            // Changes an entry, and hashes all that follow anew.
            (
                """
                UPDATE audit_logs SET actor = 'somebody else' WHERE seq = 2;
                DO $$
                declare
                    link audit_logs;
                    last bytea := '\\x';
                BEGIN
                    FOR link IN SELECT * FROM audit_logs ORDER BY seq loop
                        link.previous_hash := last;
                        last := sha256(last || convert_to(audit_canonical(link), 'UTF8'));
                        UPDATE audit_logs SET previous_hash = link.previous_hash, hash = last WHERE seq = link.seq;
                    END loop;
                    UPDATE audit_head SET hash = last;
                END
                $$;
                """, 1
            ),
        ])
    func insider(attack: String, broken: Int) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            _ = try await service.send(.get, "/api/v1/audit-logs/heads", as: token)
            for name in ["p", "q", "r"] {
                _ = try await service.send(
                    .post, "/api/v1/projects", as: token, json: CreateProject(externalId: name, name: name))
            }
            let heads = try await service.send(.get, "/api/v1/audit-logs/heads", as: token).list(AuditHead.self).items
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                try await connection.executeScript(
                    """
                    GRANT UPDATE, DELETE ON audit_logs to current_user;
                    ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_append_only;
                    \(attack)
                    ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_append_only;
                    REVOKE UPDATE, DELETE ON audit_logs FROM current_user;
                    """)
            }
            let chain = try await service.pool.withTransaction { connection in
                try await connection.setLocal(
                    role: TenantNames(subdomain: Subdomain(rawValue: "acme")!, id: tenant.id).role,
                    searchPath: [TenantNames.schema(for: "acme")])
                return try await connection.query("SELECT audit_first_break() AS seq")[0].decode("seq", as: Int?.self)
            }
            let verified = try await service.send(.get, "/api/v1/audit-logs/verification", as: token)
                .data(AuditVerification.self)

            #expect(heads.map(\.seq) == [5, 2])
            // The chain alone says that all is well.
            #expect(chain == nil)
            #expect(!verified.isWhole)
            #expect(verified.firstBrokenSeq == broken)
            // An export is found out as well, by the heads in it.
            let export = try await service.send(.get, "/api/v1/audit-logs/export", as: token)
            var check = AuditChainCheck(keys: service.keys)
            for line in export.bytes.split(separator: UInt8(ascii: "\n")) {
                check.take(try WireJSON.decode(from: line))
            }
            #expect(!check.findings.isEmpty)
        }
    }

    @Test("the service's own role can neither change nor remove a signed head, nor sign one for it")
    func heads() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func heads() async throws -> [AuditHead] {
                try await service.send(.get, "/api/v1/audit-logs/heads", as: token).list(AuditHead.self).items
            }
            let first = try await heads()
            #expect(try await heads() == first)
            _ = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "p", name: "P"))
            let both = try await heads()
            for statement: SQL in [
                "DELETE FROM erm_audit.heads", "UPDATE erm_audit.heads SET seq = 9", "TRUNCATE erm_audit.heads",
                "SELECT erm_audit.forget(\(tenant.id))",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await service.pool.withConnection { _ = try await $0.execute(statement) }
                }
                #expect(["42501", "55006"].contains(error?.sqlState))
            }
            // An earlier one is not taken, a later one of another's making is found out.
            func anchor(_ seq: Int) async throws -> Bool {
                try await service.pool.withConnection { connection in
                    try await connection.query(
                        """
                        SELECT erm_audit.anchor(\(tenant.id), \(seq), sha256('x'), now(), \(first[0].keyId), 'AAAA') AS taken
                        """)[0].decode("taken")
                }
            }
            #expect(try await !anchor(1))
            let before = try await service.send(.get, "/api/v1/audit-logs/verification", as: token)
                .data(AuditVerification.self)
            #expect(try await anchor(4))
            let after = try await service.send(.get, "/api/v1/audit-logs/verification", as: token)
                .data(AuditVerification.self)

            #expect(first.map(\.seq) == [2] && both.map(\.seq) == [3, 2])
            let verifier = StatementVerifier(keys: service.keys)
            #expect(both.allSatisfy { verifier.check($0) == .genuine })
            #expect(before == AuditVerification(firstBrokenSeq: nil, confirmedSeq: 3))
            #expect(after.forgedHeads == 1 && !after.isWhole)
        }
    }

    @Test("a log in the place of one that was dropped as in a purge is neither signed nor called whole")
    func forgotten() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let subdomain = try #require(Subdomain(rawValue: "acme"))
            let names = TenantNames(subdomain: subdomain, id: tenant.id)
            let verification = "/api/v1/audit-logs/verification"
            #expect(try await service.send(.get, "/api/v1/audit-logs/heads", as: token).status == 200)
            try await service.pool.withTransaction { connection in
                try await connection.setLocal(role: names.role, searchPath: [])
                try await connection.execute("DROP SCHEMA \(identifier: names.schema) CASCADE")
                try await TenantDatabase.leave(on: connection)
                try await connection.execute("SELECT erm_provisioning.drop_tenant_role(\(tenant.id))")
                try await connection.execute("SELECT erm_audit.forget(\(tenant.id))")
            }
            // A log of the same length that tells something else.
            @Sendable func remake(withRoleOf id: TenantID) async throws {
                let remade = TenantNames(subdomain: subdomain, id: id)
                try await service.pool.withTransaction { connection in
                    try await connection.execute("SELECT erm_provisioning.create_tenant_role(\(id))")
                    try await service.schemas.create(remade, on: connection)
                    try await connection.execute(
                        """
                        INSERT INTO audit_logs (actor, action, entity)
                        SELECT 'somebody else', 'create', 'project' FROM generate_series(1, 9)
                        """)
                    try await TenantDatabase.leave(on: connection)
                    try await connection.execute(
                        "UPDATE tenants SET role_name = \(remade.role) WHERE id = \(tenant.id)")
                }
            }
            let refused = await #expect(throws: PostgresError.self) { try await remake(withRoleOf: tenant.id) }
            // Another tenant's role can be had.
            try await remake(withRoleOf: TenantID())
            let signed = await #expect(throws: ProblemError.self) {
                try await service.parts.anchors.anchor(tenant.id)
            }
            let verified = try await service.send(.get, verification, as: token)
            let exported = try await service.send(.get, "/api/v1/audit-logs/export", as: token)
            let anchored = await #expect(throws: PostgresError.self) {
                try await service.pool.withConnection { connection in
                    _ = try await connection.query(
                        "SELECT erm_audit.anchor(\(tenant.id), 9, sha256('x'), now(), 'key', 'AAAA')")
                }
            }

            #expect(refused?.sqlState == "55000" && anchored?.sqlState == "55000")
            #expect(signed?.status == .conflict)
            #expect(verified.status == 409 && !verified.text.contains("isWhole"))
            #expect(exported.status == 409 && !exported.text.contains("previousHash"))
        }
    }

    @Test("a chain that cannot be read keeps no other tenant's from being signed")
    func unreadableChain() async throws {
        try await TestService.run { service in
            var tenants: [TenantID] = []
            for name in ["broken", "acme", "beta"] { tenants.append(try await service.createTenant(name).id) }
            try await service.asSuperuser("broken", "ALTER TABLE audit_head RENAME TO audit_head_away")
            let anchors = service.parts.anchors
            for tenant in tenants { anchors.note(tenant) }
            func heads() async throws -> [Int] {
                var counts: [Int] = []
                for tenant in tenants { counts.append(try await anchors.heads(of: tenant).count) }
                return counts
            }
            try await anchors.anchorMoved()
            #expect(try await heads() == [0, 1, 1])
            try await service.asSuperuser("broken", "ALTER TABLE audit_head_away RENAME TO audit_head")
            try await anchors.anchorMoved()
            #expect(try await heads() == [1, 1, 1])
        }
    }

    @Test("an export is verified without a database, and tampering is detected")
    func offline() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            _ = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "p", name: "Bücher \"\\ 1.50"))
            let export = try await service.send(.get, "/api/v1/audit-logs/export", as: token)
            let lines = try export.bytes.split(separator: UInt8(ascii: "\n")).map {
                try WireJSON.decode(AuditExportLine.self, from: $0)
            }
            func check(_ lines: [AuditExportLine]) -> AuditChainCheck {
                var check = AuditChainCheck(keys: service.keys)
                for line in lines { check.take(line) }
                check.finish()
                return check
            }
            func changed(_ entry: AuditExportEntry, _ canonical: String, _ hash: String) -> AuditExportLine {
                .entry(
                    AuditExportEntry(
                        seq: entry.seq, canonical: canonical, previousHash: entry.previousHash, hash: hash))
            }
            guard case .entry(let second) = lines[1], case .entry(let last) = lines[3], case .head(let head) = lines[4]
            else {
                Issue.record("not an export of four entries and a head")
                return
            }
            let whole = check(lines)
            var edited = lines
            edited[1] = changed(second, second.canonical.replacing("create", with: "delete"), second.hash)
            let forged = AuditHead(
                tenantId: head.tenantId, seq: head.seq, hash: head.hash, anchoredAt: head.anchoredAt + 1,
                keyId: head.keyId, signature: head.signature)

            let end = AuditExportLine.end(AuditExportEnd(entries: 3, heads: 1))
            #expect(lines.last == .end(AuditExportEnd(entries: 4, heads: 1)))
            #expect(whole.findings.isEmpty && whole.entryCount == 4 && whole.confirmedSeq == 4)
            // Who exports is on record.
            #expect(
                last.canonical.contains(#""export""#) && last.canonical.contains(#""audit_log""#), "\(last.canonical)")
            #expect(check(edited).findings.map(\.seq).contains(2))
            // One is missing, and nothing more is said of the others.
            #expect(check([lines[0], lines[2], lines[3], lines[4], end]).findings.map(\.seq) == [2])
            #expect(check([lines[0], lines[1], lines[2], lines[4], end]).findings.map(\.seq) == [4])
            #expect(check(lines + [.head(forged)]).findings.map(\.seq) == [4])
            // Cut off behind any line, an export is not whole, nor with a line less.
            for count in 0..<lines.count {
                #expect(check(Array(lines.prefix(count))).findings.contains { $0.seq == nil })
            }
            #expect(check([lines[0], lines[1], lines[2], lines[3], lines[5]]).findings.map(\.seq) == [nil])
        }
    }

    @Test("an export of several pages is one state of the log, whatever is added meanwhile")
    func pages() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let author = Author(name: "t", requestID: "r")
            let log = AuditLog(database: TenantDatabase(pool: service.pool))
            func add() async throws { try await log.record(Change("look", "page", nil), by: author, of: tenant.id) }
            for _ in 0..<6 { try await add() }
            let last = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)[0].seq
            var chain = AuditChain(
                database: TenantDatabase(pool: service.pool), anchors: service.parts.anchors,
                verifier: service.parts.heads)
            chain.pageEntries = 3
            var bytes: [UInt8] = []
            try await chain.send(try await chain.begin(tenant.id)) { piece in
                bytes += piece.readableBytesView
                try await add()
            }
            var check = AuditChainCheck(keys: service.keys)
            let lines = try bytes.split(separator: UInt8(ascii: "\n")).map {
                try WireJSON.decode(AuditExportLine.self, from: $0)
            }
            for line in lines { check.take(line) }
            check.finish()

            #expect(last == 8)
            #expect(lines.last == .end(AuditExportEnd(entries: 8, heads: 1)))
            #expect(check.findings.isEmpty && check.entryCount == 8 && check.confirmedSeq == 8)
        }
    }

    @Test("a chain begun before entries said where they come from goes on, and is whole")
    func upgraded() async throws {
        try await TestService.run(tenantMigrations: try UpgradeTests.migrations(upTo: 10)) { service in
            let insert: SQL = """
                INSERT INTO audit_logs (actor, action, entity, details) VALUES ('a', 'b', 'c', '{"z": 1.50, "a": "ü"}')
                """
            try await service.schemas.migrateAll()
            _ = try await UpgradeTests.inTemplate(service) { try await $0.execute(insert) }
            try await TenantSchemas(
                pool: service.pool, migrationsDirectory: ServiceDatabases.migrations("tenant"),
                logger: PostgresCluster.quietLogger
            ).migrateAll()
            _ = try await UpgradeTests.inTemplate(service) { try await $0.execute(insert) }
            let row = try await UpgradeTests.inTemplate(service) {
                try await $0.query("SELECT count(*) AS entries, audit_first_break() AS broken FROM audit_logs")[0]
            }

            #expect(try row.decode("entries", as: Int.self) == 2)
            #expect(try row.decode("broken", as: Int?.self) == nil)
        }
    }

    @Test("entries say from where they came, and are found by action, actor, object and time")
    func origins() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id, subject: "somebody")
            _ = try await service.send(
                .post, "/api/v1/projects", as: token, json: CreateProject(externalId: "p", name: "P"),
                headers: ["Forwarded": "for=\"[2001:db8::7]\";proto=https", "User-Agent": "a browser"])
            let entries = try await service.all("audit-logs?entity=project", of: tenant.id, as: AuditEntry.self)
            let entry = try #require(entries.first)
            func found(_ query: String) async throws -> [Int] {
                try await service.all("audit-logs?\(query)", of: tenant.id, as: AuditEntry.self).map(\.seq)
            }
            let before = WireJSON.timestamp(entry.occurredAt - 1)

            #expect(entry.address == "2001:db8::7" && entry.agent == "a browser")
            #expect(try await found("action=create&actor=somebody") == [3])
            #expect(try await found("action=delete") == [])
            #expect(try await found("entityId=\(entry.entityId ?? "")") == [3])
            #expect(try await found("from=\(before)&entity=project") == [3])
            #expect(try await found("to=\(before)&entity=project") == [])
            // Also by the very time that an entry says, wherever it is rounded to; half of the times are rounded up.
            for number in 0..<10 {
                _ = try await service.send(
                    .post, "/api/v1/departments", as: token, text: "{\"name\":\"D\(number)\"}")
            }
            for entry in try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self) {
                let time = WireJSON.timestamp(entry.occurredAt)
                #expect(try await found("from=\(time)").contains(entry.seq))
                #expect(try await !found("to=\(time)").contains(entry.seq))
            }
            let verified = try await service.send(.get, "/api/v1/audit-logs/verification", as: token)
            #expect(try verified.data(AuditVerification.self).isWhole)
        }
    }

    @Test("another service's change is recorded once, for a suspended tenant as well")
    func notes() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let path = "/internal/v1/tenants/\(tenant.id)/audit-logs"
            let note = AuditNote(
                "deploy", "model", "m", details: ["forced": .bool(true)], by: "somebody", requestId: "request")
            let training = try service.token(of: .mlTraining)
            #expect(try await service.send(.post, path, as: training, json: note).status == 200)
            let suspend = "/api/v1/tenants/\(tenant.id)/suspend"
            #expect(try await service.send(.post, suspend, as: service.operatorToken).status == 200)
            #expect(try await service.send(.post, path, as: training, json: note).status == 200)
            let other = AuditNote("archive", "model", "m", by: "somebody")
            #expect(try await service.send(.post, path, as: training, json: other).status == 200)
            let prediction = try service.token(of: .mlPrediction)
            #expect(try await service.send(.post, path, as: prediction, json: note).status == 200)
            #expect(
                try await service.send(.post, path, as: try service.token(of: .tenantAdmin), json: note).status == 401)
            let unknown = "/internal/v1/tenants/\(TenantID())/audit-logs"
            #expect(try await service.send(.post, unknown, as: training, json: note).status == 404)
            let resume = "/api/v1/tenants/\(tenant.id)/resume"
            #expect(try await service.send(.post, resume, as: service.operatorToken).status == 200)

            let entries = try await service.all("audit-logs?entity=model", of: tenant.id, as: AuditEntry.self)
            let verified = try await service.send(
                .get, "/api/v1/audit-logs/verification", as: try service.token(tenant.id))

            #expect(entries.map(\.action) == ["archive", "deploy"])
            #expect(entries[1].actor == "somebody" && entries[1].requestId == "request" && entries[1].entityId == "m")
            #expect(entries[1].details["forced"] == .bool(true))
            #expect(entries[1].details["occurredAt"] == .string(WireJSON.timestamp(note.occurredAt)))
            #expect(try verified.data(AuditVerification.self).isWhole)
        }
    }
}

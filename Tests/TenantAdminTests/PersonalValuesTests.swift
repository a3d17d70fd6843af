import Basics
import Contracts
import Foundation
import HTTPTypes
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Personal values in the audit log")
struct PersonalValuesTests {
    /// What names the person of ``person(_:_:)``, now and before.
    private static let texts = [
        "Firstname Former", "first@x.example", "XID-77", "Secretname Person", "secret@x.example", "XID-78",
    ]

    /// A person whose name, address and external id were changed; by then the audit log has four entries.
    private func person(_ service: TestService, _ tenant: Tenant) async throws -> Employee {
        let token = try service.token(tenant.id)
        let made = try await service.send(
            .post, "/api/v1/employees", as: token,
            text: #"{"externalId":"XID-77","name":"Firstname Former","email":"first@x.example"}"#
        ).data(Employee.self)
        return try await service.send(
            .patch, "/api/v1/employees/\(made.id)", as: token,
            text: #"{"externalId":"XID-78","name":"Secretname Person","email":"secret@x.example"}"#
        ).data(Employee.self)
    }

    private func forget(_ person: Employee, _ service: TestService, _ tenant: Tenant) async throws -> Reply {
        try await service.send(
            .post, "/api/v1/employees/\(person.id)/anonymise", as: service.token(tenant.id))
    }

    /// Of the schema of the tenant `acme`.
    private func tables(_ text: String, _ service: TestService) async throws -> [String] {
        let schema = "\(TenantNames.schema(for: "acme"))."
        return try await TenantTraces.tables(holding: text, in: service.databases.superuser)
            .filter { $0.hasPrefix(schema) }.map { String($0.dropFirst(schema.count)) }
    }

    private func verified(_ service: TestService, _ tenant: Tenant) async throws -> AuditVerification {
        try await service.send(.get, "/api/v1/audit-logs/verification", as: service.token(tenant.id)).data()
    }

    private func exported(_ service: TestService, _ tenant: Tenant) async throws -> [AuditExportLine] {
        let reply = try await service.send(.get, "/api/v1/audit-logs/export", as: service.token(tenant.id))
        return try Self.lines(reply.bytes)
    }

    private static func lines(_ bytes: [UInt8]) throws -> [AuditExportLine] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try WireJSON.decode(from: $0) }
    }

    private func checked(_ lines: [AuditExportLine], _ service: TestService) -> AuditChainCheck {
        var check = AuditChainCheck(keys: service.keys)
        for line in lines { check.take(line) }
        check.finish()
        return check
    }

    @Test(
        "no table names a person who was anonymised or deleted, the audit log included, which stays whole",
        arguments: [false, true])
    func erased(isDeleted: Bool) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let person = try await person(service, tenant)
            for text in Self.texts { #expect(try await tables(text, service).contains("audit_personal_values")) }
            for text in Self.texts { #expect(try await !tables(text, service).contains("audit_logs")) }
            let before = checked(try await exported(service, tenant), service)
            #expect(before.findings.isEmpty && before.valueCount == 12 && before.erasedValues == 0)
            #expect(try await verified(service, tenant).isWhole)

            if isDeleted {
                let path = "/api/v1/employees/\(person.id)"
                #expect(try await service.send(.delete, path, as: service.token(tenant.id)).status == 204)
            } else {
                let answer = try await forget(person, service, tenant).data(Anonymisation.self)
                #expect(answer == Anonymisation(erasedValues: 9, namingEntries: 0))
            }

            for text in Self.texts { #expect(try await tables(text, service) == [], "\(text)") }
            #expect(try await verified(service, tenant).isWhole)
            let after = checked(try await exported(service, tenant), service)
            // Of the tenant and its administrator.
            #expect(after.findings.isEmpty && after.valueCount == 3 && after.erasedValues == 9)
            #expect(after.confirmedSeq == after.entryCount)
        }
    }

    @Test("values stand in their places while they are there, and a word says afterwards that they were erased")
    func shown() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let person = try await person(service, tenant)
            func details() async throws -> [JSONValue] {
                try await service.all("audit-logs?entityId=\(person.id)", of: tenant.id, as: AuditEntry.self)
                    .sorted { $0.seq < $1.seq }.map(\.details)
            }
            func archived() async throws -> JSONValue {
                let text = try await service.export(tenant, "?files=audit_logs").text("audit_logs.ndjson")
                return try WireJSON.decode(from: Array(text.split(separator: "\n")[3].utf8))
            }
            let before = try await details()
            let data = try await service.send(
                .get, "/api/v1/employees/\(person.id)/data", as: service.token(tenant.id)
            ).data(JSONValue.self)
            let line = try await archived()
            _ = try await forget(person, service, tenant)
            let after = try await details()

            let fields = ["name", "email", "externalId"]
            func values(_ side: JSONValue?) -> [String?] { fields.map { side?[$0]?.stringValue } }
            let (former, latest) = (Array(Self.texts.prefix(3)), Array(Self.texts.suffix(3)))
            #expect(values(before[0]["after"]) == former && before[0]["after"]?["weeklyCapacityHours"] != nil)
            #expect(values(before[1]["before"]) == former && values(before[1]["after"]) == latest)
            #expect(before.allSatisfy { $0["sealed"] == nil })
            guard case .array(let entries)? = data["audit"] else {
                Issue.record("there is no audit log")
                return
            }
            #expect(entries.prefix(2).map { $0["details"] } == before)
            #expect(line["details"]?["after"]?["name"] == nil && line["details"]?["sealed"]?["after.name"] != nil)
            #expect(line["personal"]?["after.name"]?["value"] == .string("Secretname Person"))

            let erased = JSONValue.string("erased")
            for side in [after[0]["after"], after[1]["before"], after[1]["after"]] {
                #expect(fields.allSatisfy { side?[$0] == erased })
            }
            #expect(after.last?["erased"]?["before.email"] == .array([.integer(4)]))
            #expect(after.last?["erased"]?["after.email"] == .array([.integer(3), .integer(4)]))
            #expect(try await archived()["personal"]?["after.name"] == .object(["value": erased]))
        }
    }

    @Test("equal values have salts and digests of their own, and what many lines of a file say stands in no entry")
    func salts() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            for id in ["E1", "E2"] {
                _ = try await service.send(
                    .post, "/api/v1/employees", as: token, text: "{\"externalId\":\"\(id)\",\"name\":\"Ada\"}")
            }
            let file = "external_id,name\n" + (10..<60).map { "E\($0),Person \($0)\n" }.joined()
            #expect(try await service.importCSV(.employees, file, into: tenant.id).status == 201)
            let rows = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.query(
                    """
                    SELECT v.salt, v.value, a.details -> 'sealed' ->> v.place AS digest
                    FROM audit_personal_values v JOIN audit_logs a ON a.seq = v.seq
                    """
                ).map { row in
                    (
                        salt: try row.decode("salt", as: [UInt8].self), value: try row.decode("value", as: String.self),
                        digest: try row.decode("digest", as: String.self)
                    )
                }
            }
            let ada = rows.filter { $0.value == "Ada" }

            #expect(rows.count == 7 && Set(rows.map(\.salt)).count == 7 && rows.allSatisfy { $0.salt.count == 32 })
            #expect(ada.count == 2 && ada[0].digest != ada[1].digest)
            // Nobody who guesses the name finds it.
            #expect(rows.allSatisfy { $0.digest != RandomToken.digest($0.value).hex })
            #expect(
                rows.allSatisfy { PersonalValue(value: $0.value, salt: $0.salt.hex).digest == $0.digest })
        }
    }

    @Test("a value of an export that is not the one that was hashed is found, and one that is missing")
    func changedExport() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await person(service, tenant)
            let lines = try await exported(service, tenant)
            guard case .entry(let entry) = lines[2], let personal = entry.personal,
                let name = personal["after.name"], let salt = name.salt
            else {
                Issue.record("not an entry with values")
                return
            }
            func findings(_ value: PersonalValue?, at place: String = "after.name") -> [AuditChainCheck.Finding] {
                var (lines, personal) = (lines, personal)
                personal[place] = value
                lines[2] = .entry(
                    AuditExportEntry(
                        seq: entry.seq, canonical: entry.canonical, previousHash: entry.previousHash, hash: entry.hash,
                        personal: personal))
                return checked(lines, service).findings
            }
            #expect(findings(name).isEmpty && name.value == "Firstname Former")
            // The same bytes with another border between salt and value.
            let shifted = PersonalValue(value: String(name.value.dropFirst()), salt: salt + Array("F".utf8).hex)
            for value in [
                PersonalValue(value: "Othername", salt: salt), PersonalValue(value: "Othername", salt: nil), shifted,
                personal["after.email"], nil, PersonalValue(value: PersonalValue.erased, salt: nil),
            ] {
                #expect(findings(value).map(\.seq) == [3], "\(String(describing: value))")
            }
            #expect(findings(name, at: "after.address").map(\.seq) == [3])
        }
    }

    @Test(
        "a value that the service's own role changes or removes is found and not shown",
        arguments: [
            (
                """
                GRANT UPDATE ON audit_personal_values TO CURRENT_USER;
                UPDATE audit_personal_values SET value = 'Forged' WHERE value = 'Secretname Person';
                """, 1, 0
            ), ("DELETE FROM audit_personal_values WHERE value = 'Secretname Person'", 0, 1),
        ])
    func insider(attack: String, changed: Int, missing: Int) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await person(service, tenant)
            let database = TenantDatabase(pool: service.pool)
            let refused = await #expect(throws: PostgresError.self) {
                try await database.withTenant(tenant.id) {
                    _ = try await $0.execute("UPDATE audit_personal_values SET value = 'Forged'")
                }
            }
            try await database.withTenant(tenant.id) { try await $0.executeScript(attack) }
            let found = try await verified(service, tenant)
            let entry = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)[0]

            #expect(refused?.sqlState == "42501")
            #expect(!found.isWhole && found.firstBrokenSeq == nil)
            #expect(found.changedValues == changed && found.missingValues == missing)
            #expect(entry.details["after"]?["name"] == .string("erased"))
            #expect(checked(try await exported(service, tenant), service).findings.map(\.seq) == [4])
        }
    }

    @Test("an export during which a person is anonymised goes on up to the entry that says so")
    func erasedMeanwhile() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let person = try await person(service, tenant)
            var chain = AuditChain(
                database: TenantDatabase(pool: service.pool), anchors: service.parts.anchors,
                verifier: service.parts.heads)
            chain.pageEntries = 2
            var bytes: [UInt8] = []
            try await chain.send(try await chain.begin(tenant.id)) { piece in
                // The first page is of the tenant and its administrator.
                if bytes.isEmpty { _ = try await forget(person, service, tenant) }
                bytes += piece.readableBytesView
            }
            let check = checked(try Self.lines(bytes), service)

            #expect(check.findings.isEmpty && check.entryCount == 5)
            #expect(check.valueCount == 3 && check.erasedValues == 9)
        }
    }

    @Test("a deleted user is named in no table of the tenant, by invitations and the tenant's own entries neither")
    func deletedUser() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            // Another tenant's log has the user under another id, in the form of before and in today's.
            let archived = """
                {"seq":1,"entity":"user","entity_id":"u","details":{"after":{"name":"Oldname","email":"GONE@x.example"}}}
                {"seq":2,"entity":"user","entity_id":"u","details":{"sealed":{"after.name":"00"}},"personal":{"after.name":{"value":"Latername"}}}
                {"seq":3,"entity":"user","entity_id":"v","details":{"after":{"name":"Othername"}}}
                {"seq":4,"entity":"invitation","entity_id":"i","details":{"after":{"name":"Askedname","email":"gone@x.example"}}}

                """
            #expect(try await service.restore(.auditLogs, archived, into: tenant).status == 200)
            for address in ["gone@x.example", "other@x.example"] {
                let changed = try await service.send(
                    .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken,
                    text: "{\"adminEmail\":\"\(address)\"}")
                #expect(changed.status == 200)
            }
            let invitation = try await service.send(
                .post, "/api/v1/invitations", as: token,
                json: CreateInvitationRequest(email: "Gone@x.example", name: "Invitedname", roles: nil),
                headers: ["Idempotency-Key": "invite"]
            ).data(Invitation.self)
            let user = try await service.send(
                .post, "/api/v1/users", as: token, text: #"{"email":"gone@x.example","name":"Firstname"}"#,
                headers: ["Idempotency-Key": "make"]
            ).data(User.self)
            let path = "/api/v1/users/\(user.id)"
            _ = try await service.send(.patch, path, as: token, text: #"{"name":"Secondname"}"#)
            #expect(
                try await tables("gone@x.example", service) == [
                    "archived_audit_logs", "audit_personal_values", "idempotency_keys", "invitations", "users",
                ])

            #expect(try await service.send(.delete, path, as: token).status == 204)

            // Neither is made again by a repetition.
            for (kind, key) in [("invitations", "invite"), ("users", "make")] {
                let repeated = try await service.send(
                    .post, "/api/v1/\(kind)", as: token, text: #"{"email":"gone@x.example","name":"Firstname"}"#,
                    headers: ["Idempotency-Key": key])
                #expect(repeated.status == 410)
            }
            for text in [
                "gone@x.example", "Invitedname", "Firstname", "Secondname", "Oldname", "Latername", "Askedname",
            ] {
                #expect(try await tables(text, service) == [], "\(text)")
            }
            // The message that was to bring the invitation has gone as well.
            #expect(
                try await TenantTraces.tables(holding: "gone@x.example", in: service.databases.superuser) == [])
            // Others' values stay.
            #expect(try await tables("other@x.example", service) == ["audit_personal_values"])
            #expect(try await tables("admin@acme.example", service) == ["audit_personal_values", "users"])
            #expect(try await tables("Othername", service) == ["archived_audit_logs"])
            #expect(
                try await service.send(.get, "/api/v1/invitations/\(invitation.id)", as: token).status == 404)
            let entry = try await service.all("audit-logs?entityId=\(user.id)", of: tenant.id, as: AuditEntry.self)[0]
            #expect(entry.details["invitations"] == .array([.string(invitation.id.description)]))
            #expect(entry.details["before"]?["name"] == nil && entry.details["before"]?["roles"] != nil)
            #expect(try await verified(service, tenant).isWhole)
            let check = checked(try await exported(service, tenant), service)
            // Address twice of the tenant's, address and name of the invitation, of the user, and the name before and after.
            #expect(check.findings.isEmpty && check.erasedValues == 8)
        }
    }

    @Test("somebody who was invited and never became a user is named in no table any more, once that is asked for")
    func neverUser() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let archived = """
                {"seq":1,"entity":"invitation","entity_id":"i","details":{"after":{"name":"Askedname","email":"Gone@x.example"}}}

                """
            #expect(try await service.restore(.auditLogs, archived, into: tenant).status == 200)
            func invite(_ email: String) async throws -> Invitation {
                try await service.send(
                    .post, "/api/v1/invitations", as: token,
                    json: CreateInvitationRequest(email: email, name: "Invitedname", roles: nil),
                    headers: ["Idempotency-Key": "\(UUID())"]
                ).data()
            }
            func revoke(_ invitation: Invitation) async throws {
                let answer = try await service.send(.delete, "/api/v1/invitations/\(invitation.id)", as: token)
                #expect(answer.status == 204)
            }
            func anonymise(_ id: InvitationID) async throws -> Reply {
                try await service.send(.post, "/api/v1/invitations/\(id)/anonymise", as: token)
            }
            let other = try await invite("user@x.example")
            try await revoke(other)
            let user = try await service.send(
                .post, "/api/v1/users", as: token, text: #"{"email":"user@x.example","name":"Username"}"#)
            #expect(user.status == 201)
            let first = try await invite("gone@x.example")
            try await revoke(first)
            let second = try await invite("GONE@x.example")
            let whileOpen = try await anonymise(first.id)
            try await revoke(second)

            let done = try await anonymise(first.id)

            #expect(whileOpen.status == 409)
            // Of a user, who stays.
            #expect(try await anonymise(other.id).status == 409)
            #expect(try done.data(Anonymisation.self) == Anonymisation(erasedValues: 4, namingEntries: 0))
            for id in [first.id, second.id] {
                #expect(try await service.send(.get, "/api/v1/invitations/\(id)", as: token).status == 404)
                #expect(try await anonymise(id).status == 404)
            }
            for text in ["gone@x.example", "Askedname"] {
                #expect(
                    try await TenantTraces.tables(holding: text, in: service.databases.superuser) == [], "\(text)")
            }
            // The other invitation's.
            #expect(try await tables("Invitedname", service).contains("audit_personal_values"))
            let entry = try await service.all("audit-logs?entityId=\(first.id)", of: tenant.id, as: AuditEntry.self)[0]
            #expect(entry.action == "anonymise" && entry.details["erased"] != nil)
            #expect(try await verified(service, tenant).isWhole)
            let check = checked(try await exported(service, tenant), service)
            #expect(check.findings.isEmpty && check.erasedValues == 4)
        }
    }

    @Test("the daily sweep erases each person in a transaction of its own, for others' entries wait for it")
    func onePersonAtATime() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.send(
                .post, "/api/v1/employees", as: service.token(tenant.id), text: #"{"externalId":"E1","name":"Ada"}"#)
            _ = try await person(service, tenant)
            let database = TenantDatabase(pool: service.pool)
            try await database.withTenant(tenant.id) { try await $0.executeScript("DELETE FROM employees") }

            try await Retention(
                database: database, feedDays: 90, importDays: 365, logger: PostgresCluster.quietLogger
            ).sweep(tenant.id)

            let transactions = try await database.withTenant(tenant.id) {
                try await $0.query("SELECT xmin::text AS transaction FROM audit_logs WHERE action = 'erase'").map {
                    try $0.decode("transaction", as: String.self)
                }
            }
            #expect(transactions.count == 2 && Set(transactions).count == 2)
        }
    }

    @Test("entries of before, with names in their text, are shown as they are, and counted when a person is anonymised")
    func before() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let person = try await person(service, tenant)
            let details = #"{"before":{"name":"Plainname"},"after":{"name":"Firstname"}}"#
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute(
                    """
                    INSERT INTO audit_logs (actor, action, entity, entity_id, details)
                    VALUES ('a', 'update', 'employee', \(person.id)::text, \(details)::jsonb)
                    """)
            }
            let entry = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)[0]
            let answer = try await forget(person, service, tenant).data(Anonymisation.self)
            let record = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)[0]

            #expect(entry.details["before"] == .object(["name": .string("Plainname")]))
            #expect(answer == Anonymisation(erasedValues: 9, namingEntries: 1))
            #expect(record.action == "anonymise" && record.details["namingEntries"] == .integer(1))
            // The chain would be broken without it.
            #expect(try await tables("Plainname", service) == ["audit_logs"])
            #expect(try await verified(service, tenant).isWhole)
            #expect(checked(try await exported(service, tenant), service).findings.isEmpty)
        }
    }

    @Test(
        "values about a person whom a node of an earlier release has forgotten are erased by the daily sweep",
        arguments: [
            "DELETE FROM employees",
            "UPDATE employees SET name = 'Anonymised person', email = NULL, external_id = 'anonymised-' || id",
        ])
    func earlierRelease(statement: String) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await person(service, tenant)
            let database = TenantDatabase(pool: service.pool)
            try await database.withTenant(tenant.id) { try await $0.executeScript(statement) }
            #expect(try await tables("Secretname", service) == ["audit_personal_values"])
            let retention = Retention(
                database: database, feedDays: 90, importDays: 365, logger: PostgresCluster.quietLogger)
            for _ in 0..<2 { try await retention.sweep(tenant.id) }
            let entries = try await service.all("audit-logs", of: tenant.id, as: AuditEntry.self)

            for text in Self.texts { #expect(try await tables(text, service) == [], "\(text)") }
            #expect(entries.count == 5 && entries[0].action == "erase" && entries[0].actor == "tenant-admin")
            #expect(try await tables("admin@acme.example", service) == ["audit_personal_values", "users"])
            #expect(try await verified(service, tenant).isWhole)
            #expect(checked(try await exported(service, tenant), service).findings.isEmpty)
        }
    }

    @Test("users whom the users of an archive replace are named in no table any more")
    func replacedUsers() async throws {
        try await TestService.run { service in
            let (first, second) = (try await service.createTenant("other"), try await service.createTenant("acme"))
            let users = try await service.export(first, "?files=users").text("users.ndjson")
            #expect(try await tables("admin@acme.example", service) == ["audit_personal_values", "users"])
            #expect(try await service.restore(.users, users, into: second).status == 200)

            #expect(try await tables("admin@acme.example", service) == [])
            #expect(try await verified(service, second).isWhole)
        }
    }

    @Test("a tenant that has no table for values yet is suspended all the same, and given no other address")
    func notMigrated() async throws {
        try await TestService.run { service in
            let path = "/api/v1/tenants/\(try await service.createTenant("acme").id)"
            try await service.asSuperuser("acme", "DROP TABLE audit_personal_values")
            _ = try await service.pool.withConnection {
                try await $0.execute("UPDATE tenant_admin.tenants SET schema_version = 51")
            }
            let changed = try await service.send(
                .patch, path, as: service.operatorToken, text: #"{"adminEmail":"new@x.example"}"#)
            let suspended = try await service.send(.post, "\(path)/suspend", as: service.operatorToken)

            #expect(changed.status == 503)
            #expect(suspended.status == 200)
        }
    }

    @Test("another service's note can neither seal a value nor call one erased")
    func foreignNotes() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await person(service, tenant)
            let note = AuditNote(
                "deploy", "model", "m",
                details: ["sealed": .string("x"), "erased": .object(["after.name": .array([.integer(3)])])],
                by: "somebody")
            let sent = try await service.send(
                .post, "/internal/v1/tenants/\(tenant.id)/audit-logs", as: service.token(of: .mlTraining), json: note)
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("DELETE FROM audit_personal_values WHERE seq = 3 AND place = 'after.name'")
            }

            #expect(sent.status == 200)
            #expect(try await verified(service, tenant).missingValues == 1)
        }
    }
}

import Basics
import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Purge and retention")
struct PurgeTests {
    private func deleted(_ subdomain: String, _ service: TestService) async throws -> TenantID {
        let id = try await service.createTenant(subdomain).id
        let token = try service.token(id)
        _ = try await service.importCSV(.employees, ImportTests.people, into: id)
        _ = try await service.send(.get, "/api/v1/usage", as: token)
        _ = try await service.send(.get, "/api/v1/audit-logs/heads", as: token)
        let answer = try await service.send(.delete, "/api/v1/tenants/\(id)", as: service.operatorToken)
        #expect(answer.status == 200)
        return id
    }

    private func due(_ name: ServiceName, _ service: TestService) async throws -> [TenantID] {
        try await service.send(.get, "/internal/v1/purges", as: service.token(of: name)).data()
    }

    private func confirm(_ id: TenantID, _ name: ServiceName, _ service: TestService) async throws {
        let answer = try await service.send(
            .post, "/internal/v1/purges", as: service.token(of: name),
            json: PurgeConfirmation(tenantId: id, rows: 0))
        #expect(answer.status == 200)
    }

    @Test("once every service has nothing of a purged tenant any more, nothing is left, and its subdomain is free")
    func purged() async throws {
        try await TestService.run { service in
            let id = try await deleted("acme", service)
            let path = "/api/v1/tenants/\(id)"
            #expect(try await service.send(.post, "\(path)/purge", as: service.operatorToken).status == 204)
            let restored = try await service.send(.post, "\(path)/restore", as: service.operatorToken)
            try await service.purge.purgeDue()
            let waiting = try await service.send(.get, path, as: service.operatorToken)
            for name in TenantPurge.services {
                #expect(try await due(name, service) == [id])
                try await confirm(id, name, service)
                #expect(try await due(name, service) == [])
            }
            let before = try await TenantTraces.tables(holding: id.description, in: service.databases.superuser)
            try await service.purge.purgeDue()

            #expect(restored.status == 409)
            #expect(waiting.status == 200)
            #expect(before.contains("tenant_admin.tenants") && before.contains("erm_audit.heads"))
            #expect(try await TenantTraces.tables(holding: id.description, in: service.databases.superuser) == [])
            #expect(try await service.send(.get, path, as: service.operatorToken).status == 404)
            let left = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT nspname::text FROM pg_namespace WHERE nspname = \(TenantNames.schema(for: "acme"))
                    UNION ALL SELECT rolname::text FROM pg_roles
                    WHERE rolname = \(TenantNames(subdomain: Subdomain(rawValue: "acme")!, id: id).role)
                    """)
            }
            #expect(left.isEmpty)
            #expect(try await service.createTenant("acme").subdomain == "acme")
        }
    }

    @Test("a repetition of the request that made a tenant does not make it again after its purge")
    func repeatedCreation() async throws {
        try await TestService.run { service in
            func make() async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/tenants", as: service.operatorToken,
                    json: CreateTenantRequest(
                        name: "Acme", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "ada@acme.example",
                        adminPassword: TestService.password, defaults: false),
                    headers: [HeaderName.idempotencyKey: "make"])
            }
            let id = try await make().data(Tenant.self).id
            let path = "/api/v1/tenants/\(id)"
            #expect(try await service.send(.delete, path, as: service.operatorToken).status == 200)
            #expect(try await service.send(.post, "\(path)/purge", as: service.operatorToken).status == 204)
            try await service.purge.purgeDue()
            for name in TenantPurge.services { try await confirm(id, name, service) }
            try await service.purge.purgeDue()
            #expect(try await service.send(.get, path, as: service.operatorToken).status == 404)

            let repeated = try await make()
            #expect(repeated.status == 410)
            #expect(try repeated.problem.code == .answerErased)
        }
    }

    @Test("what a request under way writes after a service's removal is removed too, before the purge goes on")
    func lateWriter() async throws {
        try await TestService.run { service in
            let id = try await deleted("acme", service)
            let purge = TenantPurge(
                pool: service.pool, restoreDays: 30, settling: .seconds(60), interval: .seconds(60),
                logger: PostgresCluster.quietLogger)
            try await purge.begin(id)
            func due() async throws -> [TenantID] { try await purge.due(for: .mlPrediction) }
            func settle() async throws {
                try await service.asSuperuser(
                    "acme", "UPDATE tenant_admin.tenants SET deleted_at = deleted_at - interval '61 seconds'")
            }
            #expect(try await due() == [id])
            try await purge.removed(id, rows: 0, by: .mlPrediction)
            // A first look finds nothing of what is still to be written.
            #expect(try await due() == [])
            try await settle()
            #expect(try await due() == [id])
            // A request that was under way had written: the service looks once more.
            try await purge.removed(id, rows: 1, by: .mlPrediction)
            #expect(try await due() == [id])
            try await purge.removed(id, rows: 0, by: .mlPrediction)
            #expect(try await due() == [])
            let confirmed = try await service.pool.withConnection { connection in
                try await connection.query("SELECT service FROM tenant_admin.purge_confirmations").map {
                    try $0.decode("service", as: String.self)
                }
            }
            #expect(confirmed == [ServiceName.mlPrediction.rawValue])

            // Of a tenant deleted long ago nothing is under way any more.
            try await purge.removed(id, rows: 1, by: .mlTraining)
            #expect(try await purge.due(for: .mlTraining) == [id])
        }
    }

    @Test("a purge waits for longer than any request that may still write rows of the tenant")
    func settling() throws {
        let key = try #require(TenantAdminSettings.keys.first { $0.name == "purge.settling" })
        let settling = try #require(key.defaultValue.flatMap(DurationText.duration))
        let longest = try GatewayTable.longestExchange(with: [.mlTraining, .mlPrediction])

        #expect(longest >= .seconds(60))
        #expect(settling > longest)
    }

    @Test("a tenant that somebody is reading is purged later, and stops no other one's purge", .timeLimit(.minutes(5)))
    func busyTenants() async throws {
        try await TestService.run { service in
            var purge = service.purge
            purge.lockTimeout = "50ms"
            let tenants = [try await deleted("acme", service), try await deleted("beta", service)].sorted {
                $0.description < $1.description
            }
            for id in tenants {
                try await purge.begin(id)
                for name in TenantPurge.services { try await confirm(id, name, service) }
            }
            func statuses() async throws -> [Int] {
                var found: [Int] = []
                for id in tenants {
                    found.append(
                        try await service.send(.get, "/api/v1/tenants/\(id)", as: service.operatorToken).status)
                }
                return found
            }
            // The one that comes first.
            try await TenantDatabase(pool: service.pool).withAny(tenants[0], readOnly: true) { [purge] _, connection in
                _ = try await connection.query("SELECT count(*) FROM employees")
                try await purge.purgeDue()
            }
            #expect(try await statuses() == [200, 404])
            try await purge.purgeDue()
            #expect(try await statuses() == [404, 404])
        }
    }

    @Test("a tenant that is being changed begins to be purged later, and stops no other one's", .timeLimit(.minutes(5)))
    func changedTenant() async throws {
        try await TestService.run { service in
            let (changed, other) = (try await deleted("acme", service), try await deleted("beta", service))
            try await service.asSuperuser(
                "acme", "UPDATE tenant_admin.tenants SET deleted_at = now() - interval '31 days'")
            try await service.pool.withTransaction { connection in
                _ = try await Tenants.row(of: changed, locked: true, on: connection)
                try await service.purge.purgeDue()
                #expect(try await due(.gateway, service) == [other])
            }
            try await service.purge.purgeDue()
            #expect(Set(try await due(.gateway, service)) == [changed, other])
        }
    }

    @Test("answers to the operator's creations of tenants are kept for a day, although none follows")
    func operatorsAnswers() async throws {
        try await TestService.run { service in
            let created = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                json: CreateTenantRequest(
                    name: "Acme", subdomain: Subdomain(rawValue: "acme")!, adminEmail: "ada@acme.example",
                    adminPassword: TestService.password, defaults: false),
                headers: ["Idempotency-Key": "make"])
            #expect(created.status == 201)
            let retention = Retention(
                database: TenantDatabase(pool: service.pool), feedDays: 90, importDays: 365,
                logger: PostgresCluster.quietLogger)
            func kept() async throws -> Bool {
                try await TenantTraces.tables(holding: "ada@acme.example", in: service.databases.superuser)
                    .contains("tenant_admin.idempotency_keys")
            }
            try await retention.removeAnswers()
            #expect(try await kept())
            try await service.asSuperuser(
                "acme", "UPDATE tenant_admin.idempotency_keys SET created_at = now() - interval '25 hours'")
            try await retention.removeAnswers()
            #expect(try await !kept())
        }
    }

    @Test("a tenant whose tables are locked is swept later, and nothing waits for it", .timeLimit(.minutes(5)))
    func lockedTables() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let database = TenantDatabase(pool: service.pool)
            let retention = Retention(
                database: database, feedDays: 90, importDays: 365, logger: PostgresCluster.quietLogger)
            try await database.withTenant(tenant.id) { connection in
                try await connection.execute("LOCK TABLE imports IN ACCESS EXCLUSIVE MODE")
                await #expect(throws: PostgresError.self) { try await retention.sweep(tenant.id) }
            }
            #expect(try await retention.due() == [tenant.id])
            try await retention.sweep(tenant.id)
            #expect(try await retention.due() == [])
        }
    }

    @Test("a tenant is purged although a copy of the database shares its role; the last of both drops the role")
    func sharedRole() async throws {
        try await TestService.run { service in
            let id = try await deleted("acme", service)
            let role = TenantNames.role(of: id)
            func roles() async throws -> String? {
                try await ServiceDatabases.value(
                    "SELECT count(*)::text FROM pg_roles WHERE rolname = '\(role)'", on: service.databases.superuser)
            }
            try await PostgresCluster.withDatabase("copy") { copy in
                try await ServiceDatabases.run("CREATE SCHEMA tenant_acme AUTHORIZATION \(role)", on: copy)
                try await service.purge.begin(id)
                for name in TenantPurge.services { try await confirm(id, name, service) }
                try await service.purge.purgeDue()
                #expect(
                    try await service.send(.get, "/api/v1/tenants/\(id)", as: service.operatorToken).status == 404)
                #expect(try await TenantTraces.tables(holding: id.description, in: service.databases.superuser) == [])
                #expect(try await roles() == "1")
                _ = try await ServiceDatabases.prepare(copy)
                // Not while the role owns something there.
                await #expect(throws: PostgresError.self) {
                    try await ServiceDatabases.run("SELECT erm_provisioning.drop_tenant_role('\(id)')", on: copy)
                }
                try await ServiceDatabases.run(
                    "DROP SCHEMA tenant_acme; SELECT erm_provisioning.drop_tenant_role('\(id)')", on: copy)
            }
            #expect(try await roles() == "0")
        }
    }

    @Test("a tenant is purged after the days to restore, not before, and never one that is not deleted")
    func days() async throws {
        try await TestService.run { service in
            let living = try await service.createTenant("living").id
            let id = try await deleted("acme", service)
            let refused = try await service.send(.post, "/api/v1/tenants/\(living)/purge", as: service.operatorToken)
            try await service.purge.purgeDue()
            let early = try await due(.gateway, service)
            try await service.asSuperuser(
                "acme",
                "UPDATE tenant_admin.tenants SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL")
            try await service.purge.purgeDue()

            #expect(refused.status == 409)
            #expect(early == [])
            #expect(try await due(.gateway, service) == [id])
            // A tenant's user is not the service that relays the request.
            let user = try await service.send(.get, "/internal/v1/purges", as: service.token(living))
            #expect(user.status == 403)
        }
    }

    @Test("a tenant that is still to be migrated is neither swept nor counted")
    func notMigrated() async throws {
        try await TestService.run { service in
            let id = try await service.createTenant("acme").id
            let database = TenantDatabase(pool: service.pool, requiredVersion: service.schemas.newest)
            let retention = Retention(
                database: database, feedDays: 90, importDays: 365, logger: PostgresCluster.quietLogger)
            func due() async throws -> [[TenantID]] {
                [try await retention.due(), try await Usage(database: database).due(olderThan: .seconds(3600))]
            }
            #expect(try await due() == [[id], [id]])
            _ = try await service.pool.withConnection {
                try await $0.execute("UPDATE tenant_admin.tenants SET schema_version = 45")
            }
            #expect(try await due() == [[], []])
        }
    }

    @Test(
        "tombstones, commits and reports of imports go when their time is over; the feed can still be followed from now"
    )
    func retention() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let old = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("DELETE FROM employees WHERE external_id = 'E1'")
            }
            let now = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
            try await service.asSuperuser(
                "acme",
                """
                UPDATE feed_commits SET committed_at = now() - interval '91 days';
                UPDATE imports SET created_at = now() - interval '400 days'
                """)
            let retention = Retention(
                database: TenantDatabase(pool: service.pool), feedDays: 90, importDays: 365,
                logger: PostgresCluster.quietLogger)
            try await retention.sweep(tenant.id)
            let counts = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.query(
                    """
                    SELECT (SELECT count(*) FROM imports) AS imports, (SELECT count(*) FROM feed_commits) AS commits,
                        (SELECT count(*) FROM removed_rows) AS tombstones
                    """)[0]
            }
            func status(_ watermark: String) async throws -> Int {
                try await service.send(
                    .get, "/internal/v1/tenants/\(tenant.id)/history?since=\(watermark)",
                    as: service.token(of: .mlPrediction)
                ).status
            }

            #expect(try counts.decode("imports", as: Int.self) == 0)
            #expect(try counts.decode("commits", as: Int.self) == 1)
            #expect(try await status(old) == 422)
            #expect(try await status(now) == 200)
        }
    }

    @Test("a person's data is handed out whole, and what names the person can be taken away while the hours stay")
    func person() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let token = try service.token(tenant.id)
            let allocation = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]
            let path = "/api/v1/employees/\(allocation.employeeId)"
            let before = try await service.send(.get, path, as: token).data(Employee.self)
            let data = try await service.send(.get, "\(path)/data", as: token).data(JSONValue.self)
            let helper = try service.token(tenant.id, [Permission(resource: "employees", actions: ["delete"])])
            let withoutAudit = try await service.send(.get, "\(path)/data", as: helper).data(JSONValue.self)
            let withAudit = try await service.send(.get, "\(path)/data", as: token).data(JSONValue.self)
            let done = try await service.send(.post, "\(path)/anonymise", as: token)
            let after = try await service.send(.get, path, as: token).data(Employee.self)
            let reader = try service.token(
                tenant.id, [Permission(resource: "employees", actions: ["read", "write", "update"])])

            let prediction = try service.token(of: .mlPrediction)
            let erasure = Erasure(tenantId: tenant.id, employeeId: allocation.employeeId)
            let due = try await service.send(.get, "/internal/v1/erasures", as: prediction).data([Erasure].self)
            _ = try await service.send(.post, "/internal/v1/erasures", as: prediction, json: erasure)
            let left = try await service.send(.get, "/internal/v1/erasures", as: prediction).data([Erasure].self)

            #expect(due == [erasure] && left == [])
            // Datasets hold no name, and of a person who stays what bookings do.
            let training = try service.token(of: .mlTraining)
            #expect(try await service.send(.get, "/internal/v1/erasures", as: training).data([Erasure].self) == [])
            #expect(data["employee"]?["name"]?.stringValue == before.name)
            #expect(data["employee"]?["externalId"] != nil && data["employee"]?["external_id"] == nil)
            #expect("\(data)".contains(allocation.id.description))
            // Each export stands in the audit log, which not everybody may read; nobody reads here where its actors were.
            #expect(withoutAudit["audit"] == nil && withoutAudit["employee"] == data["employee"])
            guard case .array(let entries) = withAudit["audit"] else {
                Issue.record("there is no audit log")
                return
            }
            #expect(entries.count >= 2 && entries.allSatisfy { $0["address"] == nil && $0["agent"] == nil })
            #expect(entries.contains { $0["occurredAt"] != nil && $0["actor"] != nil })
            #expect(done.status == 200)
            #expect(after.name == "Anonymised person" && after.email == nil && after.externalId != before.externalId)
            #expect(try await service.all("allocations", of: tenant.id, as: Allocation.self).contains(allocation))
            #expect(try await service.send(.get, "\(path)/data", as: reader).status == 403)
            let nobody = "/api/v1/employees/\(EmployeeID())/anonymise"
            #expect(try await service.send(.post, nobody, as: token).status == 404)
        }
    }

    /// Quoted by notes of imports, kept with an archive's ids, named by another tenant's audit entries.
    private func quoted(_ tenant: Tenant, _ service: TestService) async throws -> Employee {
        let id = EmployeeID()
        func entry(_ seq: Int, _ entity: EmployeeID, _ details: String) -> String {
            #"{"seq":\#(seq),"entity":"employee","entity_id":"\#(entity)","details":\#(details)}"# + "\n"
        }
        let former = EmployeeID()
        let entries =
            entry(1, former, #"{"before":{"name":"Formername"},"after":{"name":"Secretname Person"}}"#)
            + entry(2, former, #"{"after":{"externalId":"XID-77","email":"secret@x.example","name":"Secretname"}}"#)
            + entry(3, EmployeeID(), #"{"after":{"externalId":"XID-7","name":"Othername"}}"#)
            // As an archive of today has it.
            + entry(
                4, former, #"{"sealed":{"before.email":"00"}},"personal":{"before.email":{"value":"former@x.example"}}"#
            )
        let ids = #"{"kind":"employees","key":"XID-77","id":"\#(id)"}"# + "\n"
        for (kind, text) in [(ArchiveKind.ids, ids), (.auditLogs, entries)] {
            #expect(try await service.restore(kind, text, into: tenant).status == 200)
        }
        _ = try await service.importCSV(
            .capacityHistory,
            "employee_external_id,date,utilization_rate\nXID-77,2024-01-01,80\nXID-8,2024-01-01,80\n",
            into: tenant.id, onError: "skip")
        _ = try await service.importCSV(.employees, "XID-77,Secretname Person,secret@x.example\n", into: tenant.id)
        _ = try await service.importCSV(
            .employees, "external_id,name,hired_on\nXID-77,2024-01-01,Secretname Person\n", into: tenant.id)
        _ = try await service.importCSV(
            .employees, "external_id,name,email\nXID-77,Secretname Person,secret@x.example\n", into: tenant.id)
        let person = try #require(try await service.all("employees", of: tenant.id, as: Employee.self).first)
        #expect(person.id == id)
        return person
    }

    @Test(
        "nothing in a tenant's tables names a person who was anonymised or deleted",
        arguments: [false, true])
    func namesLeft(isDeleted: Bool) async throws {
        try await TestService.run { service in
            func tables(_ text: String) async throws -> [String] {
                try await TenantTraces.tables(holding: text, in: service.databases.superuser).map {
                    $0.replacing("tenant_acme.", with: "")
                }
            }
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let person = try await quoted(tenant, service)
            let path = "/api/v1/employees/\(person.id)"
            #expect(try await tables("XID-77") == ["archived_audit_logs", "archived_ids", "employees", "imports"])
            let done =
                isDeleted
                ? try await service.send(.delete, path, as: token)
                : try await service.send(.post, "\(path)/anonymise", as: token)

            #expect(done.status == (isDeleted ? 204 : 200))
            for text in ["Secretname", "secret@x.example", "XID-77", "Formername", "former@x.example"] {
                #expect(try await tables(text) == [], "\(text)")
            }
            // What names others stays, and each note has its line.
            #expect(try await tables("Othername") == ["archived_audit_logs"])
            #expect(try await tables("XID-8") == ["imports"])
            let notes = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.query("SELECT sum(jsonb_array_length(errors)) AS notes FROM imports")[0].decode(
                    "notes", as: Int.self)
            }
            #expect(notes == 8)
            // Nothing else changes an archived entry.
            await #expect(throws: PostgresError.self) {
                try await service.asSuperuser("acme", "UPDATE archived_audit_logs SET line = '{}'")
            }
        }
    }

    @Test(
        "others write audit entries while the notes of imports are searched for a person who is forgotten",
        .timeLimit(.minutes(2)), arguments: [false, true])
    func auditGoesOn(isDeleted: Bool) async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let path = "employees/\(try await plan.employee("E1"))"
            let forgotten = try await service.pool.withTransaction { holder in
                let home = try await TenantDatabase.active(plan.tenant.id, on: holder)
                try await TenantDatabase.enter(home.names, on: holder)
                // Whoever searches the notes waits here.
                try await holder.execute("LOCK TABLE imports IN ACCESS EXCLUSIVE MODE")
                let forgotten = Task {
                    isDeleted ? try await plan.send(.delete, path) : try await plan.send(.post, "\(path)/anonymise")
                }
                let waiting: SQL = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass"
                while try await holder.query(waiting).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) { other in
                    try await other.execute("SET LOCAL lock_timeout = '2s'")
                    try await other.execute(
                        "INSERT INTO audit_logs (actor, action, entity, details) VALUES ('a', 'login', 'session', '{}')"
                    )
                }
                return forgotten
            }
            #expect(try await forgotten.value.status == (isDeleted ? 204 : 200))
        }
    }

    @Test("a deleted person is forgotten elsewhere too, and is not made again by a repetition of the request")
    func deletedPerson() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let body = #"{"externalId":"XID-77","name":"Secretname Person","email":"secret@x.example"}"#
            func make() async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/employees", as: token, text: body, headers: ["Idempotency-Key": "once"])
            }
            let made = try await make().data(Employee.self)
            #expect(try await make().data(Employee.self) == made)
            #expect(try await service.send(.delete, "/api/v1/employees/\(made.id)", as: token).status == 204)
            // Each service confirms for itself, and by what it was told.
            let erasure = Erasure(tenantId: tenant.id, employeeId: made.id, isDeleted: true)
            for name in [ServiceName.mlPrediction, .mlTraining] {
                let token = try service.token(of: name)
                func due() async throws -> [Erasure] {
                    try await service.send(.get, "/internal/v1/erasures", as: token).data([Erasure].self)
                }
                #expect(try await due() == [erasure])
                let nameless = Erasure(tenantId: tenant.id, employeeId: made.id)
                for (confirmed, left) in [(nameless, [erasure]), (erasure, [])] {
                    _ = try await service.send(.post, "/internal/v1/erasures", as: token, json: confirmed)
                    #expect(try await due() == left)
                }
            }
            let repeated = try await make()
            #expect(repeated.status == 410)
            #expect(try repeated.problem.code == .answerErased)
            #expect(try await service.all("employees", of: tenant.id, as: Employee.self).isEmpty)
        }
    }

    @Test("people whom a node of the release before has deleted are erased elsewhere after the upgrade")
    func formerDeletions() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let people = try await service.all("employees", of: tenant.id, as: Employee.self)
            let gone = try #require(people.first { $0.externalId == "E1" })
            // As that node does: the person goes, and ml-prediction alone is to take away a name.
            try await service.asSuperuser(
                "acme",
                """
                DELETE FROM employees WHERE id = '\(gone.id)';
                INSERT INTO tenant_admin.erasures (tenant_id, employee_id) VALUES ('\(tenant.id)', '\(gone.id)')
                """)
            func due(_ name: ServiceName) async throws -> [Erasure] {
                try await service.send(.get, "/internal/v1/erasures", as: service.token(of: name)).data()
            }
            #expect(try await due(.mlTraining) == [])
            let retention = Retention(
                database: TenantDatabase(pool: service.pool), feedDays: 90, importDays: 365,
                logger: PostgresCluster.quietLogger)
            try await retention.sweep(tenant.id)

            let erasure = Erasure(tenantId: tenant.id, employeeId: gone.id, isDeleted: true)
            for name in [ServiceName.mlPrediction, .mlTraining] { #expect(try await due(name) == [erasure]) }

            // Later all nodes tell of the people whom they delete.
            try await service.asSuperuser(
                "acme",
                """
                DELETE FROM tenant_admin.service_erasures;
                UPDATE tenant_admin.schema_migrations SET applied_at = now() - interval '4 days'
                """)
            try await retention.sweep(tenant.id)
            #expect(try await due(.mlTraining) == [])
        }
    }

    @Test("a tenant with many people to erase does not keep other tenants' people waiting")
    func fairErasures() async throws {
        try await TestService.run { service in
            let (busy, other) = (try await service.createTenant("busy"), try await service.createTenant("other"))
            let person = EmployeeID()
            try await service.pool.withConnection { connection in
                _ = try await connection.execute(
                    """
                    INSERT INTO tenant_admin.service_erasures (service, tenant_id, employee_id, is_deleted, created_at)
                    SELECT 'ml-training', \(busy.id), gen_random_uuid(), true, now() - interval '1 day'
                    FROM generate_series(1, 2000)
                    """)
                _ = try await connection.execute(
                    """
                    INSERT INTO tenant_admin.service_erasures (service, tenant_id, employee_id, is_deleted)
                    VALUES ('ml-training', \(other.id), \(person), true)
                    """)
            }
            let due = try await service.send(
                .get, "/internal/v1/erasures", as: try service.token(of: .mlTraining)
            ).data([Erasure].self)

            #expect(due.contains(Erasure(tenantId: other.id, employeeId: person, isDeleted: true)))
            #expect(Set(due.map(\.tenantId)) == [busy.id, other.id])
        }
    }
}

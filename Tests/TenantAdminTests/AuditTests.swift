import Contracts
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Audit log")
struct AuditTests {
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
        }
    }

    @Test("the tenant's own role can neither change nor remove an entry")
    func appendOnly() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            for statement: SQL in [
                "update audit_logs set actor = 'x'", "delete from audit_logs", "truncate audit_logs",
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
            ("update audit_logs set actor = 'x' where seq = 1", 1), ("delete from audit_logs where seq = 1", 1),
            ("delete from audit_logs where seq = 2", 2),
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
                try await connection.executeScript("alter table audit_logs disable trigger all; " + statement)
            }
            await pool.close()

            let verified = try await service.send(
                .get, "/api/v1/audit-logs/verification", as: service.token(tenant.id))

            #expect(refused?.sqlState == "42501")
            #expect(try verified.data(AuditVerification.self).firstBrokenSeq == broken)
        }
    }

    @Test("what another service has changed is recorded once, for a suspended tenant as well")
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
            #expect(
                try await service.send(.post, path, as: try service.token(of: .mlPrediction), json: note).status == 401)
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

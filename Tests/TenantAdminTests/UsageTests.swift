import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Usage")
struct UsageTests {
    @Test("usage is counted from the tenant's own rows, the same for the operator and the tenant")
    func counted() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let other = try await service.createTenant("other")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let token = try service.token(tenant.id)
            _ = try await service.send(
                .post, "/api/v1/projects", as: token,
                json: CreateProject(externalId: "d", name: "d", status: "completed"))
            let own: TenantUsage = try await service.send(.get, "/api/v1/usage", as: token).data()
            let seen: TenantUsage = try await service.send(
                .get, "/api/v1/tenants/\(tenant.id)/usage", as: service.operatorToken
            ).data()
            let empty: TenantUsage = try await service.send(
                .get, "/api/v1/tenants/\(other.id)/usage", as: service.operatorToken
            ).data()

            #expect([Int]([own.users, own.activeUsers, own.employees]) == [1, 1, 2])
            #expect([Int]([own.projects, own.openProjects, own.allocations]) == [2, 1, 2])
            // Some dozens of tables and indexes of at least a page of 8 KiB each.
            #expect(own.storageMb > 0.2 && own.storageMb < 10)
            #expect(own.limits == tenant.limits)
            #expect(own.days.map(\.projects) == [2])
            #expect(own.days.map(\.date) == [CivilDate(own.countedAt)])
            #expect([Int]([seen.users, seen.projects, seen.allocations]) == [1, 2, 2])
            #expect([Int]([empty.employees, empty.projects, empty.allocations]) == [0, 0, 0])
        }
    }

    @Test("each day keeps its figures; a suspended tenant is seen by the operator alone")
    func days() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let usage = Usage(database: TenantDatabase(pool: service.pool))
            let today = CivilDate(Date())
            try await service.pool.withConnection { connection in
                _ = try await connection.execute(
                    """
                    INSERT INTO tenant_admin.tenant_usage (tenant_id, usage_date, users_count, projects_count)
                    VALUES (\(tenant.id.rawValue), \(today.adding(days: -1)), 7, 8),
                        (\(tenant.id.rawValue), \(today.adding(days: -90)), 5, 6)
                    """)
            }
            let due = try await usage.due(olderThan: .seconds(3600))
            let recorder = UsageRecorder(usage: usage, logger: service.schemas.logger)
            try await recorder.recordDue()
            let afterwards = try await usage.due(olderThan: .seconds(3600))
            _ = try await service.send(.post, "/api/v1/tenants/\(tenant.id)/suspend", as: service.operatorToken)
            let path = "/api/v1/tenants/\(tenant.id)/usage"
            let month: TenantUsage = try await service.send(.get, path, as: service.operatorToken).data()
            let long = try await service.send(
                .get, "\(path)?from=\(today.adding(days: -100))", as: service.operatorToken
            ).data(TenantUsage.self)
            let tooLong = try await service.send(.get, "\(path)?from=2000-01-01", as: service.operatorToken)

            #expect(due == [tenant.id])
            #expect(afterwards.isEmpty)
            #expect(month.days.map(\.users) == [7, 1])
            #expect(long.days.map(\.users) == [5, 7, 1])
            #expect(tooLong.status == 422)
            #expect(try await service.send(.get, "/api/v1/usage", as: service.token(tenant.id)).status == 403)
            #expect(
                try await service.send(.get, "/api/v1/tenants/\(TenantID())/usage", as: service.operatorToken).status
                    == 404)
        }
    }

    @Test(
        "figures that services report wait for no tenant that is being changed or purged", .timeLimit(.minutes(5)),
        arguments: [false, true])
    func reportedMeanwhile(isPurged: Bool) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let other = try await service.createTenant("other")
            let usage = Usage(database: TenantDatabase(pool: service.pool))
            if isPurged {
                _ = try await service.send(.delete, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken)
                try await service.purge.begin(tenant.id)
            }
            let report = UsageReport(
                counts: [tenant, other].map {
                    UsageCount(tenantId: $0.id, date: CivilDate(Date()), apiCalls: 1, predictions: 0)
                })
            try await service.pool.withTransaction { connection in
                if isPurged {
                    // As the removal of its row does in the end.
                    _ = try await connection.query(
                        "SELECT FROM tenant_admin.tenants WHERE id = \(tenant.id) FOR UPDATE")
                } else {
                    _ = try await Tenants.row(of: tenant.id, locked: true, on: connection)
                }
                try await usage.add(report)
            }
            let counted = try await service.pool.withConnection { connection in
                try await connection.query(
                    "SELECT tenant_id FROM tenant_admin.tenant_usage WHERE api_calls_count = 1"
                ).map { try $0.decode("tenant_id", as: TenantID.self) }
            }
            #expect(Set(counted) == Set(isPurged ? [other.id] : [tenant.id, other.id]))
        }
    }

    @Test(
        "a tenant whose tables are locked is counted later, and delays no other one's figures",
        .timeLimit(.minutes(5)))
    func lockedTenant() async throws {
        try await TestService.run { service in
            let tenants = [try await service.createTenant("acme").id, try await service.createTenant("beta").id]
                .sorted { $0.description < $1.description }
            let database = TenantDatabase(pool: service.pool)
            let usage = Usage(database: database)
            let recorder = UsageRecorder(usage: usage, logger: service.schemas.logger)
            // The one that comes first.
            try await database.withTenant(tenants[0]) { connection in
                try await connection.execute("LOCK TABLE projects IN ACCESS EXCLUSIVE MODE")
                try await recorder.recordDue()
            }
            #expect(try await usage.due(olderThan: .seconds(3600)) == [tenants[0]])
            try await recorder.recordDue()
            #expect(try await usage.due(olderThan: .seconds(3600)) == [])
        }
    }

    @Test("calls and predictions that services report are added up per day, each report once")
    func reported() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let other = try await service.createTenant("other")
            let usage = Usage(database: TenantDatabase(pool: service.pool))
            let today = CivilDate(Date())
            func report(_ tenant: TenantID, _ date: CivilDate, _ calls: Int, _ predictions: Int) -> UsageReport {
                UsageReport(counts: [
                    UsageCount(tenantId: tenant, date: date, apiCalls: calls, predictions: predictions),
                    UsageCount(tenantId: TenantID(), date: date, apiCalls: 1, predictions: 1),
                ])
            }
            func send(_ report: UsageReport, from issuer: ServiceName) async throws -> Int {
                try await service.send(
                    .post, "/internal/v1/usage-reports", as: try service.token(of: issuer), json: report
                ).status
            }
            let first = report(tenant.id, today, 5, 0)
            #expect(try await send(first, from: .gateway) == 200)
            #expect(try await send(first, from: .gateway) == 200)
            #expect(try await send(report(tenant.id, today, 7, 0), from: .gateway) == 200)
            #expect(try await send(report(tenant.id, today, 0, 3), from: .mlPrediction) == 200)
            #expect(try await send(report(tenant.id, today.adding(days: -1), 2, 1), from: .gateway) == 200)
            #expect(try await send(report(tenant.id, today, -1, 0), from: .gateway) == 422)
            #expect(try await send(first, from: .mlTraining) == 401)
            // A day that began with counts still gets its figures.
            #expect(try await usage.due(olderThan: .seconds(3600)).contains(tenant.id))

            let own: TenantUsage = try await service.send(
                .get, "/api/v1/usage", as: try service.token(tenant.id)
            ).data()
            let others: TenantUsage = try await service.send(
                .get, "/api/v1/usage", as: try service.token(other.id)
            ).data()

            #expect(own.days.map(\.date) == [today.adding(days: -1), today])
            #expect(own.days.map(\.apiCalls) == [2, 12])
            #expect(own.days.map(\.predictions) == [1, 3])
            #expect(own.days[1].users == 1)
            #expect(others.days.map(\.apiCalls) == [nil])
        }
    }
}

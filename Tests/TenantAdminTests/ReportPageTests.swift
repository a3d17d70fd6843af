import Contracts
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Pages of reports")
struct ReportPageTests {
    @Test(
        "pages of over-allocations skip people without any, and every row comes once", arguments: [1, 2, 50, 220, 500])
    func passing(limit: Int) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme").id
            try await TenantDatabase(pool: service.pool).withTenant(tenant) { connection in
                try await connection.execute(
                    """
                    insert into people (external_id, name)
                    select 'E' || lpad(n::text, 3, '0'), 'Person ' || n from generate_series(1, 450) n
                    """)
                try await connection.execute(
                    "insert into projects (external_id, name, status) values ('P1', 'Bridge', 'in_progress')")
                try await connection.execute(
                    """
                    insert into resource_allocations (external_id, employee_id, project_id, allocation_percentage,
                        start_date, end_date, created_at)
                    select e.external_id || '-' || n, e.id, p.id, 100, '2026-03-02', '2026-03-06', '2026-01-01'
                    from employees e, projects p, generate_series(1, 2) n
                    where e.external_id in ('E005', 'E006', 'E061', 'E231', 'E450') or n = 1
                    """)
            }
            let token = try service.token(tenant)
            var (found, cursor): ([String], String) = ([], "")
            repeat {
                let page = try await service.send(
                    .get, "/api/v1/reports/over-allocations?from=2026-03-01&to=2026-03-31&limit=\(limit)\(cursor)",
                    as: token
                ).list(OverAllocationRow.self)
                #expect(page.items.count <= limit && page.items.allSatisfy { $0.overHours == 40 })
                found += page.items.map(\.employee.externalId)
                cursor = page.next.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(found == ["E005", "E006", "E061", "E231", "E450"])
        }
    }
}

import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

/// What becomes of the rows of a tenant that was made before people had contracts (tenant migrations 0001 to 0010).
@Suite("Upgrade of people and bookings")
struct UpgradeTests {
    @Test("people keep their employment and hours, bookings their effort, and one name in two spellings becomes one")
    func carriedOver() async throws {
        try await TestService.run(tenantMigrations: try Self.migrations(upTo: 10)) { service in
            try await service.schemas.migrateAll()
            _ = try await Self.inTemplate(service) { try await $0.execute("\(sql: SQL(stringLiteral: Self.rows))") }

            let next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: ServiceDatabases.migrations("tenant"),
                logger: PostgresCluster.quietLogger)
            try await next.migrateAll()

            func texts(_ query: SQL) async throws -> [String] {
                try await Self.inTemplate(service) { try await $0.query(query).map { try $0.decode(at: 0) } }
            }
            let people = try await texts(
                """
                select concat_ws(' ', p.external_id, hired_on, left_on, held_from is not null, weekly_capacity_hours,
                    effective_from, d.name) from people p left join departments d on d.id = department_id order by 1
                """)
            let weeks = try await texts("select weekday_minutes::text from contracts order by 1")
            let skills = try await texts(
                """
                select concat_ws(' ', e.external_id, s.name, level, since) from employee_skills es
                join employees e on e.id = employee_id join skills s on s.id = skill_id order by 1
                """)
            let bookings = try await texts(
                """
                select concat_ws(' ', external_id, coalesce(allocated_hours::text, '-'), allocation_percentage,
                    planned_hours, commitment, array(select s.name from unnest(required_skill_ids) with ordinality r (id, n)
                        join skills s on s.id = r.id order by r.n)) from resource_allocations order by 1
                """)
            let levels = try await texts("select required_levels::text from projects order by external_id")
            let calendars = try await texts("select name from calendars where is_default")

            #expect(
                people == [
                    "E1 2025-01-01 f 20 2025-01-01 Café",
                    // Left: no hold is needed to say so.
                    "E2 2025-01-01 2026-01-31 f 37.5 2025-01-01 Data\u{A0}Science",
                    // Inactive without having left.
                    "E3 t 40",
                    "E4 2999-01-01 f 0",
                ])
            #expect(
                weeks == [
                    "{0,0,0,0,0,0,0}", "{240,240,240,240,240,0,0}", "{450,450,450,450,450,0,0}",
                    "{480,480,480,480,480,0,0}",
                ])
            #expect(skills == ["E1 JS 4 2025-01-01", "E1 SQL 4", "E2 JS 3"])
            #expect(
                bookings == [
                    "A1 40 100 40 hard {SQL}", "A2 - 50 0 hard {}", "A3 80 0 80 hard {Rust,SQL}",
                    "A4 0 0 0 hard {Go}",
                ])
            #expect(levels == ["{NULL,NULL}", "{}"])
            #expect(calendars == ["Default"])
        }
    }

    /// A folder with the first so many migrations of a tenant.
    static func migrations(upTo last: Int) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let all = ServiceDatabases.migrations("tenant")
        for file in try FileManager.default.contentsOfDirectory(atPath: all) where Int(file.prefix(4)) ?? 0 <= last {
            try FileManager.default.copyItem(atPath: "\(all)/\(file)", toPath: folder.appendingPathComponent(file).path)
        }
        return folder.path
    }

    static func inTemplate<R: Sendable>(
        _ service: TestService, _ body: @escaping @Sendable (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await service.pool.withTransaction { connection in
            try await connection.setLocal(searchPath: [TenantNames.template])
            return try await body(connection)
        }
    }

    private static let rows = """
        with d as (insert into departments (name, created_at) values
            ('Café', '2025-01-01'), (E'Cafe\\u0301 ', '2025-01-02'), (E'Data\\u00a0Science', '2025-01-01'), ('data science', '2025-01-03')
            returning id, name),
        s as (insert into skills (name, created_at) values ('JS', '2025-01-01'), (' js', '2025-01-02'), ('SQL', '2025-01-01')
            returning id, name),
        e as (insert into employees (external_id, name, department_id, weekly_capacity_hours, hired_on, left_on, is_active)
            select x, x, (select id from d where d.name = v.department), hours, hired, left_on, active from (values
                ('E1', E'Cafe\\u0301 ', 20, date '2025-01-01', null::date, true), ('E2', 'data science', 37.5, '2025-01-01', '2026-01-31', false),
                (' E3', null, 40, null, null, false), ('E4', null, 0, null, '2999-01-01', true)) v (x, department, hours, hired, left_on, active)
            returning id, external_id),
        es as (insert into employee_skills (employee_id, skill_id, level, since)
            select e.id, s.id, level, since from (values
                ('E1', 'JS', 2, date '2025-01-01'), ('E1', ' js', 4, null), ('E1', 'SQL', 4, null), ('E2', ' js', 3, null)) v (x, skill, level, since)
            join e on e.external_id = v.x join s on s.name = v.skill),
        p as (insert into projects (external_id, name, status, required_skills)
            values ('P1', 'P', 'planned', '{js,Rust,"JS "}'), ('P2', 'P', 'planned', '{}') returning id, external_id)
        insert into resource_allocations (external_id, employee_id, project_id, allocation_percentage, allocated_hours,
            required_skills, start_date, created_at)
        select v.x, e.id, p.id, percentage, hours, skills::text[], '2026-01-01', '2026-01-01' from (values
            ('A1', 100, 40, '{SQL}'), ('A2', 50, 0, '{}'), ('A3', 0, 80, '{Rust,sql}'), ('A4', 0, 0, '{Go}')) v (x, percentage, hours, skills)
        join e on e.external_id = 'E1' join p on p.external_id = 'P1'
        """
}

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
                SELECT concat_ws(' ', p.external_id, hired_on, left_on, held_from IS NOT NULL, weekly_capacity_hours,
                    effective_from, d.name) FROM people p LEFT JOIN departments d ON d.id = department_id ORDER BY 1
                """)
            let weeks = try await texts("SELECT weekday_minutes::text FROM contracts ORDER BY 1")
            let skills = try await texts(
                """
                SELECT concat_ws(' ', e.external_id, s.name, level, since) FROM employee_skills es
                JOIN employees e ON e.id = employee_id JOIN skills s ON s.id = skill_id ORDER BY 1
                """)
            let bookings = try await texts(
                """
                SELECT concat_ws(' ', external_id, coalesce(allocated_hours::text, '-'), allocation_percentage,
                    planned_hours, commitment, array(SELECT s.name FROM unnest(required_skill_ids) WITH ORDINALITY r (id, n)
                        JOIN skills s ON s.id = r.id ORDER BY r.n)) FROM resource_allocations ORDER BY 1
                """)
            let levels = try await texts("SELECT required_levels::text FROM projects ORDER BY external_id")
            let calendars = try await texts("SELECT name FROM calendars WHERE is_default")

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
        WITH d AS (INSERT INTO departments (name, created_at) VALUES
            ('Café', '2025-01-01'), (E'Cafe\\u0301 ', '2025-01-02'), (E'Data\\u00a0Science', '2025-01-01'), ('data science', '2025-01-03')
            RETURNING id, name),
        s AS (INSERT INTO skills (name, created_at) VALUES ('JS', '2025-01-01'), (' js', '2025-01-02'), ('SQL', '2025-01-01')
            RETURNING id, name),
        e AS (INSERT INTO employees (external_id, name, department_id, weekly_capacity_hours, hired_on, left_on, is_active)
            SELECT x, x, (SELECT id FROM d WHERE d.name = v.department), hours, hired, left_on, active FROM (VALUES
                ('E1', E'Cafe\\u0301 ', 20, date '2025-01-01', NULL::date, true), ('E2', 'data science', 37.5, '2025-01-01', '2026-01-31', false),
                (' E3', NULL, 40, NULL, NULL, false), ('E4', NULL, 0, NULL, '2999-01-01', true)) v (x, department, hours, hired, left_on, active)
            RETURNING id, external_id),
        es AS (INSERT INTO employee_skills (employee_id, skill_id, level, since)
            SELECT e.id, s.id, level, since FROM (VALUES
                ('E1', 'JS', 2, date '2025-01-01'), ('E1', ' js', 4, NULL), ('E1', 'SQL', 4, NULL), ('E2', ' js', 3, NULL)) v (x, skill, level, since)
            JOIN e ON e.external_id = v.x JOIN s ON s.name = v.skill),
        p AS (INSERT INTO projects (external_id, name, status, required_skills)
            VALUES ('P1', 'P', 'planned', '{js,Rust,"JS "}'), ('P2', 'P', 'planned', '{}') RETURNING id, external_id)
        INSERT INTO resource_allocations (external_id, employee_id, project_id, allocation_percentage, allocated_hours,
            required_skills, start_date, created_at)
        SELECT v.x, e.id, p.id, percentage, hours, skills::text[], '2026-01-01', '2026-01-01' FROM (VALUES
            ('A1', 100, 40, '{SQL}'), ('A2', 50, 0, '{}'), ('A3', 0, 80, '{Rust,sql}'), ('A4', 0, 0, '{Go}')) v (x, percentage, hours, skills)
        JOIN e ON e.external_id = 'E1' JOIN p ON p.external_id = 'P1'
        """
}

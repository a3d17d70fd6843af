import Contracts
import Foundation
import HTTPTypes
import Ledger
import Postgres
import Testing

@testable import MLPrediction
@testable import TenantAdmin

/// Reports read the tables, predictions the history feed: both must come to the same free time.
@Suite("Reports and predictions")
struct FreeTimeAgreementTests {
    private static let people = 40

    @Test("agree on capacity, load and free time of a generated company, to the minute")
    func agreement() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme").id
            try await Self.fill(tenant, service)
            let lines = try await service.history(tenant)
            let end = try #require(lines.last?.endLine)
            #expect(end.timeZone == "Pacific/Auckland")
            var knowledge = TenantKnowledge()
            knowledge.take(Array(lines.dropLast()), end: end)

            for (from, to) in [
                ("2026-01-01", "2026-03-31"), ("2026-02-10", "2026-02-12"), ("2026-06-01", "2026-06-07"),
            ] {
                let rows = try await service.all(
                    "reports/availability?from=\(from)&to=\(to)&limit=500", of: tenant, as: AvailabilityRow.self)
                #expect(!rows.isEmpty)
                var days = PersonDays(DayWindow(try #require(CivilDate(from)), try #require(CivilDate(to))))
                var unlisted = Set(knowledge.employees.keys)
                for row in rows {
                    unlisted.remove(row.employee.id)
                    knowledge.reckon(row.employee.id, at: Date(), into: &days)
                    let time = FreeTime(days)
                    #expect(reportedHours(time.capacity) == row.capacityHours, "\(row.employee.externalId)")
                    #expect(reportedHours(time.taken) == row.committedHours, "\(row.employee.externalId)")
                    #expect(reportedHours(time.free) == row.freeHours, "\(row.employee.externalId)")
                    #expect(reportedHours(days.soft.reduce(0, +)) == row.softHours, "\(row.employee.externalId)")
                }
                for person in unlisted {
                    knowledge.reckon(person, at: Date(), into: &days)
                    #expect(FreeTime(days).free == 0)
                }
            }
        }
    }

    @Test("a feed since a watermark brings what changed of people's time, with its calendars")
    func changes() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let watermark = try #require(try await service.history(company.tenant).last?.endLine).watermark
            let (anna, ben) = (company.employees["Anna"]!, company.employees["Ben"]!)
            try await TenantDatabase(pool: service.pool).withTenant(company.tenant) { connection in
                try await connection.execute("DELETE FROM leave WHERE employee_id = \(anna)")
                try await connection.execute(
                    "UPDATE employment_spells SET last_day = '2027-01-31' WHERE employee_id = \(ben)")
                try await connection.execute("UPDATE holidays SET minutes_off = 60 WHERE minutes_off = 240")
            }
            let changed = try await service.history(company.tenant, since: watermark)
            let people = changed.compactMap(\.employee)
            // Transactions of other databases of the test server may hold the watermark back: rows may come twice.
            #expect(Set(people.map(\.externalId)).isSuperset(of: ["Anna", "Ben"]))
            #expect(people.first { $0.externalId == "Anna" }?.time?.leave == [])
            let time = try #require(people.first { $0.externalId == "Ben" }?.time)
            #expect(time.spells.map(\.to) == [CivilDate("2027-01-31")])
            #expect(time.contracts.map(\.weekdayMinutes.count) == [7, 7])
            let calendars = changed.compactMap { if case .calendar(let calendar) = $0 { calendar } else { nil } }
            #expect(calendars.flatMap(\.holidays).contains { $0.minutesOff == 60 })
        }
    }

    /// People, bookings and leave of every kind, the same each time.
    private static func fill(_ tenant: TenantID, _ service: TestService) async throws {
        try await TenantDatabase(pool: service.pool).withTenant(tenant) { connection in
            try await connection.execute("SELECT setseed(0.42)")
            try await connection.execute(
                "INSERT INTO tenant_settings (key, value) VALUES ('timezone', '\"Pacific/Auckland\"') ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            )
            try await connection.execute("INSERT INTO calendars (name) VALUES ('North'), ('South')")
            try await connection.execute(
                """
                INSERT INTO holidays (calendar_id, date, name, minutes_off)
                SELECT DISTINCT ON (c.id, day) c.id, day, 'Holiday', nullif((random() * 3)::int * 100, 0)
                FROM calendars c, generate_series(1, 12) n,
                    LATERAL (SELECT date '2026-01-01' + (n * 17 + (random() * 9)::int) AS day) d
                """)
            try await connection.execute(
                """
                INSERT INTO employees (external_id, name, held_from)
                SELECT 'E' || n, 'Person ' || n, CASE WHEN n % 9 = 0 THEN date '2026-01-01' + (random() * 200)::int END
                FROM generate_series(1, \(people)) n
                """)
            try await connection.execute(
                """
                INSERT INTO employment_spells (employee_id, first_day, last_day)
                SELECT id, CASE WHEN random() < 0.7 THEN date '2025-10-01' + (random() * 200)::int END, NULL FROM employees
                """)
            try await connection.execute(
                """
                UPDATE employment_spells SET last_day = coalesce(first_day, '2025-12-01') + (random() * 150)::int
                WHERE random() < 0.4
                """)
            try await connection.execute(
                """
                INSERT INTO employment_spells (employee_id, first_day, last_day)
                SELECT employee_id, last_day + 20, NULL FROM employment_spells WHERE last_day IS NOT NULL AND random() < 0.5
                """)
            try await connection.execute(
                """
                INSERT INTO contracts (employee_id, effective_from, weekday_minutes, calendar_id)
                SELECT e.id, CASE WHEN k = 0 THEN NULL ELSE date '2026-01-01' + (k * 40 + (random() * 30)::int) END,
                    array(SELECT (random() * 540)::int * (d < 6)::int FROM generate_series(1, 7) d WHERE e.id IS NOT NULL),
                    (SELECT id FROM calendars WHERE NOT is_default OR e.id IS NULL ORDER BY random() LIMIT 1)
                FROM employees e, generate_series(0, 2) k WHERE k = 0 OR random() < 0.5
                """)
            try await connection.execute(
                """
                INSERT INTO leave (employee_id, first_day, last_day, minutes_per_day, status)
                SELECT e.id, d.day, d.day + (random() * 12)::int, nullif((random() * 3)::int * 90, 0),
                    CASE WHEN random() < 0.7 THEN 'approved' ELSE 'requested' END
                FROM employees e, generate_series(1, 3) n,
                    LATERAL (SELECT date '2026-01-01' + (random() * 160)::int + n * 0 AS day WHERE e.id IS NOT NULL) d
                """)
            try await connection.execute(
                """
                INSERT INTO projects (external_id, name, status)
                SELECT 'P' || n, 'Project ' || n, (array['planned', 'in_progress', 'on_hold', 'completed', 'cancelled'])[n]
                FROM generate_series(1, 5) n
                """)
            try await connection.execute(
                """
                INSERT INTO resource_allocations (external_id, employee_id, project_id, allocated_hours, hours_per_day,
                    allocation_percentage, commitment, cancelled_at, start_date, end_date, created_at, completed_at)
                SELECT 'A' || e.external_id || '-' || n, e.id, p.id,
                    CASE WHEN n IN (1, 2, 5) THEN random() * 200 END, CASE WHEN n IN (3, 5) THEN random() * 6 END,
                    CASE WHEN n IN (2, 4) THEN (random() * 100)::int END,
                    CASE WHEN random() < 0.2 THEN 'soft' ELSE 'hard' END, CASE WHEN random() < 0.1 THEN now() END,
                    d.day, CASE WHEN random() < 0.8 THEN d.day + (random() * 70)::int END, '2025-06-01',
                    CASE WHEN random() < 0.3 THEN d.day + (random() * 40) * interval '1 day' END
                FROM employees e, generate_series(1, 6) n,
                    LATERAL (SELECT date '2025-11-20' + (random() * 200)::int AS day WHERE e.id IS NOT NULL AND n > 0) d,
                    LATERAL (SELECT id FROM projects WHERE e.id IS NOT NULL AND n > 0 ORDER BY random() LIMIT 1) p
                """)
        }
    }
}

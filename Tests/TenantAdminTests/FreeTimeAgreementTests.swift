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
                try await connection.execute("delete from leave where employee_id = \(anna)")
                try await connection.execute(
                    "update employment_spells set last_day = '2027-01-31' where employee_id = \(ben)")
                try await connection.execute("update holidays set minutes_off = 60 where minutes_off = 240")
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
            try await connection.execute("select setseed(0.42)")
            try await connection.execute(
                "insert into tenant_settings (key, value) values ('timezone', '\"Pacific/Auckland\"') on conflict (key) do update set value = excluded.value"
            )
            try await connection.execute("insert into calendars (name) values ('North'), ('South')")
            try await connection.execute(
                """
                insert into holidays (calendar_id, date, name, minutes_off)
                select distinct on (c.id, day) c.id, day, 'Holiday', nullif((random() * 3)::int * 100, 0)
                from calendars c, generate_series(1, 12) n,
                    lateral (select date '2026-01-01' + (n * 17 + (random() * 9)::int) as day) d
                """)
            try await connection.execute(
                """
                insert into employees (external_id, name, held_from)
                select 'E' || n, 'Person ' || n, case when n % 9 = 0 then date '2026-01-01' + (random() * 200)::int end
                from generate_series(1, \(people)) n
                """)
            try await connection.execute(
                """
                insert into employment_spells (employee_id, first_day, last_day)
                select id, case when random() < 0.7 then date '2025-10-01' + (random() * 200)::int end, null from employees
                """)
            try await connection.execute(
                """
                update employment_spells set last_day = coalesce(first_day, '2025-12-01') + (random() * 150)::int
                where random() < 0.4
                """)
            try await connection.execute(
                """
                insert into employment_spells (employee_id, first_day, last_day)
                select employee_id, last_day + 20, null from employment_spells where last_day is not null and random() < 0.5
                """)
            try await connection.execute(
                """
                insert into contracts (employee_id, effective_from, weekday_minutes, calendar_id)
                select e.id, case when k = 0 then null else date '2026-01-01' + (k * 40 + (random() * 30)::int) end,
                    array(select (random() * 540)::int * (d < 6)::int from generate_series(1, 7) d where e.id is not null),
                    (select id from calendars where not is_default or e.id is null order by random() limit 1)
                from employees e, generate_series(0, 2) k where k = 0 or random() < 0.5
                """)
            try await connection.execute(
                """
                insert into leave (employee_id, first_day, last_day, minutes_per_day, status)
                select e.id, d.day, d.day + (random() * 12)::int, nullif((random() * 3)::int * 90, 0),
                    case when random() < 0.7 then 'approved' else 'requested' end
                from employees e, generate_series(1, 3) n,
                    lateral (select date '2026-01-01' + (random() * 160)::int + n * 0 as day where e.id is not null) d
                """)
            try await connection.execute(
                """
                insert into projects (external_id, name, status)
                select 'P' || n, 'Project ' || n, (array['planned', 'in_progress', 'on_hold', 'completed', 'cancelled'])[n]
                from generate_series(1, 5) n
                """)
            try await connection.execute(
                """
                insert into resource_allocations (external_id, employee_id, project_id, allocated_hours, hours_per_day,
                    allocation_percentage, commitment, cancelled_at, start_date, end_date, created_at, completed_at)
                select 'A' || e.external_id || '-' || n, e.id, p.id,
                    case when n in (1, 2, 5) then random() * 200 end, case when n in (3, 5) then random() * 6 end,
                    case when n in (2, 4) then (random() * 100)::int end,
                    case when random() < 0.2 then 'soft' else 'hard' end, case when random() < 0.1 then now() end,
                    d.day, case when random() < 0.8 then d.day + (random() * 70)::int end, '2025-06-01',
                    case when random() < 0.3 then d.day + (random() * 40) * interval '1 day' end
                from employees e, generate_series(1, 6) n,
                    lateral (select date '2025-11-20' + (random() * 200)::int as day where e.id is not null and n > 0) d,
                    lateral (select id from projects where e.id is not null and n > 0 order by random() limit 1) p
                """)
        }
    }
}

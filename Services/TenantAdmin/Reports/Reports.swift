import Contracts
import Postgres
import ServiceStorage

/// What a tenant's planners ask of all people at once, computed by the database (definitions: `Contracts.Reports`).
struct Reports: Sendable {
    let database: TenantDatabase

    /// Which days and whose.
    struct Question: Sendable {
        let from: CivilDate
        let to: CivilDate
        var department: String?
        var employee: EmployeeID?
        /// Rows at most, and after which external id.
        let limit: Int
        var last: String?
    }

    /// The longest window, in days: longer ones would say little of anybody.
    static let longestWindow = 366

    func utilization(_ question: Question, of tenant: TenantID) async throws -> [UtilizationRow] {
        let query: SQL = """
            with chosen as (\(sql: question.employees(limited: true))),
            planned as (
                select e.id, sum(a.allocated_hours * case
                    when working_days(a.start_date, w.last) > 0 then
                        working_days(greatest(a.start_date, \(question.from)), least(w.last, \(question.to)))::double precision
                            / working_days(a.start_date, w.last)
                    -- All of it on a week-end.
                    when a.start_date between \(question.from) and \(question.to) then 1 else 0 end) as hours
                from chosen e join resource_allocations a on a.employee_id = e.id
                cross join lateral (\(sql: Self.lastDay)) w
                where a.start_date <= \(question.to) and w.last >= \(question.from)
                group by e.id),
            recorded as (
                select e.id, count(*) as days, avg(c.utilization_rate) as percent,
                    sum(c.utilization_rate / 100 * e.weekly_capacity_hours / 5) as hours
                from chosen e join capacity_history c on c.employee_id = e.id
                where c.date between \(question.from) and \(question.to) group by e.id)
            select \(sql: Self.employeeColumns), \(sql: question.capacityHours) as capacity,
                coalesce(planned.hours, 0) as planned, coalesce(recorded.days, 0) as recorded_days,
                recorded.hours as recorded_hours, recorded.percent as recorded_percent
            from chosen e left join planned using (id) left join recorded using (id) order by e.external_id
            """
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(query).map { row in
                let capacity = try row.decode("capacity", as: Double.self)
                let planned = try row.decode("planned", as: Double.self)
                return UtilizationRow(
                    employee: try ReportedEmployee(row), capacityHours: capacity.tidy, plannedHours: planned.tidy,
                    plannedPercent: capacity > 0 ? (planned / capacity * 100).tidy : nil,
                    recordedDays: try row.decode("recorded_days"),
                    recordedHours: try row.decode("recorded_hours", as: Double?.self)?.tidy,
                    recordedPercent: try row.decode("recorded_percent", as: Double?.self)?.tidy)
            }
        }
    }

    func availability(_ question: Question, of tenant: TenantID) async throws -> [AvailabilityRow] {
        let query: SQL = """
            with chosen as (\(sql: question.employees(limited: true, activeOnly: true))), \(sql: Self.loads(question)),
            taken as (
                select e.id, sum(s.hours * s.percent / 100) as committed,
                    sum(s.hours * greatest(0, 1 - s.percent / 100)) as free
                from chosen e join stretches s on s.employee_id = e.id group by e.id)
            select \(sql: Self.employeeColumns), \(sql: question.capacityHours) as capacity,
                coalesce(taken.committed, 0) as committed, coalesce(taken.free, 0) as free
            from chosen e left join taken using (id) order by e.external_id
            """
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(query).map { row in
                let capacity = try row.decode("capacity", as: Double.self)
                let free = try row.decode("free", as: Double.self)
                return AvailabilityRow(
                    employee: try ReportedEmployee(row), capacityHours: capacity.tidy,
                    committedHours: try row.decode("committed", as: Double.self).tidy, freeHours: free.tidy,
                    freePercent: capacity > 0 ? (free / capacity * 100).tidy : nil)
            }
        }
    }

    func overAllocations(_ question: Question, of tenant: TenantID) async throws -> [OverAllocationRow] {
        let query: SQL = """
            with chosen as (\(sql: question.employees(limited: false))), \(sql: Self.loads(question)),
            over as materialized (select * from stretches where percent > 100 and working > 0),
            rows as materialized (
                select e.* from chosen e where e.id in (select employee_id from over)
                order by e.external_id limit \(question.limit)::bigint),
            periods as (
                select employee_id, max(percent) as peak, sum(over_hours) as hours,
                    jsonb_agg(jsonb_build_object('from', first, 'to', last, 'percent', percent, 'overHours', over_hours,
                        'allocations', allocations) order by first) as periods
                from (
                    select o.employee_id, o.first, o.last, o.percent, 
                        round((o.hours * (o.percent / 100 - 1))::numeric, 4)::double precision as over_hours,
                        array_agg(l.external_id order by l.external_id) as allocations
                    from rows r join over o on o.employee_id = r.id
                    join loads l on l.employee_id = r.id and l.first <= o.first and l.last >= o.first
                    group by o.employee_id, o.first, o.last, o.percent, o.hours) p
                group by employee_id)
            select \(sql: Self.employeeColumns), p.peak, p.hours as over_hours, p.periods
            from rows e join periods p on p.employee_id = e.id order by e.external_id
            """
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(query).map { row in
                OverAllocationRow(
                    employee: try ReportedEmployee(row), peakPercent: try row.decode("peak"),
                    overHours: try row.decode("over_hours", as: Double.self).tidy,
                    periods: try row.decode("periods", as: PostgresJSON<[OverAllocationPeriod]>.self).value)
            }
        }
    }

    private static let employeeColumns: SQL = "e.id, e.external_id, e.name, e.department"

    /// The last day of allocation `a` of employee `e`, as `last`. The offset keeps the planner from putting the expression
    /// wherever `last` stands, which would reckon it several times.
    static let lastDay: SQL = """
        select coalesce(a.end_date, planned_last_day(
            a.start_date, null, a.allocated_hours, a.allocation_percentage, e.weekly_capacity_hours)) as last offset 0
        """
}

extension Double {
    /// To four decimals, as a report shows it: 10.4 and not 10.399999999999999.
    fileprivate var tidy: Double { (self * 10_000).rounded() / 10_000 }
}

extension ReportedEmployee {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            department: try row.decode("department"))
    }
}

import Contracts
import Postgres
import ServiceStorage

extension Reports.Question {
    /// The employees of the report, who are employed at some time of the window.
    /// - Parameters:
    ///   - limited: whether these are the rows; otherwise the rows are chosen from among them.
    ///   - activeOnly: only those who are active today.
    func employees(limited: Bool, activeOnly: Bool = false) -> SQL {
        var conditions: [SQL] = [
            "(e.hired_on is null or e.hired_on <= \(to))", "(e.left_on is null or e.left_on > \(from))",
        ]
        if activeOnly { conditions.append("coalesce(e.held_from > (select tenant_today()), true)") }
        if let department { conditions.append("d.folded_name = folded(\(department))") }
        if let employee { conditions.append("e.id = \(employee.rawValue)") }
        if let last { conditions.append("e.external_id > \(last)") }
        let order: SQL = limited ? "order by e.external_id limit \(limit)::bigint" : ""
        return """
            select e.id, e.external_id, e.name, d.name as department, e.weekly_capacity_hours, e.hired_on, e.left_on
            from people e left join departments d on d.id = e.department_id
            where \(sql: conditions.joined(separator: " and ")) \(sql: order)
            """
    }

    /// Of `chosen e`.
    var capacityHours: SQL {
        """
        working_days(greatest(e.hired_on, \(from)), least(e.left_on - 1, \(to))) * e.weekly_capacity_hours / 5
        """
    }
}

extension Reports {
    /// `stretches`: the window of each of `chosen`, cut where what is allocated changes, with what is allocated there.
    ///
    /// `percent` is the sum over all allocations of the stretch, `working` its working days within the employment and
    /// `hours` their capacity. Cutting at changes instead of by day keeps a year of many people small. `loads` are the
    /// allocations themselves.
    static func loads(_ question: Question) -> SQL {
        """
        loads as materialized (
            select a.employee_id, a.external_id, a.start_date as first, least(w.last,
                    (a.completed_at at time zone 'UTC')::date) as last,
                case when a.allocation_percentage > 0 then a.allocation_percentage
                    else least(100, coalesce(a.allocated_hours / nullif(greatest(1, working_days(a.start_date, w.last))
                        * e.weekly_capacity_hours / 5, 0) * 100, 0)) end as percent
            from chosen e join resource_allocations a on a.employee_id = e.id
            join projects p on p.id = a.project_id
            cross join lateral (\(sql: lastDay)) w
            where a.start_date <= \(question.to) and w.last >= \(question.from)
                and (a.completed_at is null or a.completed_at >= \(question.from.startOfDay))
                and not (a.completed_at is null and p.status in ('completed', 'cancelled'))),
        -- What begins adds its percentage and what ends takes it away, so that one pass in order of time knows the sum.
        steps as (
            select employee_id, day, sum(change) as change from (
                select id as employee_id, \(question.from)::date as day, 0::double precision as change from chosen
                union all select employee_id, greatest(first, \(question.from)), percent from loads
                union all select employee_id, last + 1, -percent from loads where last < \(question.to)) s
            group by employee_id, day),
        stretches as (
            select s.employee_id, s.first, s.last, c.working, c.working * e.weekly_capacity_hours / 5 as hours, s.percent
            from (
                select employee_id, day as first,
                    coalesce(lead(day) over days - 1, \(question.to)::date) as last,
                    -- Sums of fractions are a hair off.
                    round((sum(change) over days)::numeric, 6)::double precision as percent
                from steps window days as (partition by employee_id order by day)) s
            join chosen e on e.id = s.employee_id
            cross join lateral (
                select working_days(greatest(s.first, e.hired_on), least(s.last, e.left_on - 1)) as working offset 0) c)
        """
    }
}

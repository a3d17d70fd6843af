import Contracts
import Postgres
import ServiceKit

/// What is kept of one person, to be handed out or made nameless (GDPR articles 15 and 17).
struct PersonData: Sendable {
    let database: TenantDatabase

    /// Everything about the person, as one JSON object; nil when there is none.
    func export(_ employee: EmployeeID, of tenant: TenantID, by author: Author) async throws -> JSONValue? {
        try await database.withTenant(tenant) { connection in
            let rows = try await connection.query(
                """
                select jsonb_build_object(
                    'employee', to_jsonb(e) - 'changed_in',
                    'department', (select d.name from departments d where d.id = e.department_id),
                    'skills', (select coalesce(jsonb_agg(jsonb_build_object('skill', s.name, 'level', es.level, 'since', es.since)
                        order by s.name), '[]') from employee_skills es join skills s on s.id = es.skill_id
                        where es.employee_id = e.id),
                    'allocations', (select coalesce(jsonb_agg(to_jsonb(a) - 'changed_in' order by a.start_date, a.id), '[]')
                        from resource_allocations a where a.employee_id = e.id),
                    'employment', (select coalesce(jsonb_agg(to_jsonb(x)), '[]') from employment_spells x
                        where x.employee_id = e.id),
                    'contracts', (select coalesce(jsonb_agg(to_jsonb(x)), '[]') from contracts x
                        where x.employee_id = e.id),
                    'leave', (select coalesce(jsonb_agg(to_jsonb(x) - 'changed_in'), '[]') from leave x
                        where x.employee_id = e.id),
                    'capacityHistory', (select coalesce(jsonb_agg(to_jsonb(c) - 'changed_in' order by c.date), '[]')
                        from capacity_history c where c.employee_id = e.id),
                    'audit', (select coalesce(jsonb_agg(to_jsonb(l) - 'hash' - 'previous_hash' order by l.seq), '[]')
                        from audit_logs l where l.entity_id = e.id::text)) as data
                from employees e where e.id = \(employee)
                """)
            guard let row = rows.first else { return nil }
            try await AuditLog.record(
                Change("export", "employee", employee.description), by: author, on: connection)
            return try row.decode("data", as: PostgresJSON<JSONValue>.self).value
        }
    }

    /// Whom services that have written names down elsewhere have not made nameless yet.
    func erasures() async throws -> [Erasure] {
        try await database.pool.withConnection { connection in
            try await connection.query(
                "select tenant_id, employee_id from tenant_admin.erasures order by created_at limit 100"
            ).map { Erasure(tenantId: try $0.decode("tenant_id"), employeeId: try $0.decode("employee_id")) }
        }
    }

    func erased(_ erasure: Erasure) async throws {
        _ = try await database.pool.withConnection { connection in
            try await connection.execute(
                """
                delete from tenant_admin.erasures
                where tenant_id = \(erasure.tenantId) and employee_id = \(erasure.employeeId)
                """)
        }
    }

    /// Takes name, e-mail and external id away; hours and history stay, for the figures. Doing it twice is harmless.
    /// - Returns: false when there is no such person.
    func anonymise(_ employee: EmployeeID, of tenant: TenantID, by author: Author) async throws -> Bool {
        try await database.withTenant(tenant) { connection in
            let found = try await connection.execute(
                """
                update employees set name = \(Erasure.name), email = null, external_id = 'anonymised-' || id
                where id = \(employee)
                """)
            guard found == 1 else { return false }
            try await AuditLog.record(
                Change("anonymise", "employee", employee.description), by: author, on: connection)
            try await TenantDatabase.leave(on: connection)
            try await connection.execute(
                """
                insert into erasures (tenant_id, employee_id) values (\(tenant), \(employee)) on conflict do nothing
                """)
            return true
        }
    }
}

import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// The stored data of one person, to be handed out or anonymised (GDPR articles 15 and 17).
struct PersonData: Sendable {
    let database: TenantDatabase

    /// Everything about the person, as one JSON object; nil when there is none.
    /// - Parameter withAudit: with the audit entries about the person, but not from where their actors acted.
    func export(
        _ employee: EmployeeID, of tenant: TenantID, by author: Author, withAudit: Bool
    ) async throws -> JSONValue? {
        try await database.withTenant(tenant) { connection in
            let rows = try await connection.query(
                """
                SELECT jsonb_build_object(
                    'employee', to_jsonb(e) - 'changed_in',
                    'department', (SELECT d.name FROM departments d WHERE d.id = e.department_id),
                    'skills', (SELECT coalesce(jsonb_agg(jsonb_build_object('skill', s.name, 'level', es.level, 'since', es.since)
                        ORDER BY s.name), '[]') FROM employee_skills es JOIN skills s ON s.id = es.skill_id
                        WHERE es.employee_id = e.id),
                    'allocations', (SELECT coalesce(jsonb_agg(to_jsonb(a) - 'changed_in' ORDER BY a.start_date, a.id), '[]')
                        FROM resource_allocations a WHERE a.employee_id = e.id),
                    'employment', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM employment_spells x
                        WHERE x.employee_id = e.id),
                    'contracts', (SELECT coalesce(jsonb_agg(to_jsonb(x)), '[]') FROM contracts x
                        WHERE x.employee_id = e.id),
                    'leave', (SELECT coalesce(jsonb_agg(to_jsonb(x) - 'changed_in'), '[]') FROM leave x
                        WHERE x.employee_id = e.id),
                    'capacityHistory', (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'changed_in' ORDER BY c.date), '[]')
                        FROM capacity_history c WHERE c.employee_id = e.id),
                    'audit', (SELECT coalesce(
                            jsonb_agg(to_jsonb(a) - ARRAY['hash', 'previous_hash', 'address', 'agent']
                                || jsonb_build_object('details', \(sql: PersonalValues.shown)) ORDER BY a.seq), '[]')
                        FROM audit_logs a WHERE \(withAudit) AND a.entity_id = e.id::text)) AS data
                FROM employees e WHERE e.id = \(employee)
                """)
            guard let row = rows.first else { return nil }
            try await AuditLog.record(
                Change("export", "employee", employee.description), by: author, on: connection)
            return try row.decode("data", as: PostgresJSON<JSONValue>.self).value.mapMembers { key, value in
                key == "audit" && !withAudit ? nil : value.renamingColumns
            }
        }
    }

    /// Some of the people of whom the service has something to remove: of each tenant those who have waited longest.
    func erasures(for service: ServiceName) async throws -> [Erasure] {
        try await database.pool.withConnection { connection in
            // Nobody waits for another tenant's people; those who cannot be erased now must not come first every time.
            try await connection.query(
                """
                SELECT tenant_id, employee_id, is_deleted FROM (
                    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY created_at, employee_id) AS place
                    FROM tenant_admin.service_erasures WHERE service = \(service)) due
                ORDER BY place, random() LIMIT 1000
                """
            ).map {
                Erasure(
                    tenantId: try $0.decode("tenant_id"), employeeId: try $0.decode("employee_id"),
                    isDeleted: try $0.decode("is_deleted"))
            }
        }
    }

    func erased(_ erasure: Erasure, by service: ServiceName) async throws {
        try await database.pool.withTransaction { connection in
            // Who was deleted after having been made nameless is to be removed still.
            try await connection.execute(
                """
                DELETE FROM tenant_admin.service_erasures WHERE service = \(service) AND tenant_id = \(erasure.tenantId)
                    AND employee_id = \(erasure.employeeId) AND is_deleted = \(erasure.isDeleted ?? false)
                """)
            guard service == .mlPrediction else { return }
            try await connection.execute(
                """
                DELETE FROM tenant_admin.erasures
                WHERE tenant_id = \(erasure.tenantId) AND employee_id = \(erasure.employeeId)
                """)
        }
    }

    /// Takes name, e-mail and external id away, also where the audit log has them; hours and history stay, for the figures. Doing it twice
    /// is harmless.
    /// - Throws: 404.
    func anonymise(_ employee: EmployeeID, of tenant: TenantID, by author: Author) async throws -> Anonymisation {
        try await database.withTenant(tenant) { connection in
            let person = try await Employees.row(of: employee, locking: Employees.locks, on: connection)
            try await connection.execute(
                """
                UPDATE employees SET name = \(Erasure.name), email = NULL, external_id = 'anonymised-' || id
                WHERE id = \(employee)
                """)
            let erased = try await Self.forget(person, on: connection)
            try await AuditLog.record(
                Change("anonymise", "employee", employee.description).erasing(erased), by: author, on: connection)
            try await Self.forgetElsewhere([employee], isDeleted: false, of: tenant, on: connection)
            return Anonymisation(erasedValues: erased.count, namingEntries: erased.namingEntries)
        }
    }

    /// Takes away what else is kept of the person in the tenant's schema. Before the change is recorded: all notes of imports are
    /// searched, and writers of audit entries would wait meanwhile.
    /// - Parameter person: as before the change.
    /// - Returns: what was erased of the audit log.
    static func forget(_ person: Employee, on connection: PostgresConnection) async throws -> ErasedValues {
        // Answers that are given again under an Idempotency-Key name the person.
        try await connection.execute(
            """
            UPDATE idempotency_keys SET \(sql: IdempotencyKey.erasure)
            WHERE position(\(person.id.description)::text IN answer::text) > 0
            """)
        try await ForgottenPerson(person).forget(on: connection)
        return try await .erase(about: person.id, on: connection)
    }

    /// Has the other services take away what they keep of people. The last thing in the transaction, which does not act as the tenant any more.
    static func forgetElsewhere(
        _ people: [EmployeeID], isDeleted: Bool, of tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        // Datasets hold no names: of a person who stays they hold what bookings and capacity do.
        let services: [ServiceName] = isDeleted ? [.mlPrediction, .mlTraining] : [.mlPrediction]
        try await TenantDatabase.leave(on: connection)
        try await connection.execute(
            """
            INSERT INTO service_erasures AS due (service, tenant_id, employee_id, is_deleted)
            SELECT service, \(tenant), person, \(isDeleted)
            FROM unnest(\(services)::text[]) service, unnest(\(people)::uuid[]) person
            ON CONFLICT (service, tenant_id, employee_id) DO UPDATE SET is_deleted = due.is_deleted OR excluded.is_deleted
            """)
    }
}

extension JSONValue {
    /// An object whose members are those that `transform` gives.
    fileprivate func mapMembers(_ transform: (String, JSONValue) -> JSONValue?) -> JSONValue {
        guard case .object(let members) = self else { return self }
        let changed = members.compactMap { key, value in transform(key, value).map { (key, $0) } }
        return .object(Dictionary(uniqueKeysWithValues: changed))
    }

    /// Rows with the names that the API has for their columns: `allocation_percentage` is `allocationPercentage`.
    fileprivate var renamingColumns: JSONValue {
        switch self {
        case .array(let rows): .array(rows.map(\.renamingColumns))
        case .object(let columns):
            .object(Dictionary(uniqueKeysWithValues: columns.map { (Self.name(ofColumn: $0.key), $0.value) }))
        default: self
        }
    }

    private static func name(ofColumn column: String) -> String {
        let words = column.split(separator: "_")
        return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}

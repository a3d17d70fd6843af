import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// The people whose work is planned.
struct Employees: ResourceStore {
    typealias Creation = CreateEmployeeRequest
    typealias Edit = UpdateEmployeeRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var ids: [EmployeeID]?
        var externalID: String?
        var isActive: Bool?
        var department: String?
        /// A word that finds a skill the person has, at `level` at least.
        var skill: String?
        var level: Int?
        /// A part of the name, however it is written.
        var name: String?
        var email: String?
        /// Employed then and not on hold.
        var activeOn: CivilDate?
        var updatedSince: Date?
    }

    static let noun = "employee"
    static let table = "employees"
    static let locks = TableLocks([.departments, .employees, .employmentSpells, .contracts])
    /// Who edits leave locks the leave first and then its person.
    static let locksOfDeletion = TableLocks(
        alone: [.leave], [.employees, .employmentSpells, .contracts, .employeeSkills, .capacityHistory])
    static let alias = "e"
    static let columns = Employee.columns
    static let source = Employee.source
    static func item(_ row: PostgresRow) throws -> Employee { try Employee(row) }
    static let position: SQL = "e.external_id"
    static func position(of item: Employee) -> String { item.externalId }
    static func id(of item: Employee) -> EmployeeID { item.id }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let ids = filter.ids { conditions.append("e.id = ANY(\(ids)::uuid[])") }
        if let externalID = filter.externalID { conditions.append("e.external_id = \(externalID.tidied)") }
        if let isActive = filter.isActive { conditions.append("\(sql: Employee.isActive) = \(isActive)") }
        if let department = filter.department { conditions.append("d.folded_name = folded(\(department))") }
        if let skill = filter.skill {
            conditions.append(
                """
                EXISTS (SELECT FROM employee_skills es
                    WHERE es.employee_id = e.id AND es.skill_id = \(sql: Skills.found(by: skill))
                        AND coalesce(es.level >= \(optional: filter.level), \(filter.level == nil)))
                """)
        }
        if let name = filter.name { conditions.append("position(folded(\(name)) IN folded(e.name)) > 0") }
        if let email = filter.email { conditions.append("lower(e.email) = lower(\(email.tidied))") }
        if let day = filter.activeOn { conditions.append(Employee.active(on: "\(day)::date")) }
        if let moment = filter.updatedSince {
            conditions.append(
                """
                (\(sql: .changed(since: moment, in: "e.")) OR e.department_id IN (
                    SELECT id FROM departments WHERE updated_at >= \(moment)))
                """)
        }
        return conditions
    }

    /// Only what changes the person's time concerns bookings.
    static func watch(_ write: ResourceWrite<Employees>) -> PlanningWatch? {
        guard case .update(let item, let edit) = write else { return nil }
        let changesTime =
            edit.weeklyCapacityHours != nil || edit.isActive == false || edit.inactiveFrom.newValue != nil
            || !edit.hiredOn.isUnchanged || !edit.leftOn.isUnchanged
        return changesTime ? .time(of: item.id, from: nil) : nil
    }

    static func insert(
        _ request: CreateEmployeeRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> EmployeeID {
        let department = try await Departments.id(named: request.department, on: connection)
        let rows = try await named {
            try await connection.query(
                """
                INSERT INTO people (external_id, name, email, department_id, weekly_capacity_hours, hours_from, hired_on, left_on)
                VALUES (\(request.externalId.tidied), \(request.name.tidied), \(optional: request.email?.tidied),
                    \(optional: department),
                    \(optional: request.weeklyCapacityHours)::double precision, \(optional: request.effectiveFrom),
                    \(optional: request.hiredOn), \(optional: request.leftOn))
                RETURNING id
                """)
        }
        return try rows[0].decode("id")
    }

    /// Errors of an employment under the names that an employee's request has for the fields.
    private static func named<R>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> R
    ) async throws -> R {
        do {
            return try await work()
        } catch let error as PostgresError where error.constraintName == "employment_spells_in_order" {
            throw ProblemError.validation("leftOn", "must not be before hiredOn")
        } catch let error as PostgresError where error.constraintName == "employment_spells_overlap" {
            throw ProblemError.validation("hiredOn", "overlaps another employment of this person")
        }
    }

    static func edit(
        _ item: Employee, with request: UpdateEmployeeRequest, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> [String] {
        var changes = ColumnChanges()
        changes.set("external_id", request.externalId?.tidied)
        changes.set("name", request.name?.tidied)
        changes.set("email", request.email.map(\.tidied))
        if !request.department.isUnchanged {
            let department = try await Departments.id(named: request.department.newValue, on: connection)
            changes.set("department_id", to: "\(optional: department)")
        }
        changes.set("weekly_capacity_hours", request.weeklyCapacityHours)
        changes.set("hours_from", request.effectiveFrom)
        changes.set("hired_on", request.hiredOn)
        changes.set("left_on", request.leftOn)
        if !request.inactiveFrom.isUnchanged {
            changes.set("held_from", request.inactiveFrom)
        } else if request.isActive == true {
            changes.set("held_from", to: "NULL")
        } else if request.isActive == false {
            changes.set("held_from", to: "least(held_from, (SELECT tenant_today()))")
        }
        return try await named { try await changes.apply(to: "people", id: item.id, on: connection) }
    }

    static func deleted(_ item: Employee, on connection: PostgresConnection) async throws -> ErasedValues? {
        try await PersonData.forget(item, on: connection)
    }

    static func deletedElsewhere(
        _ item: Employee, of tenant: TenantID, on connection: PostgresConnection
    ) async throws {
        try await PersonData.forgetElsewhere([item.id], isDeleted: true, of: tenant, on: connection)
    }

    static func uses(
        of item: Employee, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] {
        let allocations: SQL =
            "SELECT external_id AS name FROM resource_allocations WHERE employee_id = \(item.id)"
        return [try await .find(.allocations, allocations, for: caller, on: connection)].compactMap { $0 }
    }
}

extension Employee {
    static let source: SQL = "people e LEFT JOIN departments d ON d.id = e.department_id"

    static let columns: SQL = """
        e.id, e.external_id, e.name, e.email, e.department_id, d.name AS department, e.weekly_capacity_hours,
        \(sql: isActive) AS is_active, e.held_from, e.hired_on, e.left_on, \(sql: EmployeeSkill.list)
        """

    /// Whether the person `e` of `people` is employed today and not on hold.
    static let isActive: SQL = active(on: "(SELECT tenant_today())")

    static func active(on day: SQL) -> SQL {
        """
        (coalesce(e.held_from > \(sql: day), true) AND EXISTS (SELECT FROM employment_spells s WHERE s.employee_id = e.id
            AND coalesce(s.first_day <= \(sql: day), true) AND coalesce(s.last_day >= \(sql: day), true)))
        """
    }

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            email: try row.decode("email"), departmentId: try row.decode("department_id"),
            department: try row.decode("department"), weeklyCapacityHours: try row.decode("weekly_capacity_hours"),
            isActive: try row.decode("is_active"), inactiveFrom: try row.decode("held_from"),
            hiredOn: try row.decode("hired_on"),
            leftOn: try row.decode("left_on"),
            skills: try row.decode("skills", as: PostgresJSON<[EmployeeSkill]>.self).value)
    }
}

extension EmployeeSkill {
    /// The skills of `employees e`, by name, as one jsonb column `skills`.
    static let list: SQL = """
        coalesce((SELECT jsonb_agg(jsonb_build_object('skill', s.name, 'level', es.level, 'since', es.since) ORDER BY s.name)
            FROM employee_skills es JOIN skills s ON s.id = es.skill_id WHERE es.employee_id = e.id), '[]') AS skills
        """
}

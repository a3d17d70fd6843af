import Contracts
import Postgres
import ServiceKit

/// The client's problem for a change that a constraint of the tenant's tables refused.
enum ConstraintProblem {
    static let nameInUse = ProblemError.conflict(
        "The name is in use.", errors: [FieldError(field: "name", message: "is in use")])

    static let knownImport = ProblemError.conflict("There is an import with this id already.")

    /// nil for an error that is no answer to what the client sent.
    static func problem(_ error: PostgresError) -> ProblemError? {
        guard let constraint = error.constraintName else { return nil }
        switch constraint {
        case "employees_external_id_key", "projects_external_id_key", "resource_allocations_external_id_key",
            "leave_external_id_key":
            return .conflict(
                "The external id is in use.", errors: [FieldError(field: "externalId", message: "is in use")])
        case "users_email_key":
            return .conflict(
                "A user with this e-mail address exists already.",
                errors: [FieldError(field: "email", message: "is in use")])
        case "invitations_open_key":
            return .conflict(
                "There is an open invitation for this e-mail address; revoke it first.",
                errors: [FieldError(field: "email", message: "is invited already")])
        case "departments_name_key", "calendars_name_key", "roles_name_key":
            return nameInUse
        case "imports_pkey": return knownImport
        case "capacity_history_pkey":
            return .conflict(
                "There is a record of this employee's day already; use PUT to replace it.",
                errors: [FieldError(field: "date", message: "is recorded already")])
        case "employee_skills_pkey":
            return .conflict(
                "The employee has this skill already; use PUT to replace it.",
                errors: [FieldError(field: "skill", message: "is given already")])
        case "capacity_history_employee_id_fkey", "resource_allocations_employee_id_fkey", "leave_employee_id_fkey":
            return .validation("employeeId", "names no employee")
        case "resource_allocations_project_id_fkey": return .validation("projectId", "names no project")
        case "skill_names_pkey":
            return .conflict(
                "The name is in use: it is a skill's name or one of its aliases.",
                errors: [FieldError(field: "name", message: "is in use")])
        case "skills_required":
            return .conflict("The skill is required by a project or a booking and cannot be deleted.")
        case "employment_spells_in_order": return .validation("lastDay", "must not be before the first day")
        case "employment_spells_overlap": return .validation("firstDay", "overlaps another employment of this person")
        case "leave_in_order": return .validation("lastDay", "must not be before firstDay")
        case "contracts_effective_from_key":
            return .conflict(
                "There is a contract from that day on already; change it instead.",
                errors: [FieldError(field: "effectiveFrom", message: "has a contract already")])
        case "contracts_calendar_id_fkey": return .validation("calendarId", "names no calendar")
        case "holidays_pkey":
            return .conflict(
                "The day has a holiday already; use PUT to replace it.",
                errors: [FieldError(field: "date", message: "has a holiday already")])
        case "projects_estimated_end_after_start":
            return .validation("estimatedEndDate", "must not be before startDate")
        case "projects_end_after_start", "resource_allocations_end_after_start":
            return .validation("endDate", "must not be before startDate")
        case "resource_allocations_completed_after_created":
            return .validation("completedAt", "must not be before createdAt")
        default: return nil
        }
    }
}

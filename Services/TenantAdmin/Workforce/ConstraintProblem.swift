import Contracts
import Postgres
import ServiceKit

/// What it means to a client that a constraint of the tenant's tables refused his change.
enum ConstraintProblem {
    /// nil for an error that is no answer to what the client sent.
    static func problem(_ error: PostgresError) -> ProblemError? {
        guard let constraint = error.constraintName else { return nil }
        switch constraint {
        case "employees_external_id_key", "projects_external_id_key", "resource_allocations_external_id_key":
            return .conflict(
                "The external id is in use.", errors: [FieldError(field: "externalId", message: "is in use")])
        case "resource_allocations_employee_id_fkey": return .validation("employeeId", "names no employee")
        case "resource_allocations_project_id_fkey": return .validation("projectId", "names no project")
        case "employees_left_after_hired": return .validation("leftOn", "must not be before hiredOn")
        case "projects_estimated_end_after_start":
            return .validation("estimatedEndDate", "must not be before startDate")
        case "projects_end_after_start", "resource_allocations_end_after_start":
            return .validation("endDate", "must not be before startDate")
        case "resource_allocations_completed_after_created":
            return .validation("completedAt", "must not be before createdAt")
        default: return nil
        }
    }

    /// Turns a refusal because other rows refer to the one being deleted into a 409.
    static func refusing(_ sentence: String, _ body: () async throws -> Int) async throws {
        do {
            _ = try await body()
        } catch let error as PostgresError where error.sqlState == "23503" || error.sqlState == "23001" {
            throw ProblemError.conflict(sentence)
        }
    }
}

import Contracts
import Forecasting
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// What a model said in its shadow beside what the deployed one said, on tasks whose outcome is known. To compare them takes as long as
/// many answers: it is done on a thread that stands back for all else.
///
/// Short work ends first: finished tasks count for those asked about beside them that are not finished, or the model that is better on short
/// work alone would win.
struct PostgresShadowFigures: Sendable {
    let database: ServiceDatabase
    var now: @Sendable () -> Date = { Date() }

    /// The most answers that are compared, oldest first: the decision needs far fewer.
    private static let most = 20_000

    func figures(of model: ModelID, beside incumbent: ModelID, tenant: TenantID) async throws -> ShadowFigures {
        let rows = try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT p.employee_id, p.project_id, p.planned_hours, p.actual_hours, p.estimated_hours,
                    p.success_probability, p.created_at, (p.actual_result ->> 'completedAt')::timestamptz AS completed_at,
                    (s.answer ->> 'estimatedHours')::double precision AS new_hours,
                    (s.answer ->> 'successProbability')::double precision AS new_success
                FROM shadow_answers s JOIN predictions p ON p.tenant_id = s.tenant_id AND p.id = s.prediction_id
                -- Work that was finished when it was asked about would count as the shortest.
                WHERE s.model_id = \(model) AND p.model_id = \(incumbent) AND \(sql: Prediction.isAboutThePresent)
                ORDER BY p.created_at, p.id LIMIT \(Self.most)
                """)
        }
        let now = now()
        return try await ComputeThread.run(named: "shadow", isBackground: true) {
            Self.figures(of: try rows.map(Answer.init), knownAt: now)
        }
    }

    private static func figures(of answers: [Answer], knownAt now: Date) -> ShadowFigures {
        var seen: Set<Work> = []
        let finished = answers.compactMap { answer -> (answer: Answer, actual: Double)? in
            answer.actual.flatMap { seen.insert(Work(answer, $0)).inserted ? (answer, $0) : nil }
        }
        let weights = FinishedWork.weights(
            durations: finished.map { $0.answer.duration }, asked: answers.map(\.askedAt.timeIntervalSince1970),
            knownAt: now.timeIntervalSince1970)
        let tasks = zip(finished, weights).map { task, weight in
            let (answer, actual) = task
            return PairedTask(
                actualHours: actual, newHours: answer.newHours, incumbentHours: answer.incumbentHours,
                isSuccess: answer.planned.map { actual <= $0 }, newSuccess: answer.newSuccess,
                incumbentSuccess: answer.incumbentSuccess, weight: weight)
        }
        return ShadowFigures(
            answers: answers.count, outcomes: tasks.count,
            // A fixed seed: the same tasks give the same interval on every node.
            comparison: IncumbentComparison(tasks, seed: 1).map(ShadowComparison.init))
    }

    private struct Answer {
        let employee: EmployeeID
        let project: ProjectID
        let planned: Double?
        let actual: Double?
        let askedAt: Date
        let completedAt: Date?
        let incumbentHours: Double
        let incumbentSuccess: Double?
        let newHours: Double
        let newSuccess: Double?

        /// From the question to the end of the work, in seconds.
        var duration: Double { (completedAt ?? askedAt).timeIntervalSince(askedAt) }

        init(_ row: PostgresRow) throws {
            employee = try row.decode("employee_id")
            project = try row.decode("project_id")
            planned = try row.decode("planned_hours")
            actual = try row.decode("actual_hours")
            askedAt = try row.decode("created_at")
            completedAt = try row.decode("completed_at")
            incumbentHours = try row.decode("estimated_hours")
            incumbentSuccess = try row.decode("success_probability")
            newHours = try row.decode("new_hours")
            newSuccess = try row.decode("new_success")
        }
    }

    /// Work that was asked about several times came out once.
    private struct Work: Hashable {
        let employee: EmployeeID
        let project: ProjectID
        let completedAt: Date?
        let hours: Double

        init(_ answer: Answer, _ hours: Double) {
            (employee, project, completedAt) = (answer.employee, answer.project, answer.completedAt)
            self.hours = hours
        }
    }
}

extension ShadowComparison {
    fileprivate init(_ comparison: IncumbentComparison) {
        self.init(
            meanAbsoluteError: comparison.meanAbsoluteError,
            incumbentMeanAbsoluteError: comparison.incumbentMeanAbsoluteError,
            meanDifference: comparison.difference.meanDifference, low: comparison.difference.low,
            high: comparison.difference.high, isWorse: comparison.isWorse)
    }
}

import Basics
import Contracts
import Foundation

/// A made-up company for predictions: everybody has the same skills, so that everybody is compared, habits of their own and
/// work of the next weeks.
struct PredictionCompany {
    let people: Int
    let allocations: Int

    /// What is asked again and again.
    struct Question: Sendable {
        let employee: EmployeeID
        let project: ProjectID

        func with(_ alternatives: Int) -> PredictionRequest {
            PredictionRequest(
                employeeId: employee, projectId: project, requiredSkills: ["Swift"], plannedHours: 16,
                startDate: CivilDate(Date()).adding(days: 3), endDate: CivilDate(Date()).adding(days: 16),
                alternatives: alternatives)
        }
    }

    /// Loads the company, trains a model and deploys it.
    func fill(_ client: PlatformClient) async throws -> Question {
        try await load(client)
        let started: TrainingJobStarted = try await client.post(
            "/api/v1/training/jobs",
            CreateTrainingJobRequest(
                months: 240, epochs: 20, seed: 1, asOf: nil,
                hyperparameters: TrainingHyperparameters(searchSeconds: 2)))
        let job = try await TrainingWatch(client: client).untilEnd(of: started.jobId)
        guard let model = job.modelId else { throw CommandFailure("The training job made no model.") }
        let _: Model = try await client.post("/api/v1/models/\(model)/deploy", DeployModelRequest(force: true))
        return try await question(client)
    }

    /// Of a company that is loaded.
    func question(_ client: PlatformClient) async throws -> Question {
        Question(employee: try await Lookup.employee("E0", client), project: try await Lookup.project("J0", client))
    }

    /// Imports the company.
    func load(_ client: PlatformClient) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("predict-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let today = CivilDate(Date())
        try await client.importRows(.skills, ["name", "category"], [["Swift", ""], ["SQL", ""]], by: folder)
        try await client.importRows(
            .employees, ["external_id", "name", "weekly_capacity_hours"],
            (0..<people).map { ["E\($0)", "Person \($0)", $0 % 5 == 0 ? "20" : "40"] }, by: folder)
        try await client.importRows(
            .employeeSkills, ["employee_external_id", "skill", "level", "since"],
            (0..<people).map { ["E\($0)", "Swift", "\(1 + $0 % 5)", "2020-01-01"] }, by: folder)
        try await client.importRows(
            .projects, ["external_id", "name", "status", "start_date", "required_skills"],
            (0..<20).map {
                ["J\($0)", "Project \($0)", "in_progress", today.adding(days: -700).description, "Swift"]
            }, by: folder)
        try await client.importRows(
            .allocations,
            [
                "external_id", "employee_external_id", "project_external_id", "allocation_percentage",
                "allocated_hours", "actual_hours", "required_skills", "start_date", "end_date", "completed_at",
                "created_at",
            ], rows(today), by: folder)
    }

    private func rows(_ today: CivilDate) -> [[String]] {
        var random = SeededGenerator(seed: 1)
        func pick(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        let count = people * allocations
        let done = (0..<count).map { index -> [String] in
            let decided = today.adding(days: -690 + index * 660 / count)
            let planned = Double(2 + pick(60)) / 2
            let actual = planned * (0.7 + Double(index % people % 9) / 10) * Double(70 + pick(60)) / 100
            return [
                "A\(index)", "E\(index % people)", "J\(pick(20))", "50", "\(planned)", actual.fixed(2), "Swift",
                decided.description, decided.adding(days: 8).description,
                "\(decided.adding(days: 1 + pick(10)))T00:00:00.000Z", "\(decided)T00:00:00.000Z",
            ]
        }
        let open = (0..<people).map { person -> [String] in
            let first = today.adding(days: pick(20) - 5)
            return [
                "B\(person)", "E\(person)", "J\(pick(20))", "\(10 + pick(70))", "", "", "Swift", first.description,
                first.adding(days: 5 + pick(40)).description, "", "\(today.adding(days: -9))T00:00:00.000Z",
            ]
        }
        return done + open
    }
}

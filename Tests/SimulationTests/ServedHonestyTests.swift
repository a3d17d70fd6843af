import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Testing

@testable import Ermctl
@testable import MLPrediction

/// A made-up company of `ermctl bench honesty`, whose truth is known, through the code that serves: a request as clients
/// make it, the question that ml-prediction makes of it, and the answer from the tenant's history. What a request cannot
/// say, or the service does not pass on to the model, shows as answers worse than the model's card says.
@Suite struct ServedHonestyTests {
    @Test("hours that depend on the percentage are answered as well as the card says, which without it they are not")
    func percentage() throws {
        let company = ServedCompany(.percentage(seed: 1))
        let outcome = try TrainingRun(
            history: company.known,
            configuration: TrainingConfiguration(
                months: 240, epochs: 3, seed: 1, asOf: company.world.asOf, searchSeconds: 0)
        ).run()
        let card = outcome.report.overall
        let said = try #require(card.hours).mae
        let served = try company.served(outcome.model) { $0.allocationPercent }
        #expect(served.mae < 1.4 * said, "\(said) said, \(served.mae) true")
        #expect(served.coverage80 > 0.68, "\(served.coverage80)")
        // Could a request not name the percentage, or were it not passed on, this would be all.
        let without = try company.served(outcome.model) { _ in nil }
        #expect(without.mae > 1.6 * served.mae, "\(without.mae) without, \(served.mae) with the percentage")
    }
}

/// A made-up world as tenant-admin tells of it.
private struct ServedCompany {
    let world: HonestyWorld
    private let people: [String: EmployeeID]
    private let projects: [String: ProjectID]

    init(_ world: HonestyWorld) {
        self.world = world
        people = Dictionary(uniqueKeysWithValues: Set(world.allocations.map(\.employee)).map { ($0, EmployeeID()) })
        projects = Dictionary(uniqueKeysWithValues: Set(world.allocations.map(\.project)).map { ($0, ProjectID()) })
    }

    private func person(_ task: Forecasting.Allocation) throws -> EmployeeID { try #require(people[task.employee]) }
    private func project(_ task: Forecasting.Allocation) throws -> ProjectID { try #require(projects[task.project]) }

    /// - Parameter moment: when the feed is read: outcomes that came later are not in it.
    private func line(_ task: Forecasting.Allocation, asOf moment: Double) throws -> HistoryLine {
        let completed = task.completedAt.flatMap { $0 < moment ? Date(timeIntervalSince1970: $0) : nil }
        let decided = Date(timeIntervalSince1970: task.decidedAt)
        return .allocation(
            Contracts.Allocation(
                id: AllocationID(), externalId: task.id, employeeId: try person(task), projectId: try project(task),
                allocationPercentage: task.allocationPercent, allocatedHours: nil, plannedHours: task.plannedHours,
                actualHours: completed == nil ? nil : task.actualHours, requiredSkills: task.skills,
                labels: task.labels, startDate: CivilDate(decided), endDate: nil, completedAt: completed,
                createdAt: decided))
    }

    /// What a training job knows.
    var known: History {
        get throws {
            var history = History()
            let decided = world.allocations.filter { $0.decidedAt < world.asOf }
            history.apply(try decided.map { try line($0, asOf: world.asOf) }.compactMap(\.change))
            return history
        }
    }

    /// Everything, as of after it: a question sees of it what was known before its moment.
    private func knowledge() throws -> TenantKnowledge {
        var lines = people.map { name, id in
            HistoryLine.employee(
                HistoryEmployee(
                    id: id, externalId: name, name: name, weeklyCapacityHours: 40, isActive: true, hiredOn: nil,
                    leftOn: nil, skills: []))
        }
        lines += projects.map { name, id in
            HistoryLine.project(
                HistoryProject(
                    id: id, externalId: name, name: name, status: .inProgress, completionPercentage: nil,
                    startDate: nil, estimatedEndDate: nil, endDate: nil, requiredSkills: []))
        }
        lines += try world.allocations.map { try line($0, asOf: .infinity) }
        var knowledge = TenantKnowledge()
        knowledge.take(lines, end: HistoryEnd(watermark: "1", lines: lines.count))
        return knowledge
    }

    /// What comes true of the service's answers to all that is asked after the model was made.
    /// - Parameter percentage: what the request says of it.
    func served(
        _ model: ForecastModel, percentage: (Forecasting.Allocation) -> Double?
    ) throws -> (mae: Double, coverage80: Double) {
        let knowledge = try knowledge()
        let tenant = TenantID()
        let deployed = LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: model)
        var (error, held) = (0.0, 0)
        for task in world.asked {
            let decided = Date(timeIntervalSince1970: task.decidedAt)
            let request = PredictionRequest(
                employeeId: try person(task), projectId: try project(task), requiredSkills: task.skills,
                plannedHours: task.plannedHours, allocationPercentage: percentage(task),
                startDate: CivilDate(decided), asOf: decided, alternatives: 0)
            var errors: [FieldError] = []
            let question = try #require(
                Question(request, knowledge: knowledge, now: Date(), errors: &errors), "\(errors)")
            let moved = deployed.recalibrated(
                for: tenant, by: knowledge.history, at: question.asOf.timeIntervalSince1970)
            let forecast = Advisor(knowledge: knowledge, model: moved).answer(question).forecast
            let actual = try #require(task.actualHours)
            error += abs(forecast.hours - actual)
            if let range = forecast.interval(80), range.low <= actual, actual <= range.high { held += 1 }
        }
        let count = Double(world.asked.count)
        return (error / count, Double(held) / count)
    }
}

import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// A live question and the training row that its booking becomes are the same to the models.
@Suite struct QuestionSkewTests {
    private func knowledge(_ lines: [HistoryLine], aliases: [String: [String]]? = nil) -> TenantKnowledge {
        var knowledge = TenantKnowledge()
        knowledge.take(lines, end: HistoryEnd(watermark: "1", lines: lines.count, skillAliases: aliases))
        return knowledge
    }

    /// Labels, titles, percentages, hours per day and skills differ from row to row, so that a field left out would show.
    private var bookings: [Contracts.Allocation] {
        TrainedModel.history.allocations.enumerated().map { index, given in
            let skills = index % 5 == 0 ? ["SQL", "Swift"] : given.requiredSkills
            return Contracts.Allocation(
                id: given.id, externalId: given.externalId, employeeId: given.employeeId, projectId: given.projectId,
                allocationPercentage: index % 3 == 0 ? nil : Double(10 + index % 9 * 10),
                allocatedHours: given.allocatedHours, hoursPerDay: index % 3 == 0 ? Double(1 + index % 7) : nil,
                plannedHours: given.plannedHours, actualHours: given.actualHours,
                title: "Task \(index % 7)", requiredSkills: skills, labels: ["priority": "\(index % 3)"],
                startDate: given.startDate, endDate: given.endDate, completedAt: given.completedAt,
                createdAt: given.createdAt)
        }
    }

    private var lines: [HistoryLine] {
        TrainedModel.history.employees.map(HistoryLine.employee)
            + TrainedModel.history.projects.map(HistoryLine.project) + bookings.map(HistoryLine.allocation)
    }

    /// Other words for the same skills: in another spelling, by an alias, named more than once.
    private func others(_ skills: [String], _ index: Int) -> [String] {
        switch index % 3 {
        case 0: skills.reversed().map { $0.lowercased() }
        case 1: skills.flatMap { [" " + $0, $0.uppercased()] }
        default: skills.map { "Apple " + $0 }
        }
    }

    private func question(
        _ booking: Contracts.Allocation, skills: [String], _ known: TenantKnowledge
    ) throws -> Question {
        let request = PredictionRequest(
            employeeId: booking.employeeId, projectId: booking.projectId, requiredSkills: skills,
            plannedHours: booking.plannedHours, allocationPercentage: booking.allocationPercentage,
            hoursPerDay: booking.hoursPerDay, startDate: booking.startDate, endDate: booking.endDate,
            labels: booking.labels, title: booking.title, asOf: booking.createdAt)
        var errors: [FieldError] = []
        return try #require(Question(request, knowledge: known, now: Date(), errors: &errors), "\(errors)")
    }

    @Test("for a whole history the decision of a live question is the decision that training reads, in whatever words")
    func sameDecision() throws {
        let known = knowledge(lines, aliases: ["SQL": ["apple sql"], "Swift": ["apple swift"]])
        for (index, booking) in bookings.enumerated() {
            let row = try #require(known.history.allocation(id: booking.id.description))
            for skills in [booking.requiredSkills, others(booking.requiredSkills, index)] {
                let question = try question(booking, skills: skills, known)
                #expect(question.decision(for: booking.employeeId) == Decision(row), "\(skills)")
            }
        }
    }

    @Test("the features of a live question are those of the training row, column by column")
    func sameFeatures() throws {
        let known = knowledge(lines, aliases: ["SQL": ["apple sql"], "Swift": ["apple swift"]])
        let history = known.history
        let outcome = try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 240, epochs: 10, seed: 3, asOf: TrainedModel.history.end.timeIntervalSince1970,
                maximumTrees: 20, searchSeconds: 0)
        ).run()
        let model = ReadyModel(outcome.model)
        let rows = history.allocations
        let schema = model.forecast.features(of: Decision(rows[0]), history: history).schema
        let names = schema.features.map(\.name)
        #expect(schema.usesTitles && schema.usesHoursPerDay && schema.labelKeys == ["priority"])
        // Row by row in the order of decisions, as `rows` are.
        let matrix = history.features(schema: schema, asOf: .infinity)
        #expect(matrix.rows == rows.count && matrix.columns == names.count)
        let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.element.id, $0.offset) })
        var unlike = 0
        for (index, booking) in bookings.enumerated() {
            let place = try #require(places[booking.id.description])
            let row = matrix.values[place * matrix.columns..<(place + 1) * matrix.columns]
            let skills = others(booking.requiredSkills, index)
            var decision = try question(booking, skills: skills, known).decision(for: booking.employeeId)
            let live = model.features(of: decision, history: history)
            #expect(live.set.names == names)
            let moved = zip(names, zip(live.values, row)).filter { $0.1.0.bitPattern != $0.1.1.bitPattern }
            #expect(moved.isEmpty, "row \(place), \(skills): \(moved.map { $0.0 })")
            // What this would not be worth otherwise: the model reads what is stated per day, of days of eight hours.
            if let share = names.firstIndex(of: "base.allocation"), let hours = booking.hoursPerDay {
                #expect(live.values[share] == Float(hours / 8))
            }
            // And to the model the words themselves are other skills.
            decision.skills = skills
            let unread = model.features(of: decision, history: history).values
            if unread.map(\.bitPattern) != live.values.map(\.bitPattern) { unlike += 1 }
        }
        #expect(unlike > bookings.count / 2)
    }

    /// With an end alone the work begins on the day of the decision, which the request's own rules do not know.
    @Test("a question whose end is more than twenty years away is refused at its end, named as the client wrote it")
    func tooLong() throws {
        let history = TrainedModel.history
        let known = knowledge(lines)
        let person = try #require(history.employees.first)
        let project = try #require(history.projects.first)
        let day = CivilDate(history.end, in: known.zone)
        func faults(_ end: CivilDate) -> [String] {
            var errors: [FieldError] = []
            let request = PredictionRequest(
                employeeId: person.id, projectId: project.id, endDate: end, asOf: history.end)
            let question = Question(
                request, knowledge: known, now: history.end, path: "requests[3].", bookableOnly: false, errors: &errors)
            #expect((question == nil) == !errors.isEmpty)
            return errors.map(\.field)
        }
        #expect(faults(day.adding(days: BookingLimits.longestDays - 1)) == [])
        #expect(faults(day.adding(days: BookingLimits.longestDays)) == ["requests[3].endDate"])
        #expect(faults(try #require(CivilDate("9999-12-31"))) == ["requests[3].endDate"])
    }

    @Test(
        "a question that names no skills is asked as the tenant's bookings are: without, or with what the project requires"
    )
    func projectsSkills() throws {
        for haveSkills in [true, false] {
            // The history's projects require Swift.
            let bookings = TrainedModel.history.allocations.map { given in
                Contracts.Allocation(
                    id: given.id, externalId: given.externalId, employeeId: given.employeeId,
                    projectId: given.projectId, allocationPercentage: nil, allocatedHours: given.allocatedHours,
                    plannedHours: given.plannedHours, actualHours: given.actualHours,
                    requiredSkills: haveSkills ? ["Swift"] : [], labels: [:], startDate: given.startDate,
                    endDate: given.endDate, completedAt: given.completedAt, createdAt: given.createdAt)
            }
            let known = knowledge(
                TrainedModel.history.employees.map(HistoryLine.employee)
                    + TrainedModel.history.projects.map(HistoryLine.project) + bookings.map(HistoryLine.allocation))
            let booking = try #require(bookings.last)
            let request = PredictionRequest(
                employeeId: booking.employeeId, projectId: booking.projectId, plannedHours: booking.plannedHours,
                startDate: booking.startDate, endDate: booking.endDate, asOf: booking.createdAt)
            var errors: [FieldError] = []
            let question = try #require(Question(request, knowledge: known, now: Date(), errors: &errors), "\(errors)")
            let row = try #require(known.history.allocation(id: booking.id.description))
            #expect(question.decision(for: booking.employeeId) == Decision(row))
            // People are compared by what the project requires all the same.
            #expect(question.requiredSkills == ["Swift"])
        }
    }

    @Test("neither spelling nor alias of a skill changes an answer, also of the project's own and of least levels")
    func spelling() async throws {
        let history = TrainedModel.history
        let project = Project(
            id: ProjectID(), externalId: "S", name: "S", status: .inProgress, completionPercentage: nil,
            startDate: nil, estimatedEndDate: nil, endDate: nil, requiredSkills: ["sql"], leastLevels: ["sql": 2])
        let known = knowledge([.project(project)] + history.lines, aliases: ["SQL": ["Structured Query Language"]])
        let bytes = try await TrainedModel.artifact.value
        let model = LoadedModel(
            id: ModelID(), version: 1, kind: "test", forecast: try ForecastModel(decoding: bytes))
        func question(_ skills: [String]?, _ levels: [String: Int]? = nil) throws -> Question {
            let request = PredictionRequest(
                employeeId: history.employees[1].id, projectId: project.id, requiredSkills: skills,
                leastLevels: levels, plannedHours: 12, asOf: history.end)
            var errors: [FieldError] = []
            return try #require(Question(request, knowledge: known, now: history.end, errors: &errors), "\(errors)")
        }
        func answer(_ skills: [String]?) throws -> Advisor.Answer {
            try Advisor(knowledge: known, model: model).answer(question(skills))
        }
        let plain = try answer(["SQL"])
        #expect(plain.comparison?.alternatives.count == 2)
        let spellings: [[String]?] = [nil, ["sql"], ["SQL", " sql"], ["structured  QUERY language"]]
        for skills in spellings {
            let other = try answer(skills)
            #expect(other.forecast == plain.forecast, "\(skills ?? [])")
            #expect(other.comparison?.alternatives == plain.comparison?.alternatives, "\(skills ?? [])")
            #expect(other.warnings == plain.warnings, "\(skills ?? [])")
        }
        let twice = try question(["sql", "SQL"], ["sql": 2, " SQL": 4])
        #expect(twice.requiredSkills == ["SQL"] && twice.leastLevels == ["SQL": 4])
        #expect(try question(nil).leastLevels == ["SQL": 2])
        #expect(try question(nil, ["structured query language": 5]).leastLevels == ["SQL": 5])
        // A skill that nobody has met stays what it is.
        #expect(try question(["Haruspicy", "haruspicy "]).requiredSkills == ["Haruspicy"])
    }

    @Test(
        "a person without a required skill is no alternative, and a skill that no person has is reported as unknown")
    func skills() async throws {
        let known = knowledge(TrainedModel.history.lines)
        let model = LoadedModel.baseline
        func answer(_ skills: [String]) throws -> Advisor.Answer {
            var errors: [FieldError] = []
            let request = PredictionRequest(
                employeeId: TrainedModel.history.employees[0].id, projectId: TrainedModel.history.projects[0].id,
                requiredSkills: skills, plannedHours: 8)
            let question = try #require(Question(request, knowledge: known, now: Date(), errors: &errors), "\(errors)")
            return Advisor(knowledge: known, model: model).answer(question)
        }
        func others(_ answer: Advisor.Answer) -> [AlternativeOption] { answer.comparison?.alternatives ?? [] }
        let swift = try answer(["swift"])
        // Every other person has it.
        #expect(others(swift).count == 2 && others(swift).allSatisfy { $0.skillMatch == 1 })
        let both = try answer(["Swift", "SQL"])
        #expect(others(both).isEmpty && both.warnings.contains { $0.hasPrefix("Nobody else") })
        let unknown = try answer(["Haruspicy"])
        #expect(others(unknown).isEmpty && unknown.warnings.contains { $0.contains("haruspicy") })
    }
}

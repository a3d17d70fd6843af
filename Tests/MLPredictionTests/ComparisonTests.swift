import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Ledger
import TestSupport
import Testing

@testable import MLPrediction

/// Everybody is compared, and nothing that is kept between questions changes an answer.
@Suite struct ComparisonTests {
    private let history = SyntheticHistory(allocations: 900, employees: 260, projects: 4, seed: 9)

    private func knowledge(_ lines: [HistoryLine]) -> TenantKnowledge {
        var knowledge = TenantKnowledge()
        knowledge.take(lines, end: HistoryEnd(watermark: "1", lines: lines.count))
        return knowledge
    }

    private func model() async throws -> LoadedModel {
        LoadedModel(
            id: ModelID(), version: 1, kind: "test",
            forecast: try ForecastModel(decoding: try await TrainedModel.artifact.value))
    }

    private func question(
        _ known: TenantKnowledge, skills: [String] = [], planned: Double? = 8, start: CivilDate? = nil,
        levels: [String: Int]? = nil, asOf: Date? = nil, now: Date? = nil
    ) throws -> Question {
        var errors: [FieldError] = []
        let request = PredictionRequest(
            employeeId: history.employees[0].id, projectId: history.projects[0].id, requiredSkills: skills,
            leastLevels: levels, plannedHours: planned, startDate: start, endDate: start?.adding(days: 20), asOf: asOf)
        return try #require(Question(request, knowledge: known, now: now ?? history.end, errors: &errors), "\(errors)")
    }

    /// The same comparison, person by person and without anything kept.
    private func oneByOne(_ question: Question, _ known: TenantKnowledge, _ model: LoadedModel) -> [AlternativeOption] {
        let skills = RequiredSkills(question.requiredSkills, levels: question.leastLevels, in: known.skillNames)
        let own = model.forecast.forecast(
            question.decision(for: question.employee.id), history: known.history, explaining: false)
        let window = question.window(
            hours: own.hours, weeklyHours: known.times[question.employee.id]?.weeklyHours(from: question.first) ?? 0)
        let people = known.employees.values.compactMap { known.people[$0.id] }.filter { person in
            person.id == question.employee.id
                || skills.match(of: person, on: question.first) == 1
                    && known.times[person.id]?
                        .isAvailable(throughout: window, decidedOn: question.day, today: question.today) == true
        }
        let candidates = people.map { person in
            var days = PersonDays(window)
            known.reckon(person.id, at: question.asOf, ignoringHold: question.day < question.today, into: &days)
            let forecast = model.forecast.forecast(
                question.decision(for: person.id), history: known.history, explaining: false)
            return AlternativeRanking.Candidate(
                employeeId: person.id, estimatedHours: forecast.hours,
                successProbability: question.plannedHours == nil ? nil : forecast.successProbability,
                availability: FreeTime(days).freePercent / 100,
                skillFit: skills.fit(of: person.renewed(), at: question.asOf, on: question.first, known.bookings))
        }
        let fewest = candidates.map(\.estimatedHours).min() ?? 0
        let scores = candidates.map { AlternativeRanking.score($0, fewestHours: fewest) }
        let order = candidates.indices.sorted {
            scores[$0] != scores[$1]
                ? scores[$0] > scores[$1]
                : candidates[$0].employeeId.description < candidates[$1].employeeId.description
        }
        return order.enumerated().map { place, index in
            AlternativeOption(
                employeeId: people[index].id, name: people[index].name,
                estimatedHours: candidates[index].estimatedHours,
                successProbability: candidates[index].successProbability,
                availability: candidates[index].availability,
                skillMatch: skills.match(of: people[index], on: question.first), skillFit: candidates[index].skillFit,
                score: scores[index], rank: place + 1)
        }
    }

    private func check(_ question: Question, _ known: TenantKnowledge, _ model: LoadedModel) throws -> Int {
        let comparison = try #require(Advisor(knowledge: known, model: model).answer(question).comparison)
        let all = oneByOne(question, known, model)
        // Equality of every figure, to the bit: all of them are doubles compared as such.
        #expect(
            comparison.alternatives == Array(all.filter { $0.employeeId != question.employee.id }.prefix(5)))
        #expect(comparison.standing == all.first { $0.employeeId == question.employee.id })
        #expect(comparison.people == all.count)
        var considered: [DepartmentID?: Int] = [:]
        for other in all where other.employeeId != question.employee.id {
            considered[known.people[other.employeeId]?.department, default: 0] += 1
        }
        #expect(comparison.selection.counts.mapValues(\.considered).filter { $0.value > 0 } == considered)
        return all.count
    }

    @Test("everybody is compared, with the person asked about among them, as if each had been asked about alone")
    func everybody() async throws {
        let (known, model) = (knowledge(history.lines), try await model())
        let monday = CivilDate(history.end)
        for (planned, skills) in [(8.0, []), (nil, ["swift"]), (30, ["SQL"]), (2, ["Swift", "SQL"])] {
            for start in [nil, monday.adding(days: 30), monday.adding(days: 400)] {
                for asOf in [nil, history.end.addingTimeInterval(-100 * 86_400)] {
                    let question = try question(known, skills: skills, planned: planned, start: start, asOf: asOf)
                    let people = try check(question, known, model)
                    #expect(skills.isEmpty == (people == 260))
                }
            }
        }
    }

    /// Employed in any number of spells, on hold since and until anything, with skills of any level, also twice under two spellings.
    private func anybody(_ employee: HistoryEmployee, _ random: inout SeededGenerator) -> HistoryEmployee {
        let today = CivilDate(history.end)
        func day(_ range: Range<Int>, unknown: Int) -> CivilDate? {
            random.below(unknown) == 0 ? nil : today.adding(days: range.lowerBound + random.below(range.count))
        }
        var spells: [HistoryTime.Spell] = []
        if random.below(4) > 0 {
            spells.append(.init(from: day(-400 ..< -200, unknown: 3), to: day(-90..<90, unknown: 2)))
        }
        if random.below(3) == 0, let from = day(-60..<60, unknown: 9) {
            spells.append(.init(from: from, to: day(70..<100, unknown: 2)))
        }
        let skills = (0..<random.below(4)).map { _ in
            EmployeeSkill(
                skill: ["Swift", "swift", "SQL", "Go"][random.below(4)],
                level: random.below(4) == 0 ? nil : 1 + random.below(5), since: day(-300..<60, unknown: 3))
        }
        return HistoryEmployee(
            id: employee.id, externalId: employee.externalId, name: employee.name, weeklyCapacityHours: 40,
            isActive: true, hiredOn: nil, leftOn: nil, skills: skills,
            time: HistoryTime(
                spells: spells, heldFrom: random.below(4) == 0 ? day(-30..<60, unknown: 9) : nil,
                contracts: [
                    .init(from: nil, weekdayMinutes: (0..<7).map { $0 < 5 ? 60 * random.below(9) : 0 }, calendar: nil)
                ], leave: []), departmentId: departments[random.below(departments.count)])
    }

    private let departments: [DepartmentID?] = [nil, DepartmentID(), DepartmentID()]

    @Test(
        "people of every kind are compared as if each had been looked at alone", arguments: 1...4 as ClosedRange<UInt64>
    )
    func everyKind(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var known = knowledge(history.lines)
        let model = try await model()
        let today = CivilDate(history.end)
        for _ in 0..<3 {
            // All at first, then a few: what is kept of the others stays.
            let changed = history.employees.dropFirst().filter { _ in known.watermark == "1" || random.below(20) == 0 }
            known.take(
                changed.map { .employee(anybody($0, &random)) }, end: HistoryEnd(watermark: "2", lines: changed.count))
            for _ in 0..<4 {
                let skills = [[], ["Swift"], ["sql"], ["Swift", "SQL"], ["Go"]][random.below(5)]
                let levels = Dictionary(uniqueKeysWithValues: skills.map { ($0, 1 + random.below(4)) })
                let asked = try question(
                    known, skills: skills,
                    planned: random.below(3) == 0 ? nil : Double(1 + random.below(60)),
                    start: random.below(2) == 0 ? nil : today.adding(days: random.below(60)),
                    levels: random.below(2) == 0 ? nil : levels,
                    asOf: random.below(3) > 0
                        ? nil : history.end.addingTimeInterval(-86_400 * Double(random.below(90))))
                for _ in 0..<2 { _ = try check(asked, known, model) }
            }
        }
    }

    @Test("cached numbers of people follow every change of theirs")
    func changes() async throws {
        var known = knowledge(history.lines)
        let model = try await model()
        let now = history.end
        _ = try check(try question(known), known, model)
        let (person, project) = (history.employees[7], history.projects[1])
        let booking = Contracts.Allocation(
            id: AllocationID(), externalId: "x", employeeId: person.id, projectId: project.id,
            allocationPercentage: 90, allocatedHours: nil, plannedHours: nil, actualHours: nil,
            requiredSkills: ["Swift"], labels: [:], startDate: CivilDate(now), endDate: CivilDate(now).adding(days: 60),
            completedAt: nil, createdAt: now.addingTimeInterval(-3_600))
        func changed(_ employee: HistoryEmployee, isActive: Bool) -> HistoryEmployee {
            HistoryEmployee(
                id: employee.id, externalId: employee.externalId, name: employee.name, weeklyCapacityHours: 20,
                isActive: isActive, hiredOn: employee.hiredOn, leftOn: nil,
                skills: [EmployeeSkill(skill: "SQL", level: 5, since: nil)])
        }
        let cancelled = HistoryProject(
            id: project.id, externalId: project.externalId, name: project.name, status: .cancelled,
            completionPercentage: nil, startDate: nil, estimatedEndDate: nil, endDate: nil, requiredSkills: [])
        var lines = history.lines
        let calendar = HistoryCalendar(
            id: UUID(), isDefault: true, holidays: [.init(date: CivilDate(now).adding(days: 1), minutesOff: nil)])
        for change in [
            HistoryLine.allocation(booking), .employee(changed(history.employees[8], isActive: true)),
            .employee(changed(history.employees[9], isActive: false)), .calendar(calendar), .project(cancelled),
            .removed(RemovedRow(kind: "employee", id: history.employees[10].id.rawValue)),
            .removed(RemovedRow(kind: "allocation", id: booking.id.rawValue)),
        ] {
            known.take([change], end: HistoryEnd(watermark: "2", lines: 1))
            lines.append(change)
            for skills in [[], ["sql"]] {
                let question = try question(known, skills: skills)
                _ = try check(question, known, model)
                let anew = Advisor(knowledge: knowledge(lines), model: model).answer(question)
                let kept = Advisor(knowledge: known, model: model).answer(question)
                #expect(kept.comparison?.alternatives == anew.comparison?.alternatives)
                #expect(kept.comparison?.standing == anew.comparison?.standing)
            }
            // Days later what was kept does not reach far enough any more.
            let later = now.addingTimeInterval(9 * 86_400)
            _ = try check(try question(known, now: later), known, model)
        }
    }

    @Test("a higher level and later work with the skill lift a person; having the skill at all is required")
    func levelsAndRecency() throws {
        let moment = history.end
        let day = CivilDate(moment)
        func person(_ level: Int?, lastUsed days: Double?) -> (HistoryEmployee, [HistoryLine]) {
            let employee = HistoryEmployee(
                id: EmployeeID(), externalId: UUID().uuidString, name: "\(level ?? 0)", weeklyCapacityHours: 40,
                isActive: true, hiredOn: nil, leftOn: nil,
                skills: [EmployeeSkill(skill: "Welding", level: level, since: nil)])
            let work = days.map { days in
                let done = moment.addingTimeInterval(-days * 86_400)
                return HistoryLine.allocation(
                    Contracts.Allocation(
                        id: AllocationID(), externalId: UUID().uuidString, employeeId: employee.id,
                        projectId: history.projects[0].id, allocationPercentage: 10, allocatedHours: 4, plannedHours: 4,
                        actualHours: 4, requiredSkills: ["welding"], labels: [:], startDate: day.adding(days: -999),
                        endDate: nil, completedAt: done, createdAt: done.addingTimeInterval(-86_400)))
            }
            return (employee, work.map { [$0] } ?? [])
        }
        let people = [
            person(1, lastUsed: 10), person(5, lastUsed: 10), person(5, lastUsed: 700), person(nil, lastUsed: nil),
        ]
        let known = knowledge(
            history.lines + people.map { HistoryLine.employee($0.0) } + people.flatMap(\.1))
        let skills = RequiredSkills(["WELDING"], in: known.skillNames)
        let fits = try people.map { employee, _ in
            let person = try #require(known.people[employee.id])
            #expect(skills.areHeld(by: person, on: day))
            return skills.fit(of: person, at: moment, on: day, known.bookings)
        }
        #expect(fits[1] > fits[0] && fits[1] > fits[2] && fits[2] > fits[3])
        #expect(abs(fits[3] - 0.68) < 1e-12 && fits.allSatisfy { $0 > 0.5 && $0 < 1 })
        // What was finished later than the question is not known to it.
        let early = try #require(known.people[people[1].0.id])
        let before = skills.fit(of: early, at: moment.addingTimeInterval(-20 * 86_400), on: day, known.bookings)
        #expect(before < fits[1] && abs(before - 0.8) < 1e-12)
        let other = try #require(known.people[history.employees[0].id])
        #expect(!skills.areHeld(by: other, on: day) && skills.match(of: other, on: day) == 0)
    }

    @Test(
        "a least level is required like the skill: of the project, or as the question says; an unknown level is too low"
    )
    func leastLevels() async throws {
        let day = CivilDate(history.end)
        func person(_ level: Int?, since: CivilDate? = nil) -> HistoryEmployee {
            HistoryEmployee(
                id: EmployeeID(), externalId: UUID().uuidString, name: "Person", weeklyCapacityHours: 40,
                isActive: true, hiredOn: nil, leftOn: nil,
                skills: [EmployeeSkill(skill: "Welding", level: level, since: since)])
        }
        let (low, high, unknown, later) = (person(2), person(3), person(nil), person(5, since: day.adding(days: 30)))
        let people = [low, high, unknown, later]
        let project = Project(
            id: ProjectID(), externalId: "W", name: "W", status: .inProgress, completionPercentage: nil, startDate: nil,
            estimatedEndDate: nil, endDate: nil, requiredSkills: ["Welding"], leastLevels: ["welding": 3])
        let known = knowledge(history.lines + [.project(project)] + people.map { .employee($0) })
        let model = try await model()
        func ask(
            _ person: HistoryEmployee, skills: [String]? = nil, levels: [String: Int]? = nil, start: CivilDate? = nil
        ) throws -> Advisor.Answer {
            var errors: [FieldError] = []
            let request = PredictionRequest(
                employeeId: person.id, projectId: project.id, requiredSkills: skills, leastLevels: levels,
                plannedHours: 8,
                startDate: start)
            let question = try #require(Question(request, knowledge: known, now: history.end, errors: &errors))
            return Advisor(knowledge: known, model: model).answer(question)
        }
        func others(_ answer: Advisor.Answer) -> Set<EmployeeID> {
            Set(answer.comparison?.alternatives.map(\.employeeId) ?? [])
        }
        let asked = try ask(low)
        #expect(others(asked) == [high.id])
        #expect(asked.comparison?.standing.skillMatch == 0)
        #expect(asked.warnings.contains { $0.contains("at level 3 or above") })
        #expect(try !ask(high).warnings.contains { $0.contains("The person does not have") })
        #expect(try ask(unknown).warnings.contains { $0.contains("at level 3 or above") })
        // The project's levels stay where a question names the skill only; the question's own replace them.
        #expect(try others(ask(low, skills: ["WELDING"])) == [high.id])
        #expect(try others(ask(low, levels: ["Welding": 1])) == [high.id])
        #expect(try others(ask(high, levels: [:])) == [low.id, unknown.id])
        // Who has the skill by the first day of the work may be asked for that work.
        #expect(try others(ask(low, start: day.adding(days: 30))) == [high.id, later.id])
        #expect(try ask(later).warnings.contains { $0.contains("does not have all required skills") })
    }

    @Test("a question about a past moment asks for what the project asked for then")
    func requirementsThen() throws {
        let change = history.end.addingTimeInterval(-10 * 86_400)
        let project = Project(
            id: ProjectID(), externalId: "W", name: "W", status: .inProgress, completionPercentage: nil, startDate: nil,
            estimatedEndDate: nil, endDate: nil, requiredSkills: ["Now"], leastLevels: ["Now": 2],
            earlierVersions: [
                ProjectVersion(
                    validFrom: change.addingTimeInterval(-86_400), validUntil: change, startDate: nil,
                    estimatedEndDate: nil,
                    endDate: nil, requiredSkills: ["Then"])
            ])
        let known = knowledge(history.lines + [.project(project)])
        for (days, skills, levels) in [(-11.0, ["Then"], [:]), (-9, ["Now"], ["Now": 2]), (0, ["Now"], ["Now": 2])] {
            var errors: [FieldError] = []
            let request = PredictionRequest(
                employeeId: history.employees[0].id, projectId: project.id,
                asOf: history.end.addingTimeInterval(days * 86_400))
            let question = try #require(Question(request, knowledge: known, now: history.end, errors: &errors))
            #expect(question.requiredSkills == skills && question.leastLevels == levels)
        }
    }
}

import Contracts
import Foundation
import HTTPTypes
import Ledger
import TestSupport
import Testing

@testable import MLPrediction

@Suite struct EmploymentTests {
    // 2026-01-05 is a Monday.
    private let monday = CivilDate(daysSinceEpoch: 20_458)
    private var week: DayWindow { DayWindow(monday, monday.adding(days: 4)) }

    /// - Parameters:
    ///   - left: the last day worked.
    private func person(hired: Int? = nil, left: Int? = nil, isActive: Bool = true) -> WorkingTime {
        WorkingTime(
            withoutTime: HistoryEmployee(
                id: EmployeeID(), externalId: "e", name: "Mia", weeklyCapacityHours: 40, isActive: isActive,
                hiredOn: hired.map { monday.adding(days: $0) }, leftOn: left.map { monday.adding(days: $0) },
                skills: []))
    }

    @Test("a question about work after a person's last day, or while the person is inactive, is refused")
    func refusal() {
        func isRefused(_ person: WorkingTime, decided: Int = 0) -> Bool {
            person.refusal(from: monday, decidedOn: monday.adding(days: decided), today: monday) != nil
        }
        #expect(isRefused(person(left: -1)) && isRefused(person(left: -9), decided: -20))
        #expect(!isRefused(person(left: 0)))
        #expect(isRefused(person(isActive: false)))
        // Who is inactive today may have been active in the past that is asked about.
        #expect(!isRefused(person(isActive: false), decided: -20))
        #expect(isRefused(person(left: 30, isActive: false)))
        // Somebody who comes back can be asked about what begins before that.
        let back = WorkingTime(
            spells: [
                EmploymentSpell(from: nil, to: monday.adding(days: -30)),
                EmploymentSpell(from: monday.adding(days: 2), to: nil),
            ], contracts: person().contracts)
        #expect(!isRefused(back))
    }

    @Test("only active people employed from the first to the last day can be alternatives")
    func availability() {
        func isAvailable(_ person: WorkingTime, decided: Int = 0) -> Bool {
            person.isAvailable(throughout: week, decidedOn: monday.adding(days: decided), today: monday)
        }
        #expect(isAvailable(person()) && isAvailable(person(hired: 0, left: 4)))
        #expect(!isAvailable(person(hired: 1)) && !isAvailable(person(left: 3)) && !isAvailable(person(left: -1)))
        #expect(!isAvailable(person(isActive: false)) && !isAvailable(person(left: 90, isActive: false)))
        #expect(isAvailable(person(isActive: false), decided: -1))
    }

    @Test("spells that follow each other are one stretch; a day between them makes nobody an alternative, and is told")
    func spells() {
        func person(_ last: Int, _ first: Int) -> WorkingTime {
            WorkingTime(
                spells: [
                    EmploymentSpell(from: monday.adding(days: -30), to: monday.adding(days: -20)),
                    EmploymentSpell(from: monday.adding(days: -10), to: monday.adding(days: last)),
                    EmploymentSpell(from: monday.adding(days: first), to: nil),
                ], contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 40))])
        }
        func warnings(_ person: WorkingTime) -> [String] {
            var days = PersonDays(week)
            days.reckon(person, [])
            let time = FreeTime(days)
            return WorkingTime.warnings(time.present, gaps: time.gaps, in: week)
        }
        func isAvailable(_ person: WorkingTime) -> Bool {
            person.isAvailable(throughout: week, decidedOn: monday, today: monday)
        }
        #expect(isAvailable(person(1, 2)) && isAvailable(person(-1, 0)) && isAvailable(person(4, 9)))
        #expect(!isAvailable(person(1, 3)) && !isAvailable(person(-2, 1)) && !isAvailable(person(3, 5)))
        #expect(warnings(person(1, 2)) == [])
        #expect(
            warnings(person(0, 3)) == [
                "The person is not employed from \(monday.adding(days: 1)) to \(monday.adding(days: 2)), while the work goes on."
            ])
    }

    @Test("the days of employment bound what can be set aside of a person")
    func presence() {
        func present(_ person: WorkingTime) -> DayWindow? {
            var days = PersonDays(week)
            days.reckon(person, [])
            return FreeTime(days).present
        }
        func warnings(_ person: WorkingTime) -> Int { WorkingTime.warnings(present(person), in: week).count }
        #expect(present(person()) == week)
        #expect(present(person(left: 1)) == DayWindow(monday, monday.adding(days: 1)))
        #expect(present(person(hired: 3))?.first == monday.adding(days: 3))
        #expect(present(person(hired: 5)) == nil)
        #expect(warnings(person(left: 2)) == 1 && warnings(person(left: 5)) == 0 && warnings(person(hired: 2)) == 1)
        // On hold from the first day on, the question is refused; from a later one, it is answered with a warning.
        let held = (0...5).map { WorkingTime.warnings(week, in: week, heldFrom: monday.adding(days: $0)).count }
        #expect(held == [0, 1, 1, 1, 1, 0])
    }
}

/// The same through the service.
@Suite struct PeopleOverHTTPTests {
    private static let history = TrainedModel.history
    private let today = CivilDate(Date())

    /// The company with one person changed.
    private func lines(_ index: Int, hired: Int? = nil, left: Int? = nil, isActive: Bool = true) -> [HistoryLine] {
        let one = Self.history.employees[index]
        let changed = HistoryEmployee(
            id: one.id, externalId: one.externalId, name: one.name, weeklyCapacityHours: one.weeklyCapacityHours,
            isActive: isActive, hiredOn: hired.map { today.adding(days: $0) } ?? one.hiredOn,
            leftOn: left.map { today.adding(days: $0) }, skills: one.skills)
        return Self.history.lines.map { line in
            if case .employee(let employee) = line, employee.id == one.id { .employee(changed) } else { line }
        }
    }

    private func question(_ index: Int, days: ClosedRange<Int> = 0...13) -> String {
        """
        {"employeeId": "\(Self.history.employees[index].id)", "projectId": "\(Self.history.projects[0].id)",
        "plannedHours": 12, "startDate": "\(today.adding(days: days.lowerBound))",
        "endDate": "\(today.adding(days: days.upperBound))"}
        """
    }

    /// Of the second employee, whom the questions here are about.
    private static let lacksSkills = "The person does not have all required skills on record."

    private func warnings(_ body: JSONValue) -> [String] {
        guard case .array(let all)? = body["data"]?["warnings"] else { return ["no array"] }
        return all.compactMap(\.stringValue)
    }

    @Test(
        "a person who has left or is inactive is refused by the field's name, also in a batch, and is no alternative"
    )
    func leftAndInactive() async throws {
        for lines in [lines(1, left: -3), lines(1, isActive: false)] {
            try await PredictionsOverHTTP.with(lines: lines) { service in
                let refused = try await service.send(.post, "/api/v1/predictions", question(1))
                #expect(refused.status == .unprocessableContent && "\(refused.body)".contains("\"employeeId\""))
                let batch = try await service.send(
                    .post, "/api/v1/predictions/batch", #"{"requests": [\#(question(0)), \#(question(1))]}"#)
                #expect(batch.status == .unprocessableContent)
                #expect("\(batch.body)".contains("requests[1].employeeId"))
                let other = try await service.send(.post, "/api/v1/predictions", question(0))
                #expect(other.status == .ok && warnings(other.body).isEmpty)
                #expect(!"\(other.body)".contains("\(Self.history.employees[1].id)"))
                guard case .array(let others)? = other.body["data"]?["alternativeOptions"] else { return }
                #expect(!others.isEmpty)
            }
        }
    }

    @Test(
        "a person who leaves within the window causes a warning, gets what the days left allow, and is no alternative")
    func leaving() async throws {
        try await PredictionsOverHTTP.with(lines: lines(1, left: 6)) { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question(1))
            #expect(answer.status == .ok)
            #expect(
                warnings(answer.body) == [
                    "The person's last day is \(today.adding(days: 6)), before the work ends on \(today.adding(days: 13)).",
                    Self.lacksSkills,
                ])
            let hours = try #require(answer.body["data"]?["estimatedHours"]?.doubleValue)
            let share = try #require(answer.body["data"]?["recommendedAllocation"]?.doubleValue)
            // A whole week is left, of five working days.
            #expect(abs(share - (hours / 40 * 1_000).rounded(.up) / 10) < 1e-9)
            let id = try #require(answer.body["data"]?["predictionId"]?.stringValue)
            let stored = try await service.send(.get, "/api/v1/predictions/\(id)")
            #expect(stored.body["data"]?["prediction"] == answer.body["data"])
            let other = try await service.send(.post, "/api/v1/predictions", question(0))
            #expect(!"\(other.body)".contains("\(Self.history.employees[1].id)"))
            // A window that ends before is no trouble.
            let early = try await service.send(.post, "/api/v1/predictions", question(1, days: 0...6))
            #expect(warnings(early.body) == [Self.lacksSkills])
            let late = try await service.send(.post, "/api/v1/predictions", question(1, days: 7...9))
            #expect(late.status == .unprocessableContent)
        }
    }

    @Test("an over-booked person causes a warning, and nothing of them is set aside without a note")
    func overBooked() async throws {
        let (person, project) = (Self.history.employees[1], Self.history.projects[0])
        let loads = (0..<2).map { index in
            HistoryLine.allocation(
                Allocation(
                    id: AllocationID(), externalId: "busy-\(index)", employeeId: person.id, projectId: project.id,
                    allocationPercentage: 80, allocatedHours: nil, plannedHours: nil, actualHours: nil,
                    requiredSkills: [], labels: [:], startDate: today.adding(days: -1),
                    endDate: today.adding(days: 30), completedAt: nil,
                    createdAt: Date().addingTimeInterval(-86_400)))
        }
        try await PredictionsOverHTTP.with(lines: Self.history.lines + loads) { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question(1))
            #expect(
                warnings(answer.body) == [
                    "The person is over-booked: other work takes 160 % of their capacity from \(today) to \(today.adding(days: 13)).",
                    Self.lacksSkills,
                ])
            #expect(answer.body["data"]?["recommendedAllocation"]?.doubleValue == 0)
            #expect(answer.body["data"]?["allocationNote"]?.stringValue?.contains("but only 0 % is free") == true)
        }
    }
}

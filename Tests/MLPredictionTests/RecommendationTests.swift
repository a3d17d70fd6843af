import Contracts
import Foundation
import TestSupport
import Testing

@testable import MLPrediction

@Suite struct WorkWindowTests {
    // 2026-01-05 is a Monday.
    let monday = CivilDate(daysSinceEpoch: 20_458)

    @Test("working days are Mondays to Fridays, whatever day the window begins on")
    func workingDays() {
        func days(_ first: Int, _ last: Int) -> Int {
            WorkWindow(first: monday.adding(days: first), last: monday.adding(days: last)).workingDays
        }
        #expect(monday.description == "2026-01-05")
        #expect(days(0, 4) == 5 && days(0, 6) == 5 && days(0, 7) == 6 && days(2, 8) == 5 && days(-700, -1) == 500)
        // A week-end's work has its own two days.
        #expect(days(5, 6) == 2)
        #expect(WorkWindow(first: monday, last: monday).capacityHours(weekly: 40) == 8)
    }

    @Test("without an end the window is as many whole weeks as the hours fill")
    func defaultWindow() {
        func window(_ start: CivilDate?, _ end: CivilDate?, hours: Double) -> WorkWindow {
            WorkWindow(start: start, end: end, decidedOn: monday, hours: hours, weeklyCapacity: 40)
        }
        #expect(window(nil, nil, hours: 4) == WorkWindow(first: monday, last: monday.adding(days: 6)))
        #expect(window(nil, nil, hours: 100).last == monday.adding(days: 20))
        #expect(window(nil, monday.adding(days: 2), hours: 100).first == monday)
        #expect(window(monday.adding(days: 3), nil, hours: 40).last == monday.adding(days: 9))
    }
}

@Suite struct FreeCapacityTests {
    let monday = CivilDate(daysSinceEpoch: 20_458)

    private func load(
        percent: Double, hours: Double = 8, from: Int, to: Int?, decided: Int = -10, completed: Int? = nil
    ) -> Load {
        Load(
            Contracts.Allocation(
                id: AllocationID(), externalId: "a", employeeId: EmployeeID(), projectId: ProjectID(),
                allocationPercentage: percent, allocatedHours: hours, plannedHours: hours, actualHours: nil,
                requiredSkills: [], labels: [:], startDate: monday.adding(days: from),
                endDate: to.map { monday.adding(days: $0) },
                completedAt: completed.map { monday.adding(days: $0).startOfDay },
                createdAt: monday.adding(days: decided).startOfDay))
    }

    private func free(_ loads: [Load]) -> Double {
        TakenCapacity(
            loads: loads, window: WorkWindow(first: monday, last: monday.adding(days: 4)), weeklyCapacity: 40,
            at: monday.startOfDay
        ).freePercent
    }

    @Test("a start on the calendar's last day, or a capacity next to nothing, ends no process")
    func extremes() throws {
        let last = try #require(CivilDate("9999-12-31"))
        let window = WorkWindow(start: last, end: nil, decidedOn: monday, hours: 1e5, weeklyCapacity: 1e-300)
        #expect(window == WorkWindow(first: last, last: last))
        let note = Recommendation(hours: 1e5, window: window, weeklyCapacity: 1e-300, freePercent: 10).note
        #expect(note?.contains("only 10 % is free") == true)
    }

    @Test("other work takes its share of the days it overlaps")
    func overlap() {
        #expect(free([]) == 100)
        #expect(free([load(percent: 50, from: 0, to: 4)]) == 50)
        // Thursday and Friday of five days.
        #expect(free([load(percent: 50, from: 3, to: 20)]) == 80)
        #expect(free([load(percent: 80, from: 0, to: 4), load(percent: 80, from: 0, to: 4)]) == 0)
    }

    @Test("only what was decided and not yet finished at the moment counts")
    func asOf() {
        #expect(free([load(percent: 50, from: 0, to: 4, decided: 1)]) == 100)
        #expect(free([load(percent: 50, from: 0, to: 4, completed: -1)]) == 100)
        #expect(free([load(percent: 50, from: 0, to: 4, completed: 3)]) == 50)
    }

    @Test("of a person's work all that a moment may find unfinished is looked at, and each piece of work once")
    func unfinished() {
        let (first, second) = (AllocationID(), AllocationID())
        var loads = PersonLoads()
        loads[first] = load(percent: 10, from: 0, to: 4)
        loads[second] = load(percent: 20, from: 0, to: 4, completed: 3)
        func found(_ day: Int) -> [Double] {
            loads.unfinished(at: monday.adding(days: day).startOfDay).map(\.percent).sorted()
        }
        #expect(found(4) == [10])
        #expect(found(3) == [10, 20])
        #expect(loads.count == 2)

        // Completed meanwhile, and the other taken up again.
        loads[first] = load(percent: 11, from: 0, to: 4, completed: 1)
        loads[second] = load(percent: 21, from: 0, to: 4)
        #expect(found(4) == [21])
        #expect(found(1) == [11, 21])
        #expect(loads.count == 2)

        loads[first] = nil
        loads[second] = nil
        #expect(found(-5) == [])
        #expect(loads.count == 0)
    }

    @Test("without a planned end work lasts as long as its hours at its percentage; long past it takes nothing")
    func openEnd() {
        // 8 hours at half a day each: Monday and Tuesday.
        #expect(free([load(percent: 50, hours: 8, from: 0, to: nil)]) == 80)
        #expect(free([load(percent: 50, hours: 8, from: -100, to: nil)]) == 100)
        // From Friday on, two days: Friday and the Monday after.
        #expect(free([load(percent: 50, hours: 8, from: -3, to: nil)]) == 90)
    }

    @Test("without a percentage the hours say what it takes")
    func byHours() {
        #expect(free([load(percent: 0, hours: 10, from: 0, to: 4)]) == 75)
    }
}

@Suite struct RecommendationTests {
    let week = WorkWindow(first: CivilDate(daysSinceEpoch: 20_458), last: CivilDate(daysSinceEpoch: 20_462))

    @Test("the share is the hours over the capacity of the window")
    func fits() {
        let recommendation = Recommendation(hours: 10, window: week, weeklyCapacity: 40, freePercent: 60)
        #expect(recommendation.percent == 25 && recommendation.note == nil)
    }

    @Test("never more than is free, and then it says so")
    func tooLittleFree() {
        let recommendation = Recommendation(hours: 30, window: week, weeklyCapacity: 40, freePercent: 60)
        #expect(recommendation.percent == 60)
        #expect(
            recommendation.note
                == "The work needs 75 % of the person's capacity from 2026-01-05 to 2026-01-09, but only 60 % is free.")
        let tight = Recommendation(hours: 23.99, window: week, weeklyCapacity: 40, freePercent: 60)
        #expect(tight.percent == 60 && tight.note == nil)
    }
}

@Suite struct AlternativeRankingTests {
    private func candidate(
        _ name: String, hours: Double = 10, success: Double? = 0.5, free: Double = 1, match: Double = 1
    )
        -> AlternativeRanking.Candidate
    {
        .init(
            employeeId: EmployeeID(), name: name, estimatedHours: hours, successProbability: success,
            availability: free,
            skillMatch: match)
    }

    @Test("success, few hours, free time and skills each lift a person")
    func order() {
        let plain = candidate("plain")
        for worse in [
            candidate("w", hours: 20), candidate("w", success: 0.4), candidate("w", free: 0.5),
            candidate("w", match: 0.5),
        ] {
            #expect(AlternativeRanking.best([worse, plain], count: 2).map(\.name) == ["plain", "w"])
        }
        let best = AlternativeRanking.best([plain, candidate("slow", hours: 20)], count: 5)
        #expect(abs(best[0].score - 0.8) < 1e-12 && abs(best[1].score - 0.7) < 1e-12)
    }

    @Test("scores stay in 0…1, with and without a success probability")
    func range() {
        #expect(AlternativeRanking.score(candidate("a", success: 1), fewestHours: 10) == 1)
        #expect(AlternativeRanking.score(candidate("a", success: nil), fewestHours: 10) == 1)
        #expect(AlternativeRanking.score(candidate("a", hours: 0, success: 0, free: 0, match: 0), fewestHours: 0) == 0)
    }
}

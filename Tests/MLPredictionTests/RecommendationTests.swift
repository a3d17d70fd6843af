import Contracts
import Foundation
import Ledger
import TestSupport
import Testing

@testable import MLPrediction

@Suite struct WorkWindowTests {
    // 2026-01-05 is a Monday.
    let monday = CivilDate(daysSinceEpoch: 20_458)

    @Test("without an end the window is as many whole weeks as the hours fill")
    func defaultWindow() {
        func window(_ start: CivilDate?, _ end: CivilDate?, hours: Double) -> DayWindow {
            DayWindow(start: start, end: end, decidedOn: monday, hours: hours, weeklyHours: 40)
        }
        #expect(window(nil, nil, hours: 4) == DayWindow(monday, monday.adding(days: 6)))
        #expect(window(nil, nil, hours: 100).last == monday.adding(days: 20))
        #expect(window(nil, monday.adding(days: 2), hours: 100).first == monday)
        #expect(window(monday.adding(days: 3), nil, hours: 40).last == monday.adding(days: 9))
    }

    @Test("a start on the calendar's last day, or next to no hours a week, ends no process")
    func extremes() throws {
        let last = try #require(CivilDate("9999-12-31"))
        let window = DayWindow(start: last, end: nil, decidedOn: monday, hours: 1e5, weeklyHours: 1e-300)
        #expect(window == DayWindow(last, last))
        let note = Recommendation(hours: 1e5, window: window, capacityHours: 1e-300, freePercent: 10).note
        #expect(note?.contains("only 10 % is free") == true)
    }
}

@Suite struct FreeTimeTests {
    let monday = CivilDate(daysSinceEpoch: 20_458)
    private static let (person, project) = (EmployeeID(), ProjectID())

    private func booking(
        percent: Double? = nil, hours: Double? = nil, from: Int, to: Int?, decided: Int = -10, completed: Int? = nil,
        commitment: Commitment = .hard, given: Int? = nil,
        person: EmployeeID = Self.person, earlier: [EarlierBooking]? = nil
    ) -> Contracts.Allocation {
        Contracts.Allocation(
            id: AllocationID(), externalId: "a", employeeId: person, projectId: Self.project,
            allocationPercentage: percent, allocatedHours: hours, plannedHours: hours, actualHours: nil,
            commitment: commitment, requiredSkills: [], labels: [:], startDate: monday.adding(days: from),
            endDate: to.map { monday.adding(days: $0) },
            completedAt: completed.map { monday.adding(days: $0).startOfDay },
            createdAt: monday.adding(days: decided).startOfDay,
            decided: given.map { day in
                DecidedAllocation(
                    decidedAt: monday.adding(days: day).startOfDay, plannedHours: hours, hoursPerDay: nil,
                    allocationPercentage: percent, requiredSkills: [], labels: [:],
                    startDate: monday.adding(days: from), endDate: to.map { monday.adding(days: $0) })
            }, earlier: earlier)
    }

    /// What a booking said from a day until another.
    private func version(
        percent: Double, from: Int, to: Int?, valid: Range<Int>, person: EmployeeID = Self.person,
        isCancelled: Bool = false
    ) -> EarlierBooking {
        EarlierBooking(
            validFrom: monday.adding(days: valid.lowerBound).startOfDay,
            validUntil: monday.adding(days: valid.upperBound).startOfDay, employeeId: person, projectId: Self.project,
            allocatedHours: nil, hoursPerDay: nil, allocationPercentage: percent, commitment: .hard,
            isCancelled: isCancelled, startDate: monday.adding(days: from),
            endDate: to.map { monday.adding(days: $0) })
    }

    @Test("a moment of the past finds other work as it was booked then, whatever has been edited since")
    func editedSince() {
        let before = version(percent: 80, from: 0, to: 4, valid: -10..<1)
        #expect(free([booking(percent: 50, from: 0, to: 4, earlier: [before])]) == 20)
        // Put off by three weeks since; cancelled since; edited twice, once before the moment.
        #expect(free([booking(percent: 80, from: 21, to: 25, earlier: [before])]) == 20)
        let old = version(percent: 10, from: 0, to: 4, valid: -10 ..< -5)
        let held = version(percent: 40, from: 0, to: 4, valid: -5..<2)
        #expect(free([booking(percent: 100, from: 0, to: 4, earlier: [old, held])]) == 60)
        #expect(
            free([
                booking(percent: 30, from: 0, to: 4, earlier: [version(percent: 80, from: 0, to: 4, valid: -10 ..< -1)])
            ]) == 70)
        let gone = version(percent: 80, from: 0, to: 4, valid: -10..<1, isCancelled: true)
        #expect(free([booking(percent: 80, from: 0, to: 4, earlier: [gone])]) == 100)
    }

    @Test("reassigned work loaded the person who had it at the time")
    func givenAwayLater() {
        let other = EmployeeID()
        let here = version(percent: 50, from: 0, to: 4, valid: -10..<1)
        #expect(free([booking(percent: 50, from: 0, to: 4, person: other, earlier: [here])]) == 50)
        let away = version(percent: 50, from: 0, to: 4, valid: -10 ..< -1)
        #expect(free([booking(percent: 50, from: 0, to: 4, person: other, earlier: [away])]) == 100)
        let theirs = version(percent: 50, from: 0, to: 4, valid: -10..<1, person: other)
        #expect(free([booking(percent: 50, from: 0, to: 4, earlier: [theirs])]) == 100)
    }

    @Test("a project that was cancelled later counted until then")
    func cancelledLater() {
        let cancelled = ProjectVersion(
            validFrom: monday.adding(days: -30).startOfDay, validUntil: monday.adding(days: 1).startOfDay,
            status: .inProgress, startDate: nil, estimatedEndDate: nil, endDate: nil)
        #expect(
            time([booking(percent: 50, from: 0, to: 4)], status: .cancelled, earlier: [cancelled]).freePercent == 50)
    }

    private func time(
        _ bookings: [Contracts.Allocation], status: ProjectStatus = .inProgress, earlier: [ProjectVersion]? = nil
    ) -> FreeTime {
        var knowledge = TenantKnowledge()
        let employee = HistoryEmployee(
            id: Self.person, externalId: "e", name: "Mia", weeklyCapacityHours: 40, isActive: true, hiredOn: nil,
            leftOn: nil, skills: [])
        let project = HistoryProject(
            id: Self.project, externalId: "p", name: "Bridge", status: status, completionPercentage: nil,
            startDate: nil, estimatedEndDate: nil, endDate: nil, requiredSkills: [], earlierVersions: earlier)
        knowledge.take(
            [.employee(employee), .project(project)] + bookings.map(HistoryLine.allocation),
            end: HistoryEnd(watermark: "1", lines: 2 + bookings.count))
        var days = PersonDays(DayWindow(monday, monday.adding(days: 4)))
        knowledge.reckon(Self.person, at: monday.startOfDay, into: &days)
        return FreeTime(days)
    }

    private func free(_ bookings: [Contracts.Allocation]) -> Double { time(bookings).freePercent }

    @Test("other work takes its share of the days it overlaps, and too much on one day takes nothing from another")
    func overlap() {
        #expect(free([]) == 100)
        #expect(free([booking(percent: 50, from: 0, to: 4)]) == 50)
        // Thursday and Friday of five days.
        #expect(free([booking(percent: 50, from: 3, to: 20)]) == 80)
        #expect(free([booking(percent: 80, from: 0, to: 4), booking(percent: 80, from: 0, to: 4)]) == 0)
        #expect(free([booking(percent: 80, from: 0, to: 0), booking(percent: 80, from: 0, to: 0)]) == 80)
        #expect(time([booking(percent: 80, from: 0, to: 4), booking(percent: 80, from: 0, to: 4)]).takenPercent == 160)
    }

    @Test("only what was decided and not yet finished at the moment counts")
    func asOf() {
        #expect(free([booking(percent: 50, from: 0, to: 4, decided: 1)]) == 100)
        #expect(free([booking(percent: 50, from: 0, to: 4, completed: -1)]) == 100)
        #expect(free([booking(percent: 50, from: 0, to: 4, completed: 3)]) == 50)
        // Decided long before, given to this person later and earlier.
        #expect(free([booking(percent: 50, from: 0, to: 4, given: 1)]) == 100)
        #expect(free([booking(percent: 50, from: 0, to: 4, given: -1)]) == 50)
    }

    @Test("soft bookings, bookings without a stated effort and those of cancelled projects leave a person free")
    func counting() {
        #expect(free([booking(percent: 50, from: 0, to: 4, commitment: .soft)]) == 100)
        #expect(free([booking(from: 0, to: 4)]) == 100)
        #expect(time([booking(percent: 50, from: 0, to: 4)], status: .cancelled).freePercent == 100)
        #expect(time([booking(percent: 50, from: 0, to: 4)], status: .onHold).freePercent == 100)
    }

    @Test("all work that may be unfinished at a moment is considered, and each booking once")
    func unfinished() {
        let (first, second) = (AllocationID(), AllocationID())
        var bookings = PersonBookings()
        bookings[first] = KnownBooking(booking(percent: 10, from: 0, to: 4), of: Self.person)
        bookings[second] = KnownBooking(booking(percent: 20, from: 0, to: 4, completed: 3), of: Self.person)
        func found(_ day: Int) -> [Double] {
            var found: [Double] = []
            bookings.forEach(at: monday.adding(days: day).startOfDay, from: monday.adding(days: day)) {
                found.append($1.present?.effort.percentage ?? 0)
            }
            return found.sorted()
        }
        #expect(found(5) == [10])
        #expect(found(4) == [10, 20])
        #expect(bookings.count == 2)

        // Completed meanwhile, and the other taken up again.
        bookings[first] = KnownBooking(booking(percent: 11, from: 0, to: 4, completed: 1), of: Self.person)
        bookings[second] = KnownBooking(booking(percent: 21, from: 0, to: 4), of: Self.person)
        #expect(found(5) == [21])
        #expect(found(1) == [11, 21])
        #expect(bookings.count == 2)

        bookings[first] = nil
        bookings[second] = nil
        #expect(found(-5) == [])
        #expect(bookings.count == 0)
    }

    @Test("without a planned end work lasts as long as its hours at its percentage; long past it takes nothing")
    func openEnd() {
        // 8 hours at half a day each: Monday and Tuesday.
        #expect(free([booking(percent: 50, hours: 8, from: 0, to: nil)]) == 80)
        #expect(free([booking(percent: 50, hours: 8, from: -100, to: nil)]) == 100)
        // From Friday on, two days: Friday and the Monday after.
        #expect(free([booking(percent: 50, hours: 8, from: -3, to: nil)]) == 90)
    }

    @Test("without a percentage the hours say what it takes")
    func byHours() {
        #expect(free([booking(percent: 0, hours: 10, from: 0, to: 4)]) == 75)
        #expect(free([booking(hours: 10, from: 0, to: 4)]) == 75)
    }
}

@Suite struct RecommendationTests {
    let week = DayWindow(CivilDate(daysSinceEpoch: 20_458), CivilDate(daysSinceEpoch: 20_462))

    @Test("the share is the hours over the capacity of the window")
    func fits() {
        let recommendation = Recommendation(hours: 10, window: week, capacityHours: 40, freePercent: 60)
        #expect(recommendation.percent == 25 && recommendation.note == nil)
    }

    @Test("never more than is free, and then it says so")
    func tooLittleFree() {
        let recommendation = Recommendation(hours: 30, window: week, capacityHours: 40, freePercent: 60)
        #expect(recommendation.percent == 60)
        #expect(
            recommendation.note
                == "The work needs 75 % of the person's capacity from 2026-01-05 to 2026-01-09, but only 60 % is free.")
        let tight = Recommendation(hours: 23.99, window: week, capacityHours: 40, freePercent: 60)
        #expect(tight.percent == 60 && tight.note == nil)
    }
}

@Suite struct AlternativeRankingTests {
    private func candidate(hours: Double = 10, success: Double? = 0.5, free: Double = 1, fit: Double = 1)
        -> AlternativeRanking.Candidate
    {
        .init(
            employeeId: EmployeeID(), estimatedHours: hours, successProbability: success, availability: free,
            skillFit: fit)
    }

    @Test("success, few hours, free time and skills each lift a person")
    func order() {
        let plain = candidate()
        for worse in [
            candidate(hours: 20), candidate(success: 0.4), candidate(free: 0.5), candidate(fit: 0.5),
        ] {
            let ranking = AlternativeRanking.rank([worse, plain], count: 2, apart: 0)
            #expect(ranking.best.map(\.index) == [1] && ranking.best[0].rank == 1 && ranking.apart.rank == 2)
        }
        let scores = AlternativeRanking.rank([plain, candidate(hours: 20)], count: 5, apart: 0)
        #expect(abs(scores.apart.score - 0.8) < 1e-12 && abs(scores.best[0].score - 0.7) < 1e-12)
    }

    @Test("the few that are shown and all ranks are those of a whole sort, with any one person apart")
    func ranks() {
        let candidates = (0..<60).map { (index: Int) -> AlternativeRanking.Candidate in
            let hours = 5 + index * 37 % 23
            let free = index * 17 % 7
            return candidate(hours: Double(hours), free: Double(free) / 7)
        }
        let fewest = candidates.map(\.estimatedHours).min() ?? 0
        let sorted = candidates.indices.sorted { a, b in
            let scores = (
                AlternativeRanking.score(candidates[a], fewestHours: fewest),
                AlternativeRanking.score(candidates[b], fewestHours: fewest)
            )
            return scores.0 != scores.1
                ? scores.0 > scores.1 : candidates[a].employeeId.description < candidates[b].employeeId.description
        }
        for apart in candidates.indices {
            let ranking = AlternativeRanking.rank(candidates, count: 5, apart: apart)
            #expect(ranking.apart.rank == (sorted.firstIndex(of: apart) ?? -1) + 1)
            #expect(ranking.best.map(\.index) == Array(sorted.filter { $0 != apart }.prefix(5)))
            for shown in ranking.best { #expect(sorted[shown.rank - 1] == shown.index) }
        }
    }

    @Test("scores stay in 0…1, with and without a success probability")
    func range() {
        #expect(AlternativeRanking.score(candidate(success: 1), fewestHours: 10) == 1)
        #expect(AlternativeRanking.score(candidate(success: nil), fewestHours: 10) == 1)
        #expect(AlternativeRanking.score(candidate(hours: 0, success: 0, free: 0, fit: 0), fewestHours: 0) == 0)
    }
}

import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Testing

@testable import MLTraining

@Suite struct ScheduleStandingTests {
    /// 2026-11-22T12:00Z
    private let now = Date(timeIntervalSince1970: 1_795_348_800)
    private func ago(days: Double) -> Date { now.addingTimeInterval(-days * 86_400) }

    private func standing(
        everyDays: Int? = nil, newOutcomes: Int? = nil, learned: Date? = nil, found: Int? = nil, busy: Bool = false,
        failures: Int = 0, failedAt: Date? = nil
    ) -> ScheduleStanding {
        ScheduleStanding(
            everyDays: everyDays, newOutcomes: newOutcomes, learnedUpTo: learned, outcomesFound: found,
            hasOpenJob: busy, failures: failures,
            lastFailure: failedAt.map { .init(at: $0, reason: "only 7 completed allocations") })
    }

    private func isDue(_ standing: ScheduleStanding) -> Bool {
        if case .due = standing.verdict(at: now) { true } else { false }
    }

    @Test("a schedule is due when the days have passed since the latest model's dataset, and not a moment before")
    func byTime() {
        #expect(isDue(standing(everyDays: 7, learned: ago(days: 7))))
        #expect(!isDue(standing(everyDays: 7, learned: ago(days: 7).addingTimeInterval(1))))
        let waiting = standing(everyDays: 7, learned: ago(days: 3))
        #expect(waiting.verdict(at: now) == .waiting("Waits until 2026-11-26T12:00:00.000Z."))
        #expect(waiting.nextDueAt(from: now) == now.addingTimeInterval(4 * 86_400))
    }

    @Test("without a model it is due at once by time, and by number once there are enough outcomes at all")
    func firstModel() {
        #expect(isDue(standing(everyDays: 30)))
        #expect(!isDue(standing(newOutcomes: 50, found: 49)))
        #expect(isDue(standing(newOutcomes: 50, found: 50)))
    }

    @Test("either condition makes it due, and outcomes not counted yet count as none")
    func either() {
        let learned = ago(days: 1)
        #expect(isDue(standing(everyDays: 30, newOutcomes: 20, learned: learned, found: 20)))
        #expect(isDue(standing(everyDays: 1, newOutcomes: 20, learned: learned, found: 0)))
        let uncounted = standing(newOutcomes: 20, learned: learned)
        #expect(uncounted.verdict(at: now) == .waiting("Waits for 20 new outcomes (not counted yet)."))
        #expect(uncounted.nextDueAt(from: now) == nil)
    }

    @Test("nothing starts while a job of the tenant is open")
    func busy() {
        #expect(!isDue(standing(everyDays: 1, learned: ago(days: 9), busy: true)))
    }

    @Test("after failures a schedule retries with exponential back-off, says why, and does not give up")
    func backsOff() {
        let hours = (1...7).map { ScheduleStanding.backoff.pause(after: $0).components.seconds / 3_600 }
        #expect(hours == [1, 2, 4, 8, 16, 24, 24])
        func failed(_ failures: Int, hoursAgo: Double) -> ScheduleStanding {
            standing(everyDays: 1, learned: nil, failures: failures, failedAt: ago(days: hoursAgo / 24))
        }
        #expect(isDue(failed(1, hoursAgo: 1)))
        #expect(isDue(failed(3, hoursAgo: 4)))
        #expect(!isDue(failed(3, hoursAgo: 3.99)))
        guard case .waiting(let words) = failed(3, hoursAgo: 1).verdict(at: now) else {
            Issue.record("it should have waited")
            return
        }
        #expect(
            words
                == "The last 3 scheduled jobs gave no model: only 7 completed allocations. It is tried again from 2026-11-22T15:00:00.000Z."
        )
        #expect(failed(3, hoursAgo: 1).nextDueAt(from: now) == now.addingTimeInterval(3 * 3_600))
    }
}

@Suite struct OutcomeCountTests {
    private let now = Date(timeIntervalSince1970: 1_795_348_800)

    private func allocation(_ id: String, completedDaysAgo days: Double?) -> HistoryChange {
        let completed = days.map { now.timeIntervalSince1970 - $0 * 86_400 }
        return .allocation(
            Forecasting.Allocation(
                id: id, employee: "e", project: "p", plannedHours: 8,
                decidedAt: now.timeIntervalSince1970 - 400 * 86_400,
                completedAt: completed))
    }

    private func count(
        _ changes: [HistoryChange], learned: OutcomeCount.Learned? = nil, limit: Int = 100, found: Set<String> = []
    ) -> Set<String> {
        var count = OutcomeCount(
            learned: learned, spanStart: now.addingTimeInterval(-180 * 86_400), now: now, limit: limit, found: found)
        for change in changes { count.add(change) }
        return count.found
    }

    @Test("a repeated outcome counts once, and an outcome that the model was trained on not at all")
    func once() {
        let learned = OutcomeCount.Learned(
            asOf: now.addingTimeInterval(-5 * 86_400), outcomes: OutcomeFingerprints(ids: ["old"]))
        let changes = [
            allocation("old", completedDaysAgo: 9), allocation("new", completedDaysAgo: 1),
            allocation("new", completedDaysAgo: 1),
            // Written down late: completed before the dataset was, and yet not in it.
            allocation("late", completedDaysAgo: 9), allocation("open", completedDaysAgo: nil),
            allocation("too old", completedDaysAgo: 200), allocation("to come", completedDaysAgo: -1),
        ]
        #expect(count(changes, learned: learned) == ["new", "late"])
    }

    @Test("work taken up again or removed does not count any more")
    func withdrawn() {
        #expect(
            count(
                [allocation("a", completedDaysAgo: nil), .allocationRemoved(id: "b")], found: ["a", "b", "c"]) == ["c"])
    }

    @Test("the number of kept outcomes is limited")
    func limit() {
        let changes = (0..<50).map { allocation("\($0)", completedDaysAgo: 1) }
        #expect(count(changes, limit: 10).count == 10)
    }

    @Test("of a dataset without fingerprints, what was completed since counts")
    func withoutFingerprints() {
        let learned = OutcomeCount.Learned(asOf: now.addingTimeInterval(-5 * 86_400), outcomes: nil)
        let changes = [allocation("before", completedDaysAgo: 6), allocation("after", completedDaysAgo: 4)]
        #expect(count(changes, learned: learned) == ["after"])
    }

    @Test("fingerprints come back from their bytes and know their own only")
    func fingerprints() throws {
        let ids = (0..<1_000).map { _ in AllocationID().description }
        let prints = try #require(OutcomeFingerprints(bytes: OutcomeFingerprints(ids: ids).bytes))
        #expect(ids.allSatisfy(prints.contains))
        #expect(!(0..<1_000).contains { _ in prints.contains(AllocationID().description) })
        #expect(OutcomeFingerprints(bytes: [1, 2, 3]) == nil)
        #expect(OutcomeFingerprints(ids: []).bytes.isEmpty)
    }
}

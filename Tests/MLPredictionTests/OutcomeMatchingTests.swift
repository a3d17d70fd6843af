import Contracts
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// Which booking's outcome a prediction has, where the same person does several alike.
@Suite struct OutcomeMatchingTests {
    private let history = SyntheticHistory(allocations: 40)
    /// Noon, long after the history.
    private var noon: Date { CivilDate(history.end).adding(days: 100).startOfDay.addingTimeInterval(43_200) }

    /// - Parameters:
    ///   - decided: seconds after noon.
    ///   - finished: likewise; nil while it is open.
    private func booking(
        decided: Double, finished: Double?, hours: Double, planned: Double = 8, isCancelled: Bool = false
    ) -> HistoryLine {
        let decidedAt = noon.addingTimeInterval(decided)
        return .allocation(
            Allocation(
                id: AllocationID(), externalId: "booking-\(decided)", employeeId: history.employees[0].id,
                projectId: history.projects[0].id, allocationPercentage: nil, allocatedHours: planned,
                plannedHours: planned, actualHours: finished.map { _ in hours }, isCancelled: isCancelled,
                requiredSkills: [], labels: [:], startDate: CivilDate(decidedAt), endDate: nil,
                completedAt: finished.map { noon.addingTimeInterval($0) }, createdAt: decidedAt))
    }

    /// - Parameter asked: seconds after noon.
    private func hours(
        asked: Double, planned: Double? = 8, place: Int = 0, _ bookings: [HistoryLine], zone: String? = nil
    ) -> Double? {
        let lines = history.lines + bookings
        var knowledge = TenantKnowledge()
        knowledge.take(lines, end: HistoryEnd(watermark: "1", lines: lines.count, timeZone: zone))
        let moment = noon.addingTimeInterval(asked)
        let prediction = OpenPrediction(
            id: PredictionID(), employee: history.employees[0].id, project: history.projects[0].id,
            plannedHours: planned, isOtherWork: false, asOf: moment, createdAt: moment, place: place)
        return OutcomeMatching.outcome(of: prediction, in: knowledge)?.actual.actualHours
    }

    @Test("asked and booked by turns, each prediction has the outcome of its own booking")
    func byTurns() {
        let bookings = [
            booking(decided: 1, finished: 3_600, hours: 5), booking(decided: 3, finished: 3_601, hours: 6),
            booking(decided: 5, finished: 3_602, hours: 7),
            booking(decided: 2.5, finished: 3_600, hours: 20, planned: 16),
        ]
        #expect([0.0, 2, 4].map { hours(asked: $0, bookings) } == [5, 6, 7])
        #expect(hours(asked: 2, planned: 16, bookings) == 20)
        // Without a plan any will do, and the next one is meant.
        #expect(hours(asked: 2, planned: nil, bookings) == 20)
        // Entered a little before it was asked about, and nothing after it.
        #expect(hours(asked: 6, bookings) == 7)
        #expect(hours(asked: 90_000, bookings) == nil)
    }

    @Test("a booking that goes on is waited for, though a later one is finished; a cancelled one is not")
    func waits() {
        let later = booking(decided: 20, finished: 3_600, hours: 3)
        #expect(hours(asked: 0, [booking(decided: 10, finished: nil, hours: 0), later]) == nil)
        #expect(hours(asked: 0, [booking(decided: 10, finished: 9_000, hours: 12), later]) == 12)
        #expect(hours(asked: 0, [booking(decided: 10, finished: nil, hours: 0, isCancelled: true), later]) == 3)
        #expect(hours(asked: 15, [booking(decided: 10, finished: nil, hours: 0), later]) == 3)
    }

    @Test("of equal questions of one request each has a booking of its own, and waits for it")
    func atOnce() {
        let bookings = [
            booking(decided: 10, finished: 3_600, hours: 5), booking(decided: 20, finished: nil, hours: 0),
            booking(decided: 30, finished: 3_601, hours: 7),
        ]
        func each(_ bookings: [HistoryLine], asked: Double = 0) -> [Double?] {
            (0..<4).map { hours(asked: asked, place: $0, bookings) }
        }
        #expect(each(bookings) == [5, nil, 7, nil])
        // Asked before any booking exists, only the first has the first booking's outcome.
        #expect(each([bookings[0]]) == [5, nil, nil, nil])
        // Entered before they were asked about: the last first, as for a single question.
        #expect(each(bookings, asked: 40) == [7, nil, 5, nil])
    }

    @Test(
        "a decision of which a file names the day only is no earlier than a question of that day",
        arguments: [nil, "Asia/Tokyo"])
    func dayOnly(zone: String?) {
        // Midnight in Tokyo is nine hours before midnight UTC.
        let midnight = zone == nil ? -43_200.0 : -75_600
        let bookings = [
            booking(decided: midnight, finished: 90_000, hours: 4),
            booking(decided: 86_400, finished: 95_000, hours: 9),
        ]
        #expect(hours(asked: 0, bookings, zone: zone) == 4)
    }
}

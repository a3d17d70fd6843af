import Basics
import Contracts
import Foundation
import TestSupport
import Testing

@testable import MLPrediction

/// What has changed since a model was trained is found; where nothing has, hardly anything is said.
@Suite struct DriftWatchTests {
    private static let start = Date(timeIntervalSince1970: 1_767_225_600)

    /// Predictions of a company, three a day, whose chances come true but for what `change` does from a day on.
    private static func predictions(
        days: Int, seed: UInt64, changingFrom changed: Int = .max, chances shift: Double = 0, plans factor: Double = 1
    ) -> [WatchedPrediction] {
        var random = SeededGenerator(seed: seed)
        let (employee, project) = (EmployeeID(), ProjectID())
        return (0..<3 * days).map { index in
            let day = index / 3
            let isChanged = day >= changed
            let planned = [1.0, 2, 4, 8, 16][random.below(5)] * (isChanged ? factor : 1)
            let (confidence, success) = (0.3 + 0.5 * random.uniform(), 0.4 + 0.5 * random.uniform())
            // Kept or not, near or not, within the range or not: one number decides all three.
            func happens(_ chance: Double) -> Bool {
                random.uniform() < min(max(chance + (isChanged ? shift : 0), 0), 1)
            }
            let estimate = happens(success) ? planned : planned * 0.5
            let hours = happens(confidence) ? estimate : estimate * 0.3
            let isKept = hours <= planned
            let range = happens(0.8) ? hours * 0.9...hours * 1.1 : hours * 2...hours * 3
            let asked = start.addingTimeInterval(Double(day) * 86_400 + Double(index % 3) * 3_600)
            return WatchedPrediction(
                id: PredictionID(rawValue: UUID(seed: seed, number: index)), askedAt: asked, employee: employee,
                project: project, plannedHours: planned, estimatedHours: estimate, confidence: 100 * confidence,
                // All of these are kept, as far as the hours go; the chance is that of being near.
                successProbability: isKept ? 1 : 0, range: range,
                outcome: PredictionActual(
                    actualHours: hours, completedAt: asked.addingTimeInterval(86_400 + Double(index))))
        }
    }

    @Test("while nothing changes, at most one month in a hundred has any alarm")
    func falseAlarms() {
        // 250 companies of four months each: a thousand months.
        let alarms = (1...250).map { seed -> Set<String> in
            let found = DriftWatch.alarms(Self.predictions(days: 120, seed: UInt64(seed)), model: ModelID())
            return Set(found.map { String(CivilDate($0.raisedAt).description.prefix(7)) })
        }
        #expect(alarms.reduce(0) { $0 + $1.count } <= 10)
    }

    @Test("chances that no longer come true, ranges that no longer hold and other plans are each found within a month")
    func changes() {
        let model = ModelID()
        func found(_ predictions: [WatchedPrediction]) -> Set<DriftAlarm.Kind> {
            Set(DriftWatch.alarms(predictions, model: model).map(\.kind))
        }
        // The month in which it changes and the one after it.
        #expect(found(Self.predictions(days: 90, seed: 3, changingFrom: 60, chances: -0.35)) == [.confidence, .range])
        #expect(found(Self.predictions(days: 90, seed: 4, changingFrom: 60, plans: 6)).contains(.plans))
        let quiet = Self.predictions(days: 90, seed: 3)
        #expect(found(quiet).isEmpty)
    }

    @Test("an alarm says which model, what, when, and in words how far off it is; once a month, and work counts once")
    func words() throws {
        let model = ModelID()
        let changed = Self.predictions(days: 60, seed: 5, changingFrom: 31, chances: -0.4)
        let alarms = DriftWatch.alarms(changed, model: model)
        let confidence = alarms.filter { $0.kind == .confidence }
        let alarm = try #require(confidence.first)
        #expect(confidence.count == 1 && alarm.modelId == model && alarm.evidence >= 400)
        #expect(alarm.raisedAt > Self.start.addingTimeInterval(31 * 86_400))
        #expect(alarm.message.contains("were said to come true within 25 %"))
        #expect(DriftWatch.alarms(changed + changed, model: model) == alarms)
    }

    @Test("capital grows with what is unlikely, and starts at one")
    func capital() {
        var right = BettingTest.chances
        var wrong = BettingTest.chances
        #expect(right.evidence == 1)
        for index in 0..<100 {
            right.observe(index % 10 < 7, chance: 0.7)
            wrong.observe(index % 10 < 3, chance: 0.7)
        }
        #expect(right.evidence < 5 && wrong.evidence > 1e6)
        // By hand: one observation multiplies each share by 1 + stake × (1 − 0.25).
        var one = BettingTest.chances
        one.observe(true, chance: 0.25)
        let mean = [-0.9, -0.5, -0.2, 0.2, 0.5, 0.9].reduce(0) { $0 + (1 + $1 * 0.75) / 6 }
        #expect(abs(one.evidence - max(1, mean)) < 1e-12)
        var low = BettingTest.order
        for _ in 0..<30 { low.observe(rank: 0.02) }
        #expect(low.evidence > 400)
    }
}

extension UUID {
    fileprivate init(seed: UInt64, number: Int) {
        func byte(_ value: UInt64, _ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: value >> (8 * UInt64(place))) }
        let (a, b) = (seed, UInt64(number))
        self.init(
            uuid: (
                byte(a, 0), byte(a, 1), byte(a, 2), byte(a, 3), 0, 0, 0x40, 0, 0x80, 0, 0, 0, byte(b, 0), byte(b, 1),
                byte(b, 2), byte(b, 3)
            ))
    }
}

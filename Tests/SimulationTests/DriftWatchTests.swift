import Basics
import Contracts
import Foundation
import TestSupport
import Testing

@testable import MLPrediction

/// What has changed since a model was trained is found; where nothing has, hardly anything is said.
@Suite struct DriftWatchTests {
    private static let start = Date(timeIntervalSince1970: 1_767_225_600)

    /// What a company's model was asked and what came of it.
    private struct Played {
        var outcomes: [WatchedOutcome] = []
        var plans: [WatchedPlan] = []

        /// Those of every month that has part of it; all work ends within two days.
        func alarms(_ model: ModelID = ModelID()) -> [DriftAlarm] {
            let end = (outcomes.last?.decidedAt ?? DriftWatchTests.start).addingTimeInterval(3 * 86_400)
            return CalendarMonth.all(in: DriftWatchTests.start..<end).flatMap { month -> [DriftAlarm] in
                let watch = DriftWatch(model: model, month: month)
                let wait = OutcomeWait(leftOut: 0.02, seconds: 2 * 86_400)
                return watch.alarms(outcomes, after: wait) + [watch.alarm(plans)].compactMap(\.self)
            }
        }
    }

    /// Predictions of a company, three a day, whose chances come true but for what `change` does from a day on.
    private static func predictions(
        days: Int, seed: UInt64, changingFrom changed: Int = .max, chances shift: Double = 0, plans factor: Double = 1
    ) -> Played {
        var random = SeededGenerator(seed: seed)
        let (employee, project) = (EmployeeID(), ProjectID())
        var played = Played()
        for index in 0..<3 * days {
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
            played.outcomes.append(
                WatchedOutcome(
                    decidedAt: asked, employee: employee, project: project, plannedHours: planned,
                    estimatedHours: estimate, confidence: 100 * confidence,
                    // All of these are kept, as far as the hours go; the chance is that of being near.
                    successProbability: isKept ? 1 : 0, range: range,
                    actual: PredictionActual(
                        actualHours: hours, completedAt: asked.addingTimeInterval(86_400 + Double(index)))))
            played.plans.append(
                WatchedPlan(
                    id: PredictionID(rawValue: UUID(seed: seed, number: index)), askedAt: asked, employee: employee,
                    project: project, hours: planned, days: nil, allocationPercentage: nil, hoursPerDay: nil))
        }
        return played
    }

    @Test("while nothing changes, at most one month in a hundred has any alarm")
    func falseAlarms() {
        // 250 companies of four months each: a thousand months.
        let alarms = (1...250).map { seed -> Set<CalendarMonth> in
            let found = Self.predictions(days: 120, seed: UInt64(seed)).alarms()
            return Set(found.map { CalendarMonth($0.raisedAt) })
        }
        #expect(alarms.reduce(0) { $0 + $1.count } <= 10)
    }

    @Test("chances that no longer come true, ranges that no longer hold and other plans are each found within a month")
    func changes() {
        func found(_ played: Played) -> Set<DriftAlarm.Kind> { Set(played.alarms().map(\.kind)) }
        // The month in which it changes and the one after it.
        #expect(found(Self.predictions(days: 90, seed: 3, changingFrom: 60, chances: -0.35)) == [.confidence, .range])
        #expect(found(Self.predictions(days: 90, seed: 4, changingFrom: 60, plans: 6)).contains(.plans))
        let quiet = Self.predictions(days: 90, seed: 3)
        #expect(found(quiet).isEmpty)
    }

    @Test(
        "plans that name days, a percentage or hours per day and no hours are watched by these",
        arguments: ["days", "%", "h a day"])
    func plansWithoutHours(unit: String) throws {
        func alarms(_ factor: Double) -> [DriftAlarm] {
            let played = Self.predictions(days: 90, seed: 4, changingFrom: 60, plans: factor)
            let plans = played.plans.map { plan in
                WatchedPlan(
                    id: plan.id, askedAt: plan.askedAt, employee: plan.employee, project: plan.project, hours: nil,
                    days: unit == "days" ? plan.hours : nil, allocationPercentage: unit == "%" ? plan.hours : nil,
                    hoursPerDay: unit == "h a day" ? plan.hours : nil)
            }
            return Played(outcomes: played.outcomes, plans: plans).alarms().filter { $0.kind == .plans }
        }
        #expect(alarms(1).isEmpty)
        let alarm = try #require(alarms(6).first)
        #expect(alarm.kind == .plans && alarm.raisedAt > Self.start.addingTimeInterval(60 * 86_400))
        #expect(alarm.message.contains(" \(unit) in the middle"))
    }

    @Test("an alarm says which model, what, when, and in words how far off it is; once a month, and work counts once")
    func words() throws {
        let model = ModelID()
        let changed = Self.predictions(days: 60, seed: 5, changingFrom: 31, chances: -0.4)
        let alarms = changed.alarms(model)
        let confidence = alarms.filter { $0.kind == .confidence }
        let alarm = try #require(confidence.first)
        #expect(confidence.count == 1 && alarm.modelId == model && alarm.evidence >= 400)
        #expect(alarm.raisedAt > Self.start.addingTimeInterval(31 * 86_400))
        #expect(alarm.message.contains("were said to come true within 25 %"))
        let twice = Played(
            outcomes: changed.outcomes.flatMap { [$0, $0] }, plans: changed.plans.flatMap { [$0, $0] })
        #expect(twice.alarms(model) == alarms)
    }

    @Test("a span has its calendar months, up to the calendar's last day")
    func months() throws {
        func day(_ text: String) throws -> Date { try #require(CivilDate(text)).startOfDay }
        let (december, january) = (try day("2025-12-31"), try day("2026-01-01"))
        let (february, end) = (try day("2026-02-01"), try day("9999-12-31"))
        let months = CalendarMonth.all(in: december..<february)
        #expect(months.map(\.description) == ["2025-12", "2026-01"])
        #expect(months[1].span == january..<february)
        #expect(CalendarMonth(end).description == "9999-12" && CalendarMonth(end).span.contains(end))
    }

    @Test("capital grows with what is unlikely, and starts at one")
    func capital() {
        var right = BettingTest.chances
        var wrong = BettingTest.chances
        #expect(right.capital == 1)
        for index in 0..<100 {
            right.observe(index % 10 < 7, chance: 0.7...0.7)
            wrong.observe(index % 10 < 3, chance: 0.7...0.7)
            #expect(right.capital < 5)
        }
        #expect(wrong.capital > 1e6)
        // By hand: one observation multiplies each share by 1 + stake × (1 − chance); a bet that the chance is lower is against the
        // lower bound.
        var one = BettingTest.chances
        one.observe(true, chance: 0.25...0.5)
        let stakes: [Double] = [-0.9, -0.5, -0.2, 0.2, 0.5, 0.9]
        let returns = stakes.map { stake -> Double in 1 + stake * (stake > 0 ? 0.5 : 0.75) }
        #expect(abs(one.capital - returns.reduce(0, +) / 6) < 1e-12)
        var low = BettingTest.order
        for _ in 0..<30 { low.observe(rank: 0.02) }
        #expect(low.capital > 400)
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

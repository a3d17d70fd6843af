import Basics
import Contracts
import Forecasting
import Foundation
import Testing

@testable import MLPrediction

/// Where short work ends first, outcomes come in that say that something has changed although nothing has.
@Suite struct OutcomeWaitTests {
    private static let start = Date(timeIntervalSince1970: 1_767_225_600)

    /// A company whose work takes the longer the more hours it is, for two years before the model and while the model answers. All that
    /// the model states is true, until work takes more hours than it did.
    private struct Company {
        let months: [CalendarMonth]
        private(set) var outcomes: [WatchedOutcome] = []
        private var spans: [WorkSpan] = []
        private let durations: WorkDurations

        /// Of log hours around what is usual for the work, which is what the model knows.
        private static let spread = 0.8

        /// - Parameters:
        ///   - days: while the model answers.
        ///   - median: of the days that work takes.
        ///   - factor: on the hours of work decided from a day on.
        init(
            seed: Int, questionsADay: Int = 3, days: Int, median: Double, factor: Double = 1,
            from changed: Double = .infinity
        ) {
            let start = OutcomeWaitTests.start
            let end = start.addingTimeInterval(Double(days) * 86_400)
            months = CalendarMonth.all(in: start..<end).filter { $0.span.upperBound <= end }
            var random = SeededGenerator(seed: UInt64(seed))
            let (employee, project, spread) = (EmployeeID(), ProjectID(), Self.spread)
            for question in -730 * questionsADay..<days * questionsADay {
                let day = Double(question) / Double(questionsADay)
                let usual = 0.3 * random.normal()
                let planned = exp(usual + 0.4 * random.normal())
                let hours = exp(usual + spread * random.normal()) * (day >= changed ? factor : 1)
                let seconds = median * 86_400 * hours * exp(0.1 * random.normal())
                // What is asked about does not always become work, and then has no outcome.
                guard random.uniform() < 0.6 else { continue }
                let decided = start.addingTimeInterval(day * 86_400)
                let completed = decided.addingTimeInterval(seconds)
                spans.append(
                    WorkSpan(decidedAt: decided.timeIntervalSince1970, completedAt: completed.timeIntervalSince1970))
                guard day >= 0 else { continue }
                let near = below(log(1.25) / spread) - below(log(0.75) / spread)
                outcomes.append(
                    WatchedOutcome(
                        decidedAt: decided, employee: employee, project: project, plannedHours: planned,
                        estimatedHours: exp(usual), confidence: 100 * near,
                        successProbability: below((log(planned) - usual) / spread),
                        range: exp(usual - 1.2815515655 * spread)...exp(usual + 1.2815515655 * spread),
                        actual: PredictionActual(actualHours: hours, completedAt: completed)))
            }
            durations = WorkDurations(spans)
        }

        func wait(in month: CalendarMonth) -> OutcomeWait? { OutcomeWait(durations, asOf: month.span.lowerBound) }

        func alarms(in month: CalendarMonth, after wait: OutcomeWait) -> [DriftAlarm] {
            DriftWatch(model: ModelID(), month: month).alarms(outcomes, after: wait)
        }

        /// As the watch waits.
        var allAlarms: [DriftAlarm] {
            months.flatMap { month -> [DriftAlarm] in
                guard let known = wait(in: month) else { return [] }
                return alarms(in: month, after: known)
            }
        }

        /// In how many months something is looked at.
        var monthsWatched: Int {
            months.filter { month -> Bool in
                guard let known = wait(in: month) else { return false }
                let span = month.span
                return outcomes.contains { outcome in known.due(outcome).map { span.contains($0) } ?? false }
            }.count
        }
    }

    @Test(
        "however long work takes, a model whose chances come true has an alarm in one month of a hundred at most",
        arguments: [15.0, 54.0])
    func falseAlarms(median: Double) {
        let (companies, days) = median < 20 ? (40, 424) : (20, 790)
        var (watched, alarmed) = (0, 0)
        for seed in 1...companies {
            let company = Company(seed: seed, days: days, median: median)
            watched += company.monthsWatched
            alarmed += Set(company.allAlarms.map { CalendarMonth($0.raisedAt) }).count
        }
        #expect(watched > 300)
        #expect(alarmed * 100 <= watched)
    }

    @Test("the outcomes that come in first would raise alarms though nothing has changed")
    func hasty() {
        let hasty = OutcomeWait(leftOut: 0, seconds: 15 * 86_400)
        let alarmed = (1...20).flatMap { seed -> [CalendarMonth] in
            let company = Company(seed: seed, days: 424, median: 15)
            return company.months.filter { !company.alarms(in: $0, after: hasty).isEmpty }
        }
        #expect(alarmed.count > 20)
    }

    @Test("thousands of outcomes a month do not make an alarm of the work that lasts longer than the wait")
    func busy() {
        let company = Company(seed: 1, questionsADay: 100, days: 242, median: 15)
        #expect(company.monthsWatched >= 5)
        #expect(company.allAlarms.isEmpty)
    }

    /// Work of fifteen days in the median has a wait of three months, and a company of three questions a day some fifty outcomes a month.
    @Test("work that takes more hours than it did is found within five months, mostly within four")
    func found() {
        let late = (1...10).map { seed -> Double in
            let company = Company(seed: seed, days: 600, median: 15, factor: 2.5, from: 365)
            let first = company.allAlarms.map(\.raisedAt).min() ?? .distantFuture
            return first.timeIntervalSince(Self.start) / 86_400 - 365
        }
        #expect(late.allSatisfy { $0 > 0 && $0 < 150 }, "\(late)")
        #expect(late.count { $0 < 120 } >= 7, "\(late)")
    }

    @Test("the wait is what all but one in fifty take of the work that ends, and unknown of a short history")
    func longWork() throws {
        var random = SeededGenerator(seed: 7)
        // Twenty days in the mean, five bookings a day; one in ten is never ended.
        let spans = (0..<5_000).map { index -> WorkSpan in
            let decided = Double(index) * 86_400 / 5
            let ended = decided - 20 * 86_400 * log(1 - random.uniform())
            return WorkSpan(decidedAt: decided, completedAt: random.uniform() < 0.1 ? nil : ended)
        }
        let durations = WorkDurations(spans)
        func days(_ day: Double) -> Double? {
            OutcomeWait(durations, asOf: Date(timeIntervalSince1970: day * 86_400)).map { $0.seconds / 86_400 }
        }
        // An exponential duration's 98 % quantile: 20 × ln 50 = 78.2.
        let (late, early) = (try #require(days(1_000)), try #require(days(400)))
        #expect((68...90).contains(late))
        #expect((60...98).contains(early))
        #expect(days(90) == nil)
        // Nothing that is learned later changes it.
        let then = WorkDurations(spans.filter { $0.decidedAt < 400 * 86_400 })
        let wait = OutcomeWait(then, asOf: Date(timeIntervalSince1970: 400 * 86_400))
        #expect(wait.map { $0.seconds / 86_400 } == days(400))
    }

    @Test("a chance among the work that is looked at lies within bounds, whatever comes of the rest")
    func bounds() {
        let wait = OutcomeWait(leftOut: 0.2, seconds: 1)
        // Of a hundred tasks fifty happen, and twenty are left out: those that remain have thirty to fifty of the fifty.
        #expect(abs(wait.bounds(on: 0.5).lowerBound - 30.0 / 80) < 1e-12)
        #expect(abs(wait.bounds(on: 0.5).upperBound - 50.0 / 80) < 1e-12)
        #expect(wait.bounds(on: 0) == 0...0.0 && wait.bounds(on: 1) == 1...1.0)
        #expect(wait.bounds(on: 0.1).lowerBound == 0 && wait.bounds(on: 0.9).upperBound == 1)
        #expect(OutcomeWait(leftOut: 0, seconds: 1).bounds(on: 0.3) == 0.3...0.3)
    }
}

/// The share of a standard normal below a value.
private func below(_ value: Double) -> Double { 0.5 * erfc(-value / 2.0.squareRoot()) }

extension SeededGenerator {
    /// Standard normal (Box and Muller 1958).
    fileprivate mutating func normal() -> Double {
        let (radius, angle) = ((-2 * log(1 - uniform())).squareRoot(), 2 * Double.pi * uniform())
        return radius * cos(angle)
    }
}

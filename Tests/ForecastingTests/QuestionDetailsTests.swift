import Foundation
import Testing

@testable import Forecasting

/// What a question names is what training rows name; what it leaves out, its model never knew.
@Suite struct QuestionDetailsTests {
    private static let count = 400

    /// Hours go up as the share of the person's time goes down.
    private static let history = History(
        allocations: Company(habits: [0], noise: 0.1).allocations(count).enumerated().map { index, given in
            var allocation = given
            let percent = [25.0, 50, 100][index % 3]
            allocation.allocationPercent = percent
            allocation.actualHours = given.plannedHours * pow(100 / percent, 0.7) * exp(0.1 * Double(index % 5 - 2))
            return allocation
        })

    private static let outcome = Result {
        try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: Company.end(count), maximumTrees: 60, searchSeconds: 0)
        ).run()
    }

    private func ask(percent: Double?, labels: [String: String] = ["priority": "1", "team": "t0"]) throws -> Forecast {
        try Self.outcome.get().model.forecast(
            Decision(
                employee: "e1", project: "p1", skills: ["swift"], labels: labels, plannedHours: 7,
                allocationPercent: percent, start: Company.end(Self.count), at: Company.end(Self.count)),
            history: Self.history)
    }

    @Test("the percentage asked about moves the answer as it moved the hours learned from")
    func percentage() throws {
        let (part, whole) = (try ask(percent: 25), try ask(percent: 100))
        #expect(part.hours > 1.8 * whole.hours)
        #expect(abs(log(whole.hours / 7)) < 0.25)
    }

    @Test(
        "a question that leaves out the percentage is answered by a model that never knew it, with ranges that say so")
    func withoutPercentage() throws {
        let model = try Self.outcome.get().model
        #expect(model.variant(withPlan: true).schema.expects.contains(.percentage))
        let plain = try #require(model.plannedWithoutDetails)
        #expect(!plain.schema.usesPercentage && plain.schema.labelKeys.isEmpty)
        let (unknown, known) = (try ask(percent: nil), try ask(percent: 50))
        let (wide, narrow) = (try #require(unknown.interval(80)), try #require(known.interval(80)))
        #expect(wide.high / wide.low > narrow.high / narrow.low)
        // Not the answer for the whole of the person's time.
        #expect(unknown.hours > 1.15 * (try ask(percent: 100)).hours)
        #expect(try Self.outcome.get().modelCard.contains("Asked without the percentage or labels"))
    }

    /// Bookings by percentage alone: what it takes of the person's capacity in the window is the plan.
    private static let byPercentage = History(
        allocations: Company(noise: 0.1).allocations(count).enumerated().map { index, given in
            var allocation = given
            let (percent, days) = ([10.0, 20, 50, 100][index % 4], [1, 4, 11, 25][index / 4 % 4])
            allocation.plannedHours = 0
            allocation.allocationPercent = percent
            allocation.start = Double(History.dayNumber(given.decidedAt) + 1) * 86_400
            allocation.plannedEnd = (allocation.start ?? 0) + Double(days) * 86_400
            let numbers = DecisionNumbers(
                allocation, project: nil, weeklyCapacityHours: 40, readsHoursPerDay: false)
            allocation.actualHours = max(0.1, (numbers.effort ?? 0) * given.actualHours! / given.plannedHours)
            return allocation
        })

    @Test("without hours, what the percentage takes of the window is the plan")
    func effort() throws {
        let model = try TrainingRun(
            history: Self.byPercentage,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: Company.end(Self.count), maximumTrees: 60, searchSeconds: 0)
        ).run().model
        let schema = model.variant(withPlan: false).schema
        #expect(schema.usesEffort && schema.expects.contains(.percentage))
        func hours(_ percent: Double?) -> Double {
            let start = Double(History.dayNumber(Company.end(Self.count)) + 1) * 86_400
            return model.forecast(
                Decision(
                    employee: "e0", project: "p1", skills: ["swift"], labels: ["priority": "1", "team": "t0"],
                    allocationPercent: percent, start: start, end: start + 11 * 86_400, at: Company.end(Self.count)),
                history: Self.byPercentage
            ).hours
        }
        #expect(hours(100) > 4.5 * hours(10) && hours(50) > 1.7 * hours(20))
        #expect(hours(nil) != hours(100))
        let decoded = try ForecastModel(decoding: model.encoded())
        #expect(decoded.encoded() == model.encoded() && decoded.variant(withPlan: false).schema == schema)
    }

    @Test("an effort counts Mondays to Fridays, whatever the time zone", arguments: [-11.0, 0, 11])
    func workingDays(zone: Double) throws {
        func effort(_ first: Int, _ last: Int, _ percent: Double? = 50) -> Double? {
            func moment(_ day: Int) -> Double { Double(day) * 86_400 - zone * 3_600 }
            let decision = Decision(
                employee: "e0", project: "p0", allocationPercent: percent, start: moment(first), end: moment(last),
                at: 0)
            return DecisionNumbers(decision, in: History(), readsHoursPerDay: false).effort
        }
        // The first day of 1970 was a Thursday; people have 40 hours a week where nothing else is known.
        #expect(effort(0, 0) == 4 && effort(0, 1) == 8 && effort(0, 3) == 8 && effort(0, 4) == 12)
        #expect(effort(2, 3) == 0 && effort(-7, -1) == 20 && effort(4, 31) == 80)
        #expect(effort(0, 0, nil) == nil)
    }

    @Test("models of format 3 come back from their bytes with all their kinds of questions")
    func bytes() throws {
        let model = try Self.outcome.get().model
        let decoded = try ForecastModel(decoding: model.encoded())
        #expect(decoded.encoded() == model.encoded())
        #expect(decoded.variant(withPlan: true).schema == model.variant(withPlan: true).schema)
        #expect(decoded.plannedWithoutDetails != nil && decoded.unplannedWithoutDetails != nil)
    }

    @Test("the features of a question are those of the training row, column by column, for a whole history")
    func skew() {
        let rows = Self.history.learningRows(asOf: .infinity)
        for withPlan in [true, false] {
            let schema = FeatureSchema(
                withPlan: withPlan, learningFrom: rows, completions: rows.map(\.completedAt).sorted())
            let matrix = Self.history.features(of: rows, schema: schema)
            let builder = FeatureBuilder(schema: schema, history: Self.history)
            for (index, row) in rows.enumerated() {
                let decision = withPlan ? row.decision : row.decision.withoutPlan
                let live = builder.values(decision)
                #expect(live.map(\.bitPattern) == matrix[index].map(\.bitPattern), "\(row.id)")
            }
        }
    }

    @Test("while nothing becomes known, an answer does not change as days pass")
    func silence() throws {
        let history = Company(noise: 0.5, seed: 9).history(200)
        let model = try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: Company.end(200), maximumTrees: 30, searchSeconds: 0)
        ).run().model
        func answers(after days: Double) -> [Double] {
            // Same weekday and time of the year, so that only time passes.
            let moment = Company.end(200) + days * 86_400
            return (0..<4).map { person in
                model.forecast(
                    Decision(
                        employee: "e\(person)", project: "p0", skills: ["swift"], plannedHours: 8, start: moment,
                        at: moment), history: history
                ).hours
            }
        }
        let (soon, late) = (answers(after: 28), answers(after: 28 + 364))
        for (a, b) in zip(soon, late) { #expect(abs(log(a / b)) < 0.06) }
        // Everything but the calendar stands still.
        let schema = FeatureSchema(withPlan: true, longestSilence: 86_400)
        let builder = FeatureBuilder(schema: schema, history: history)
        func ages(_ days: Double) -> [Float] {
            let moment = Company.end(200) + days * 86_400
            let values = builder.values(
                Decision(employee: "e1", project: "p1", plannedHours: 8, start: moment, at: moment))
            return zip(schema.features, values).filter { $0.0.name.hasSuffix(".age") || $0.0.name.hasSuffix(".tenure") }
                .map(\.1).filter { !$0.isNaN }
        }
        #expect(!ages(30).isEmpty && ages(30).count == ages(900).count)
        for (a, b) in zip(ages(30), ages(900)) { #expect(abs(a - b) < 1e-5) }
    }

    @Test("the factors of an explanation lead from its base to the answer, and an answer that is the plan has none")
    func explained() throws {
        let model = try Self.outcome.get().model
        var (plans, moved) = (0, 0)
        for allocation in Self.history.allocations {
            for decision in [Decision(allocation), Decision(allocation).withoutPlan] {
                let answer = model.forecast(decision, history: Self.history)
                let product = answer.explanation.reduce(answer.explanationBase) { $0 * $1.factor }
                #expect(abs(product - answer.hours) <= 0.005 * answer.hours, "\(allocation.id)")
                if answer.hours == decision.plannedHours {
                    plans += 1
                    #expect(answer.explanation.isEmpty)
                } else {
                    moved += 1
                }
            }
        }
        #expect(moved > 100)
    }

    @Test("rows are chosen by months, the history behind their features is whole")
    func wholeHistory() throws {
        let from = Company.end(200)
        let run = try TrainingRun(
            history: Self.history, configuration: TrainingConfiguration(asOf: Company.end(Self.count), learnsFrom: from)
        )
        #expect(run.rows.allSatisfy { $0.completedAt >= from } && run.rows.count > 100)
        let schema = FeatureSchema(withPlan: true)
        let first = Self.history.features(of: [run.rows[0]], schema: schema)
        #expect(Double(first.values[schema.columns.personCount]) > log1p(10), "a person's earlier tasks must count")
    }

    @Test("without a model the baseline answers: the plan times the person's own ratio")
    func baseline() {
        let allocations = Company(habits: [0.5], noise: 0.05).allocations(60)
        let history = History(allocations: allocations)
        let decision = Decision(employee: "e1", project: "p1", skills: ["swift"], plannedHours: 10, at: Company.end(60))
        let answer = ForecastModel.baseline.forecast(decision, history: history)
        #expect((13...18).contains(answer.hours) && answer.intervals.isEmpty && answer.successProbability == nil)
        #expect(ForecastModel.baseline.forecast(decision, history: History()).hours == 10)
        #expect(ForecastModel.baseline.forecast(decision.withoutPlan, history: history).hours > 0)
    }

    @Test("the finished bookings of a person on a project are those whose hours were recorded")
    func finished() {
        let history = Company().history(80)
        let expected = history.allocations.filter { $0.employee == "e1" && $0.project == "p2" }
            .sorted { ($0.completedAt ?? 0, $0.decidedAt) < ($1.completedAt ?? 0, $1.decidedAt) }
        #expect(!expected.isEmpty && history.finished(employee: "e1", project: "p2") == expected)
        #expect(history.finished(employee: "e1", project: "nowhere").isEmpty)
    }
}

import Foundation
import Testing

@testable import Forecasting

/// Estimates follow the latest errors of each person between one training and the next.
@Suite struct LatestErrorsTests {
    private static let day = 86_400.0

    private func move(_ outcomes: [(day: Double, error: Double)], of person: String = "ada", on day: Double) -> Double {
        let errors = LatestErrors(
            moments: outcomes.map { $0.day * Self.day },
            outcomes: ["ada": outcomes.enumerated().map { LatestErrors.Outcome(place: $0, error: $1.error) }])
        return errors.errors(of: person, at: day * Self.day).move
    }

    @Test("an estimate moves as if twenty tasks more had had no error, and by half as much of them after half a year")
    func shrunk() {
        let twenty = [(day: Double, error: Double)](repeating: (0, 0.4), count: 20)
        #expect(abs(move(twenty, on: 1e-9) - 0.2) < 1e-9)
        #expect(abs(move(twenty, on: 180) - 0.4 * 10 / 30) < 1e-12)
        #expect(abs(move([(0, 0.4)], on: 1e-9) - 0.4 / 21) < 1e-9)
        #expect(move(twenty, of: "bob", on: 1) == 0)
        #expect(move([(0, 0.4), (0, -0.4)], on: 1) == 0)
    }

    @Test(
        "outcomes that are not known yet move nothing, of many the latest five hundred count, and of a wide miss a factor of two"
    )
    func known() {
        #expect(move([(1, 0.4)], on: 1) == 0)
        #expect(move([(1, 0.4), (3, 0.4)], on: 2) == move([(1, 0.4)], on: 2))
        let old = [(day: Double, error: Double)](repeating: (0, 0.5), count: 300)
        let new = [(day: Double, error: Double)](repeating: (0, -0.1), count: 500)
        #expect(move(old + new, on: 1) == move(new, on: 1))
        #expect(move([(0, 4)], on: 1) == move([(0, log(2))], on: 1) && move([(0, -4)], on: 1) == -move([(0, 4)], on: 1))
        // Of other people's many outcomes one's own few may be too old.
        let errors = LatestErrors(
            moments: (0..<600).map(Double.init),
            outcomes: [
                "ada": [LatestErrors.Outcome(place: 99, error: 0.5), LatestErrors.Outcome(place: 100, error: 0.5)]
            ])
        #expect(errors.errors(of: "ada", at: 600).count == 1 && errors.errors(of: "ada", at: 599.5).count == 1)
        #expect(errors.errors(of: "ada", at: 599).count == 2)
    }

    /// A model, and what comes after it: of one person everything takes 1.5 times as long as before.
    private static let trial = Task { () throws -> (model: ForecastModel, allocations: [Allocation], fitted: Int) in
        let fitted = 400
        var allocations = Company(noise: 0.2).allocations(fitted + 240)
        for index in allocations.indices {
            allocations[index].completedAt = allocations[index].decidedAt + 3_600
            if index >= fitted, allocations[index].employee == "e1" {
                allocations[index].actualHours = 1.5 * (allocations[index].actualHours ?? 0)
            }
        }
        let model = try TrainingRun(
            history: History(allocations: Array(allocations.prefix(fitted))),
            configuration: TrainingConfiguration(
                months: 24, epochs: 2, seed: 1, asOf: allocations[fitted].decidedAt, maximumTrees: 60, searchSeconds: 0)
        ).run().model
        return (model, allocations, fitted)
    }

    /// Answers to the latest hundred questions: by the model as it was fitted, and moved by what was known at each.
    private func answers(_ withPlan: Bool) async throws -> [(task: Allocation, fitted: Forecast, moved: Forecast)] {
        let (model, allocations, _) = try await Self.trial.value
        let history = History(allocations: allocations)
        return allocations.suffix(100).map { task in
            let decision = withPlan ? Decision(task) : Decision(task).withoutPlan
            return (
                task, model.forecast(decision, history: history),
                model.recalibrated(history: history, at: task.decidedAt).forecast(decision, history: history)
            )
        }
    }

    @Test("estimates and ranges of a person who has become slower follow, with a reason; those of others hardly move")
    func follows() async throws {
        let all = try await answers(true)
        func mean(
            _ isMeant: (Allocation) -> Bool, _ figure: (_ task: Allocation, _ fitted: Double, _ moved: Double) -> Double
        ) -> Double {
            let picked = all.filter { isMeant($0.task) }
            return picked.reduce(0) { $0 + figure($1.task, $1.fitted.hours, $1.moved.hours) } / Double(picked.count)
        }
        /// How much smaller the move makes the error, on the logarithmic scale.
        func gain(_ task: Allocation, _ fitted: Double, _ moved: Double) -> Double {
            let actual = task.actualHours ?? 1
            return abs(log(fitted / actual)) - abs(log(moved / actual))
        }
        func isSlow(_ task: Allocation) -> Bool { task.employee == "e1" }
        #expect(mean(isSlow) { log($2 / $1) } > 0.05)
        #expect(mean(isSlow, gain) > 0.02)
        #expect(mean({ !isSlow($0) }, { abs(log($2 / $1)) }) < 0.05)
        #expect(mean({ !isSlow($0) }, gain) > -0.01)
        let slow = all.filter { isSlow($0.task) }
        #expect(slow.count > 8)
        for (_, fitted, moved) in slow {
            let (before, after) = (try #require(fitted.interval(80)), try #require(moved.interval(80)))
            #expect(after.low >= before.low && after.high > before.high)
            let reason = try #require(moved.explanation.first { $0.feature == "the latest estimates for this person" })
            #expect(reason.factor > 1 && reason.text.hasSuffix("over the estimate."))
        }
    }

    @Test("reasons of an estimate that has moved lead to it, and ranges hold it", arguments: [true, false])
    func consistent(withPlan: Bool) async throws {
        let all = try await answers(withPlan)
        #expect(all.contains { $0.fitted.hours != $0.moved.hours })
        for (_, _, moved) in all {
            let product = moved.explanation.reduce(moved.explanationBase) { $0 * $1.factor }
            #expect(abs(log(product / moved.hours)) < 1e-6)
            #expect(moved.intervals.allSatisfy { $0.low <= moved.hours && moved.hours <= $0.high })
        }
    }

    @Test(
        "answers are the same to the bit however a history was put together, and no outcome that came later moves any")
    func sameBits() async throws {
        let (model, allocations, fitted) = try await Self.trial.value
        // Many outcomes become known at the same moment.
        let given = allocations.enumerated().map { index, allocation in
            var allocation = allocation
            if index >= fitted {
                allocation.completedAt = allocations[fitted + (index - fitted) / 40 * 40 + 39].decidedAt + 3_600
            }
            return allocation
        }
        let moment = given[fitted + 160].decidedAt
        let all = History(allocations: given)
        var backwards = History()
        for allocation in given.reversed() { backwards.apply(.allocation(allocation)) }
        var changed = given
        for index in changed.indices where (changed[index].completedAt ?? 0) >= moment {
            changed[index].actualHours = 9 * (changed[index].actualHours ?? 1)
        }
        let later = History(allocations: changed)
        let expected = model.recalibrated(history: all, at: moment)
        var decision = Decision(given[fitted + 160])
        for person in 0..<6 {
            decision.employee = "e\(person)"
            let answer = expected.forecast(decision, history: all)
            #expect(answer.hours != model.forecast(decision, history: all).hours)
            for other in [backwards, later] {
                #expect(model.recalibrated(history: other, at: moment).forecast(decision, history: other) == answer)
            }
        }
    }

    @Test("an estimate that errors take near the plan is the plan, and its ranges have moved with it")
    func snaps() throws {
        let schema = FeatureSchema(withPlan: true)
        let columns = schema.columns.count
        let zeros = [Double](repeating: 0, count: columns)
        var variant = VariantModel(
            schema: schema,
            members: FittedMembers([
                .linearMean: .linear(RidgeModel(intercept: 0.2, weights: zeros, means: zeros, deviations: zeros))
            ]),
            candidates: [HoursCandidate(name: "linear", title: "linear", members: [.linearMean], snap: 0.1)], winner: 0,
            intervals: ConformalIntervals(levels: [
                .init(
                    level: 80, low: BoostedTrees(constant: -0.5, columns: columns),
                    high: BoostedTrees(constant: 0.9, columns: columns), correction: 0)
            ]), success: nil, near: EventClassifier(baseRate: 0.5))
        let decision = Decision(employee: "ada", project: "p0", plannedHours: 10, at: 100)
        func answer(_ errors: Int) -> VariantModel.Answer {
            variant.latestErrors = LatestErrors(
                moments: [Double](repeating: 99, count: errors),
                outcomes: ["ada": (0..<errors).map { LatestErrors.Outcome(place: $0, error: -0.3) }])
            return [Float](repeating: 0, count: columns).withUnsafeBufferPointer { variant.answer($0, to: decision) }
        }
        #expect(answer(0).distribution.median == 0.2 && answer(0).distribution.ranges[0].low == -0.5)
        let moved = answer(20)
        #expect(moved.distribution.median == 0)
        #expect(
            abs(moved.distribution.ranges[0].low + 0.65) < 1e-6 && abs(moved.distribution.ranges[0].high - 0.75) < 1e-6)
    }
}

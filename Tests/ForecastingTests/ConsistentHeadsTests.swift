import Basics
import Foundation
import Testing

@testable import Forecasting

/// Hours, ranges, success and confidence are figures of one distribution.
@Suite struct ConsistentHeadsTests {
    /// Whether one distribution can have all these figures: nil, or what no distribution can have.
    /// - Parameter plan: where the chance of success is the mass at or below it; else nothing is said of that.
    private static func contradiction(
        hours: Double, ranges: [(level: Int, low: Double, high: Double)], success: Double?, plan: Double?, near: Double
    ) -> String? {
        let (low, high) = (0.75 * hours, 1.25 * hours)
        var bounds = CumulativeBounds(
            places: [low, hours, high] + (plan.map { [$0] } ?? []) + ranges.flatMap { [$0.low, $0.high] })
        func isPossible() -> ClosedRange<Double>? {
            bounds.possibleMass(from: bounds.before(low), to: bounds.through(high))
        }
        // Nothing but sums of decimal fractions is forgiven.
        let slack = 1e-9
        bounds.mass(to: bounds.through(hours), least: 0.5 - slack)
        bounds.mass(to: bounds.before(hours), most: 0.5 + slack)
        guard isPossible() != nil else { return "median" }
        for range in ranges {
            let level = Double(range.level) / 100
            bounds.mass(from: bounds.before(range.low), to: bounds.through(range.high), least: level - slack)
            if range.low < range.high {
                bounds.mass(from: bounds.through(range.low), to: bounds.before(range.high), most: level + slack)
            }
        }
        guard isPossible() != nil else { return "ranges" }
        if let plan, let success {
            bounds.mass(to: bounds.through(plan), least: success - slack, most: success + slack)
        }
        guard let possible = isPossible() else { return "success" }
        return possible.lowerBound - slack <= near && near <= possible.upperBound + slack ? nil : "confidence"
    }

    @Test(
        "what is no number stays so in the answer and stops nothing",
        arguments: [
            (Double.nan, -0.2, 0.6, 0.3), (0.1, Double.nan, 0.6, 0.3), (0.1, -0.2, Double.nan, 0.3),
            (0.1, -0.2, 0.6, Double.nan),
        ])
    func noNumbers(estimate: Double, low: Double, withinPlan: Double, near: Double) {
        let said = PredictiveDistribution(
            estimate: estimate, ranges: [(80, low, 0.3), (90, -0.4, 0.5)], withinPlan: withinPlan, near: near)
        let all = said.ranges.flatMap { [$0.low, $0.high] } + [said.median, said.near, said.withinPlan ?? 0]
        #expect(all.contains { $0.isNaN })
    }

    @Test("an answer's hours, ranges, success and confidence fit one distribution, for any outputs of the models")
    func anything() {
        var random = SeededGenerator(seed: 1)
        func near(_ spread: Double) -> Double { (random.uniform() - 0.5) * spread }
        for _ in 0..<20_000 {
            // Zeros are common: estimates and ends of ranges often lie exactly at the plan.
            func place() -> Double { random.below(4) == 0 ? 0 : near(3) }
            let success: Double? = random.below(5) == 0 ? nil : random.uniform()
            let ranges: [PredictiveDistribution.Range] = [80, 90].prefix(random.below(3)).map {
                let (a, b) = (place(), place())
                return ($0, min(a, b), max(a, b))
            }
            let said = PredictiveDistribution(
                estimate: place(), ranges: ranges, withinPlan: success, near: random.uniform())
            #expect(said.withinPlan == success)
            let problem = Self.contradiction(
                hours: exp(said.median), ranges: said.ranges.map { ($0.level, exp($0.low), exp($0.high)) },
                success: said.withinPlan, plan: 1, near: said.near)
            #expect(problem == nil, "\(ranges) \(said)")
        }
    }

    @Test("consistent outputs are left unchanged")
    func unchanged() {
        let said = PredictiveDistribution(
            estimate: -0.1, ranges: [(80, -0.7, 0.4), (90, -1, 0.8)], withinPlan: 0.7, near: 0.5)
        #expect(said.median == -0.1 && said.near == 0.5)
        #expect(said.ranges.map(\.low) == [-0.7, -1] && said.ranges.map(\.high) == [0.4, 0.8])
    }

    @Test("an estimate lies on the side of the plan on which half of the chances are, a range on both if it must")
    func sides() throws {
        let ranges: [PredictiveDistribution.Range] = [(80, -0.5, 0.8), (90, -0.9, 1.2)]
        #expect(PredictiveDistribution(estimate: 0.2, ranges: ranges, withinPlan: 0.7, near: 0.4).median == 0)
        let late = PredictiveDistribution(estimate: -0.2, ranges: ranges, withinPlan: 0.3, near: 0.4).median
        #expect(abs(late - 0.8 * 0.2 / 0.6) < 1e-12)
        // A chance of about one half says little of the side: the estimate stands, and the chance is one half.
        var classifier = EventClassifier(baseRate: 0.42)
        for (estimate, chance) in [(-0.2, 0.42), (0.2, 0.58)] {
            func answered(_ estimate: Double) -> Double? {
                PredictiveDistribution.chance(chance, by: classifier.calibration, beside: estimate)
            }
            classifier.calibration.trust = 1
            #expect(answered(-estimate) == chance)
            let half = answered(estimate)
            #expect(half == 0.5)
            let said = PredictiveDistribution(estimate: estimate, ranges: ranges, withinPlan: half, near: 0.4)
            #expect(said.median == estimate && said.withinPlan == 0.5)
        }
        // Three tenths within the plan cannot all lie outside a range of eight tenths wholly above it.
        let above = PredictiveDistribution(
            estimate: 0.4, ranges: [(80, 0.1, 0.8), (90, 0.05, 1.2)], withinPlan: 0.3, near: 0.4)
        #expect(above.ranges.map(\.low) == [0, 0])
        // Six tenths within the plan are not enough for a range of eight tenths that ends there.
        let below = PredictiveDistribution(
            estimate: -0.2, ranges: [(80, -0.5, 0), (90, -0.6, 0.1)], withinPlan: 0.6, near: 0.4)
        #expect(abs(below.ranges[0].high - 0.5 * 0.3 / 0.5) < 1e-12 && below.ranges[1].high == below.ranges[0].high)
    }

    @Test("a base rate of about one half is said of no task, any other of all")
    func baseRate() {
        for (rate, said) in [(0.41, nil), (0.59, nil), (0.3, 0.3), (0.7, 0.7)] as [(Double, Double?)] {
            // Nothing is fitted that could tell tasks apart.
            let classifier = EventClassifier(baseRate: rate)
            for estimate in [-0.3, 0, 0.3] {
                let chance = PredictiveDistribution.chance(rate, by: classifier.calibration, beside: estimate)
                #expect(chance == said, "\(rate) beside \(estimate)")
            }
        }
    }

    @Test("the rate as it was fitted decides whether it is said; said is the moved one, which contradicts no hours")
    func movedBaseRate() {
        let cases: [(rate: Double, moved: Double, beside: Double, said: Double?)] = [
            (0.44, 0.3, -0.3, nil), (0.44, 0.3, 0.3, nil), (0.55, 0.7, -0.3, nil),
            (0.3, 0.2, -0.3, 0.2), (0.7, 0.8, 0.3, 0.8), (0.7, 0.3, -0.3, 0.3),
            // About one half now: said where hours agree.
            (0.65, 0.55, -0.3, 0.55), (0.65, 0.55, 0.3, 0.5), (0.65, 0.45, 0.3, 0.45), (0.65, 0.45, -0.3, 0.5),
        ]
        for (rate, moved, estimate, said) in cases {
            var classifier = EventClassifier(baseRate: rate)
            classifier.calibration.lately = .init(probabilityFrom: rate, to: moved)
            let chance = PredictiveDistribution.chance(
                classifier.calibration.probability(0), by: classifier.calibration, beside: estimate)
            #expect(chance.map { ($0 * 1e9).rounded() / 1e9 } == said, "\(rate) moved to \(moved) beside \(estimate)")
        }
    }

    @Test("confidence is no less than a range inside it holds, and no more than a range around it")
    func confidence() {
        let inside = PredictiveDistribution(estimate: 0, ranges: [(80, -0.1, 0.1)], withinPlan: nil, near: 0.3)
        #expect(abs(inside.near - 0.8) < 1e-9)
        let around = PredictiveDistribution(estimate: 0, ranges: [(80, -0.6, 0.6)], withinPlan: nil, near: 0.95)
        #expect(abs(around.near - 0.8) < 1e-9)
        // Far above the plan lies no more than what is not within the plan.
        let late = PredictiveDistribution(
            estimate: 0.5, ranges: [(80, -0.2, 1.5)], withinPlan: 0.45, near: 0.7)
        #expect(abs(late.near - 0.55) < 1e-9)
    }

    @Test("no two figures of any answer of a trained model contradict each other", arguments: [90, 500])
    func answers(count: Int) throws {
        // Two people keep every plan to the minute, one never does, and the rest are as people are.
        let history = History(
            allocations: Company(noise: 0.5, seed: 3).allocations(count).map { given in
                var allocation = given
                if given.employee == "e0" || given.employee == "e4" { allocation.actualHours = given.plannedHours }
                return allocation
            })
        let model = try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 24, epochs: 2, seed: 1, asOf: Company.end(count), maximumTrees: 60, searchSeconds: 0)
        ).run().model
        let unproven = [0.3, 0.44, 0.56, 0.7].map { ($0, Self.unproven(model, baseRate: $0)) }
        for (rate, model) in [(nil, model)] + unproven as [(Double?, ForecastModel)] {
            let isSilent = rate.map { abs($0 - 0.5) < 0.1 } ?? false
            for allocation in history.allocations {
                for plan in [allocation.plannedHours, 3 * allocation.plannedHours, 0] {
                    var decision = Decision(allocation)
                    decision.plannedHours = plan > 0 ? plan : nil
                    let answer = model.forecast(decision, history: history)
                    if isSilent, plan > 0 { #expect(answer.successProbability == nil) }
                    let problem = Self.contradiction(
                        hours: answer.hours, ranges: answer.intervals.map { ($0.level, $0.low, $0.high) },
                        success: answer.successProbability, plan: decision.plannedHours, near: answer.confidence / 100)
                    #expect(problem == nil, "\(allocation.id) \(plan) \(answer)")
                    let product = answer.explanation.reduce(answer.explanationBase) { $0 * $1.factor }
                    #expect(abs(log(product / answer.hours)) < 1e-6)
                }
            }
        }
    }

    @Test("an estimate that was taken for the plan and then moved by the chance has one effect, and none that cancel")
    func snapped() throws {
        let schema = FeatureSchema(withPlan: true)
        let zeros = [Double](repeating: 0, count: schema.columns.count)
        let near = RidgeModel(intercept: 0.03, weights: zeros, means: zeros, deviations: zeros)
        func answer(snap: Double, success: Double) -> Forecast {
            let variant = VariantModel(
                schema: schema, members: FittedMembers([.linearMean: .linear(near)]),
                candidates: [HoursCandidate(name: "linear", title: "linear", members: [.linearMean], snap: snap)],
                winner: 0, intervals: ConformalIntervals(levels: []), success: EventClassifier(baseRate: success),
                near: EventClassifier(baseRate: 0.5))
            let model = ForecastModel(
                seed: 0, learnedUntil: 0, trainedRows: 0, planned: variant, unplanned: variant)
            return model.forecast(
                Decision(employee: "e0", project: "p0", plannedHours: 10, at: Company.end(60)),
                history: Company().history(60))
        }
        let moved = answer(snap: 0.05, success: 0.3)
        #expect(moved.hours > 10 && moved.explanation.count == 1)
        #expect(moved.explanation.allSatisfy { abs(log($0.factor * 10 / moved.hours)) < 1e-6 })
        #expect(answer(snap: 0.05, success: 0.7).explanation.isEmpty)
        let free = answer(snap: 0, success: 0.3)
        #expect(abs(log(free.hours / 10) - 0.03) < 1e-6 && free.explanation.count == 1)
    }

    /// The model with classifiers that have not proven themselves and answer a base rate.
    private static func unproven(_ model: ForecastModel, baseRate: Double) -> ForecastModel {
        func variant(_ given: VariantModel) -> VariantModel {
            var other = given
            other.success?.calibration = EventCalibration(baseRate: baseRate, trust: 0)
            return other
        }
        return ForecastModel(
            seed: model.seed, learnedUntil: model.learnedUntil, trainedRows: model.trainedRows,
            planned: model.planned.map(variant), unplanned: variant(model.unplanned),
            plannedWithoutDetails: model.plannedWithoutDetails.map(variant),
            unplannedWithoutDetails: model.unplannedWithoutDetails.map(variant))
    }
}

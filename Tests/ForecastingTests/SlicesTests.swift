import Basics
import Foundation
import Testing

@testable import Forecasting

/// The latest rows are read once: nothing is fitted to, chosen on or calibrated on what shows how good a model is.
@Suite struct SlicesTests {
    private func configuration(_ count: Int) -> TrainingConfiguration {
        TrainingConfiguration(
            months: 12, epochs: 2, seed: 1, asOf: Company.end(count), maximumTrees: 20, searchSeconds: 0)
    }

    @Test(
        "rows fit, then choose, then show: three slices in time, each knowing nothing of the next",
        arguments: [100, 600])
    func slices(count: Int) throws {
        let run = try TrainingRun(history: Company().history(count), configuration: configuration(count))
        let (split, rows) = (run.split, run.rows)
        func moments(_ picked: [Int]) -> [Double] { picked.map { rows[$0].decision.at } }
        let shown = try #require(moments(split.show).min())
        let chosen = try #require(moments(split.judge).min())
        #expect(moments(split.judge).allSatisfy { $0 < shown } && moments(split.fit).allSatisfy { $0 < chosen })
        #expect(split.judge.allSatisfy { rows[$0].completedAt < shown })
        #expect(split.fit.allSatisfy { rows[$0].completedAt < chosen })
        #expect(split.show.count >= 3 && split.everything == Array(rows.indices))
    }

    @Test("any change of the shown rows leaves the shown model the same to the last bit")
    func readOnce() throws {
        let count = 300
        let honest = Company().allocations(count)
        let run = try TrainingRun(history: History(allocations: honest), configuration: configuration(count))
        let shown = Set(try #require(run.plannedSplit).show.map { run.plannedRows[$0].id })
        let other = History(
            allocations: honest.map { given in
                var allocation = given
                if shown.contains(given.id) { allocation.actualHours = given.plannedHours * 7 }
                return allocation
            })
        let again = try TrainingRun(history: other, configuration: configuration(count))
        func bytes(_ run: TrainingRun) throws -> [UInt8] {
            var writer = ByteWriter()
            try run.fitOnly(withPlan: true).judgedModel.encode(into: &writer)
            return writer.bytes
        }
        #expect(try bytes(run) == bytes(again))
    }

    /// In a company in which something changes for the rows that show.
    private func run(noise: Double = 0.15, _ change: (inout Allocation, Int) -> Void) throws -> TrainingRun {
        let count = 600
        // What the team makes of it, no baseline knows.
        let allocations = Company(habits: [0], noise: noise).allocations(count).enumerated().map { index, given in
            var allocation = given
            allocation.actualHours = (given.actualHours ?? 1) * (given.labels["team"] == "t0" ? 2 : 0.5)
            if index >= 508 { change(&allocation, index) }
            return allocation
        }
        return try TrainingRun(history: History(allocations: allocations), configuration: configuration(count))
    }

    private func gates(
        noise: Double = 0.15, _ change: (inout Allocation, Int) -> Void
    ) throws -> [String: Gate] {
        Dictionary(uniqueKeysWithValues: try run(noise: noise, change).run().gates.map { ($0.name, $0) })
    }

    @Test("with too few rows for three slices a model is made, and no figure is claimed of it")
    func twoSlices() throws {
        let outcome = try TrainingRun(history: Company().history(32), configuration: configuration(32)).run()
        #expect(outcome.validationRows == 0 && outcome.report.overall.hours == nil && outcome.success == nil)
        #expect(outcome.modelCard.contains("no figures are claimed") && !outcome.beatsBaseline)
        #expect(outcome.confidence == nil && !outcome.gates.contains { $0.name == "confidence" })
    }

    @Test("where nothing changes every gate is passed")
    func steady() throws {
        #expect(try gates { _, _ in }.values.allSatisfy(\.passed))
    }

    @Test("where plans come to be kept, the gate of the hours refuses a model that goes on mistrusting them")
    func refusedHours() throws {
        let gates = try gates { allocation, _ in allocation.actualHours = allocation.plannedHours }
        #expect(gates["hours"]?.passed == false, "\(gates)")
    }

    @Test("where outcomes come to scatter, the gate of ranges refuses the model, and that of success its chances")
    func refusedRanges() throws {
        let outcome = try run { allocation, index in
            allocation.actualHours = (allocation.actualHours ?? 1) * (index % 2 == 0 ? 6 : 1.0 / 6)
        }.run()
        let gates = Dictionary(uniqueKeysWithValues: outcome.gates.map { ($0.name, $0) })
        #expect(gates["intervals"]?.passed == false, "\(gates)")
        #expect(gates["confidence"]?.passed == false, "\(gates)")
        // Half of all plans are kept, and who keeps them is not known any more: no chance is said, and the card says why.
        #expect(gates["success"]?.passed == false && gates["success"]?.refuses == .chances, "\(gates)")
        #expect(gates["success"]?.explanation.contains("such chances are not given") == true, "\(gates)")
        #expect(outcome.model.planned?.success?.tellsApart == false && outcome.success == nil)
        #expect(
            outcome.warnings.contains {
                $0.hasPrefix("Chances of keeping a plan are refused: ") && $0.contains("no chance is given")
            })
        // What refuses chances on the rows that the figures are of is no choice kept secret.
        #expect(outcome.modelCard.contains("but that they refused the chances"))
        let answer = outcome.model.forecast(
            Decision(
                employee: "e1", project: "p1", skills: ["swift"], labels: ["priority": "1", "team": "t0"],
                plannedHours: 7, allocationPercent: 50, at: Company.end(600)), history: History())
        #expect(answer.successProbability == nil)
    }

    @Test("refused chances refuse no model: its hours serve, and card and gate say by what figures chances are refused")
    func refusedChances() throws {
        let run = try run { _, _ in }
        let reporting = TrainingRun.Reporting(progress: { _ in }, isCancelled: { false }, epochs: 2, variants: 1)
        let prepared = try run.prepare(run.variants[0], index: 0, reporting: reporting, resuming: nil) { _ in }
        var result = try run.fit(prepared, index: 0, reporting: reporting)
        let steady = run.judged(result, prepared.data, prepared)
        result.refusedChances = ShownChances(brier: 0.3, usualBrier: 0.2)
        result.model.success?.calibration.trust = 0
        let refused = run.judged(result, prepared.data, prepared)
        func outcome(_ kind: JudgedVariant) -> TrainingOutcome {
            let model = ForecastModel(
                seed: 1, learnedUntil: 0, trainedRows: 1, planned: kind.serving, unplanned: kind.serving)
            return run.outcome(model: model, kinds: [kind], withoutDetails: nil, refusals: [])
        }
        #expect(steady.gates.allSatisfy(\.passed) && !outcome(steady).modelCard.contains("are refused"))
        #expect(refused.gates.filter { !$0.passed }.map(\.name) == ["success"], "\(refused.gates)")
        #expect(!refused.isRefused && outcome(refused).isValidated && !refused.serving.isBaselineAlone)
        let card = outcome(refused).modelCard
        #expect(card.contains("Chances of keeping a plan are refused") && !card.contains("Gate not passed"))
        for figure in ["0.300", "0.200"] {
            #expect(card.contains(figure))
            #expect(refused.gates.contains { !$0.passed && $0.explanation.contains(figure) })
        }
    }

    @Test("of too few plans nobody says that nothing tells those that are kept from others")
    func tooFewPlans() throws {
        let outcome = try TrainingRun(history: Company().history(100), configuration: configuration(100)).run()
        #expect(outcome.model.planned?.success?.tellsApart == false)
        #expect(outcome.warnings.contains { $0.contains(Self.tooFew) }, "\(outcome.warnings)")
        #expect(!outcome.warnings.contains { $0.contains(Self.nothingFound) }, "\(outcome.warnings)")
    }

    private static let (tooFew, nothingFound) = ("could show whether anything tells plans", "Nothing was found on ")

    @Test(
        "where outcomes come to scatter no more, the gate of confidence alone refuses a model that goes on doubting itself"
    )
    func refusedConfidence() throws {
        let gates = try gates(noise: 0.5) { allocation, _ in
            allocation.actualHours = allocation.plannedHours * (allocation.labels["team"] == "t0" ? 2 : 0.5)
        }
        #expect(gates.values.filter { !$0.passed }.map(\.name) == ["confidence"], "\(gates)")
    }

    @Test(
        "a model of questions without plans that fails on its own rows gives way to a baseline; the one with plans stays"
    )
    func otherKinds() throws {
        let count = 600
        let allocations = Company(noise: 0.15).allocations(count).enumerated().map { index, given in
            var allocation = given
            // Work becomes much larger, which only its plan tells.
            allocation.plannedHours = index >= 508 || index % 20 == 0 ? 35 : min(7, given.plannedHours)
            allocation.actualHours = (given.actualHours ?? 1) / given.plannedHours * allocation.plannedHours
            return allocation
        }
        let history = History(allocations: allocations)
        let outcome = try TrainingRun(history: history, configuration: configuration(count)).run()
        #expect(outcome.isValidated, "\(outcome.modelCard)")
        #expect(outcome.warnings.contains { $0.hasPrefix("Asked without planned hours, ") }, "\(outcome.modelCard)")
        #expect(outcome.modelCard.contains("Asked without planned hours a baseline answers"))
        let stored = try ForecastModel(decoding: outcome.model.encoded())
        for decision in allocations.suffix(9).map({ Decision($0) }) {
            let (planned, unplanned) = (decision, decision.withoutPlan)
            #expect(!stored.answersByBaseline(planned) && stored.answersByBaseline(unplanned))
            #expect(!stored.forecast(planned, history: history).intervals.isEmpty)
            #expect(stored.forecast(unplanned, history: history).intervals.isEmpty)
            // Of many people it says what it says of each.
            let people = Set(allocations.map(\.employee)).sorted() + ["nobody"]
            let together = stored.estimates(unplanned, of: people.map { history.person($0) }, history: history)
            for (person, estimate) in zip(people, together) {
                var own = unplanned
                own.employee = person
                let alone = stored.forecast(own, history: history, explaining: false)
                #expect(estimate.hours == alone.hours && estimate.successProbability == nil)
                #expect(alone.successProbability == nil)
            }
        }
        let baselines = outcome.reports.filter { $0.isBaseline && !$0.withPlan }.map(\.name)
        #expect(baselines.contains(outcome.winnerWithoutPlan))
    }

    @Test("a baseline that is the model itself stands in for none, whatever a question names")
    func ownBaseline() {
        func baseline(withPlan: Bool) -> VariantModel {
            VariantModel(
                schema: FeatureSchema(withPlan: withPlan), members: FittedMembers([.prior: .constant(0)]),
                candidates: [HoursCandidate(name: "usual", title: "usual", isBaseline: true, members: [.prior])],
                winner: 0, intervals: ConformalIntervals(levels: []), success: nil, near: EventClassifier(baseRate: 0.5)
            )
        }
        let planned = Decision(employee: "e0", project: "p0", plannedHours: 10, at: 0)
        func standsIn(_ plannedVariant: VariantModel?) -> (Bool, Bool) {
            let model = ForecastModel(
                seed: 0, learnedUntil: 0, trainedRows: 0, planned: plannedVariant,
                unplanned: baseline(withPlan: false))
            return (model.answersByBaseline(planned), model.answersByBaseline(planned.withoutPlan))
        }
        #expect(standsIn(baseline(withPlan: true)) == (false, true))
        #expect(standsIn(nil) == (false, false))
    }

    @Test("the card says what share of the work has no outcome in the chances, and how low they may be with it")
    func beyondChances() throws {
        let count = 600
        func card(openEvery period: Int) throws -> String {
            let allocations = Company().allocations(count).enumerated().map { index, given in
                var allocation = given
                if index % period == 0 { (allocation.completedAt, allocation.actualHours) = (nil, nil) }
                return allocation
            }
            return try TrainingRun(
                history: History(allocations: allocations), configuration: configuration(count)
            ).run().modelCard
        }
        #expect(try card(openEvery: 4).contains("if none of it is finished within its plan"))
        #expect(try !card(openEvery: 601).contains("if none of it is finished within its plan"))
    }

    @Test(
        "of thirty histories of pure noise none is called better, and none that is validated is worse than its base rate"
    )
    func noise() throws {
        // Enough rows that choose for a classifier to be able to prove itself, if only by chance.
        let count = 600
        var (validated, proven) = (0, 0)
        for seed in 1...30 {
            let history = History(
                allocations: Company(habits: [0], noise: 0.5, seed: UInt64(seed)).allocations(count).map { given in
                    // Of questions without these there would be further models.
                    var allocation = given
                    (allocation.labels, allocation.allocationPercent) = ([:], nil)
                    return allocation
                })
            let run = try TrainingRun(history: history, configuration: configuration(count))
            let split = try #require(run.plannedSplit)
            #expect(split.judge.count >= 2 * EventCalibration.leastOutcomes)
            let outcome = try run.run()
            #expect(!outcome.beatsBaseline, "seed \(seed)")
            if outcome.model.planned?.success?.tellsApart == true {
                proven += 1
            } else {
                // About half of all plans are kept, and nothing tells which.
                #expect(outcome.success == nil, "seed \(seed): \(outcome.modelCard)")
                let why = outcome.warnings.filter { $0.contains(Self.nothingFound) || $0.contains("are refused") }
                #expect(why.count == 1, "seed \(seed): \(outcome.modelCard)")
                #expect(!outcome.modelCard.contains(Self.tooFew), "seed \(seed): \(outcome.modelCard)")
            }
            guard outcome.isValidated else { continue }
            validated += 1
            let excess = try brierOverBaseRate(outcome, split, run.plannedRows)
            #expect(excess <= 1e-9, "seed \(seed): \(outcome.modelCard)")
        }
        // Saying nothing of plans costs no model its place.
        #expect(validated > 20)
        // By two standard errors one in forty proves itself by chance.
        #expect(proven <= 4)
    }

    /// How much higher the Brier score of what was said of the shown rows is than that of always saying the rate of the rows that were
    /// fitted to; 0 where nothing was said.
    private func brierOverBaseRate(
        _ outcome: TrainingOutcome, _ split: TimeSplit, _ rows: [LearningRow]
    ) throws -> Double {
        guard let success = outcome.success else { return 0 }
        let last = try #require(split.folds.last)
        let weights = last.fitWeights.isEmpty ? last.fit.map { _ in 1.0 } : last.fitWeights
        let kept = zip(last.fit, weights).reduce(0) { $0 + (rows[$1.0].success == true ? $1.1 : 0) }
        let rate = (kept + 1) / Double(last.fit.count + 2)
        return success.brier
            - (success.baseRate * (1 - rate) * (1 - rate) + (1 - success.baseRate) * rate * rate)
    }

    @Test("a classifier without skill answers the base rate; one with skill is kept")
    func proven() {
        var random = SeededGenerator(seed: 5)
        let scores = (0..<300).map { _ in 4 * random.uniform() - 2 }
        let calibration = EventCalibration(baseRate: 0.5, trust: 1)
        #expect(calibration.isProven(raw: scores, outcomes: scores.map { random.uniform() < logistic($0) }))
        #expect(!calibration.isProven(raw: scores, outcomes: scores.map { _ in random.uniform() < 0.5 }))
        #expect(!calibration.isProven(raw: Array(scores.prefix(40)), outcomes: scores.prefix(40).map { $0 > 0 }))
    }
}

@Suite struct CensoringTests {
    private func row(_ decided: Double, _ duration: Double, hours: Double = 1) -> LearningRow {
        LearningRow(
            id: "\(decided)", slot: 0, decision: Decision(employee: "e", project: "p", plannedHours: 1, at: decided),
            completedAt: decided + duration, hours: hours, planned: 1)
    }

    @Test("finished work stands for the unfinished work decided beside it")
    func weights() {
        // One decision a day for a hundred days; every other takes a day, the rest sixty.
        var all: [LearningRow] = []
        for day in 0..<100 {
            let isLong = day % 2 == 1
            all.append(row(Double(day), isLong ? 60.0 : 1.0, hours: isLong ? 9.0 : 1.0))
        }
        let known: [LearningRow] = all.filter { $0.completedAt < 100 }
        let weights = Censoring(decisions: all.map { $0.decision.at }).weights(
            of: known, decidedIn: 0.0..<100.0, knownAt: 100)
        #expect(weights.values.count == known.count)
        let total = weights.values.reduce(0, +)
        var long = 0.0
        for (row, weight) in zip(known, weights.values) where row.hours == 9 { long += weight }
        // Half of all is long; of what is known only two in seven.
        #expect(known.count { $0.hours == 9 } * 3 < known.count)
        #expect(abs(long / total - 0.5) < 0.03)
        #expect(weights.reach > 0.95)
        #expect(abs(total / Double(known.count) - 1) < 1e-9)
    }

    @Test("where rows are chosen by when they were finished, long work decided before them counts once and not twice")
    func truncated() throws {
        // Four decisions a day; every other takes a day and an hour, the rest ninety days and nine hours.
        let (days, day) = (900, 86_400.0)
        let allocations = (0..<4 * days).map { index in
            let (isLong, decided) = (index % 2 == 1, 1_000_000_000 + Double(index) * day / 4)
            return Allocation(
                id: "a\(index)", employee: "e\(index % 3)", project: "p", plannedHours: 5, actualHours: isLong ? 9 : 1,
                decidedAt: decided, completedAt: decided + (isLong ? 90 : 1) * day)
        }
        let asOf = 1_000_000_000 + Double(days) * day
        let run = try TrainingRun(
            history: History(allocations: allocations),
            configuration: TrainingConfiguration(asOf: asOf, learnsFrom: asOf - 300 * day))
        func longShare(_ rows: [Int], _ weights: [Double]) -> Double {
            #expect(!rows.isEmpty && (weights.isEmpty || weights.count == rows.count))
            var (long, all) = (0.0, 0.0)
            for (place, row) in rows.enumerated() {
                let weight = weights.isEmpty ? 1 : weights[place]
                all += weight
                if run.rows[row].hours == 9 { long += weight }
            }
            return long / all
        }
        let split = run.split
        #expect(abs(longShare(split.everything, split.everythingWeights) - 0.5) < 0.02)
        #expect(abs(longShare(split.fit, split.folds[split.folds.count - 1].fitWeights) - 0.5) < 0.02)
    }

    @Test("few rows, cut into two slices only, are fitted to with weights for what is unfinished")
    func weightsOfTwoSlices() throws {
        // One decision a day for four weeks; every other takes half a day, the rest nine days.
        let all = (0..<28).map { day -> LearningRow in
            let isLong = day % 2 == 1
            return row(Double(day), isLong ? 9 : 0.5, hours: isLong ? 9 : 1)
        }
        let known = all.filter { $0.completedAt < 28 }
        let split = try TimeSplit(
            rows: known, split: .latest(share: 0.2), censoring: Censoring(decisions: all.map(\.decision.at)), asOf: 28)
        #expect(split.show.isEmpty)
        func longShare(_ picked: [Int], _ weights: [Double]) throws -> Double {
            try #require(weights.count == picked.count)
            let long = zip(picked, weights).reduce(0) { $0 + (known[$1.0].hours == 9 ? $1.1 : 0) }
            return long / weights.reduce(0, +)
        }
        // Without weights .31 and .39 of the rows are long.
        #expect(try longShare(split.fit, split.folds[split.folds.count - 1].fitWeights) > 0.42)
        #expect(try longShare(split.everything, split.everythingWeights) > 0.45)
    }

    @Test("one task of long ago, finished only now, does not hide that recent long work is unfinished")
    func ancient() {
        // Thirty decisions for each of a hundred days long ago; then one a day, every other of which takes sixty days.
        let past = (0..<3_000).map { row(Double($0) / 30, 1) }
        let recent = (1_900..<2_000).map { day in
            let isLong = day % 2 == 1
            return row(Double(day), isLong ? 60.0 : 1.0, hours: isLong ? 9.0 : 1.0)
        }
        let known = [row(0, 1_950)] + recent.filter { $0.completedAt < 2_000 }
        let weights = Censoring(decisions: (past + recent).map(\.decision.at), knownFrom: 1_900).weights(
            of: known, decidedIn: 0..<2_000, knownAt: 2_000, most: 10)
        #expect(weights.values.count == known.count)
        var (long, all) = (0.0, 0.0)
        for (row, weight) in zip(known, weights.values).dropFirst() {
            all += weight
            if row.hours == 9 { long += weight }
        }
        #expect(abs(long / all - 0.5) < 0.05, "\(long / all)")
    }

    @Test("what was cancelled is neither waited for nor open any more, and counted as open before")
    func cancelled() throws {
        func allocations(areCancelled: Bool) -> [Allocation] {
            Company().allocations(400).enumerated().map { index, given in
                guard index % 5 == 0 else { return given }
                var allocation = given
                (allocation.actualHours, allocation.completedAt) = (nil, nil)
                if areCancelled { allocation.cancelledAt = given.decidedAt + 86_400 }
                return allocation
            }
        }
        func split(areCancelled: Bool) throws -> TimeSplit {
            try TrainingRun(
                history: History(allocations: allocations(areCancelled: areCancelled)),
                configuration: TrainingConfiguration(asOf: Company.end(400))
            ).split
        }
        let (cancelled, open) = (try split(areCancelled: true), try split(areCancelled: false))
        #expect(cancelled.showWeights.reach > 0.99 && cancelled.folds.allSatisfy { $0.beyond == 0 })
        #expect(open.showWeights.reach < 0.9)
        let history = History(allocations: allocations(areCancelled: true))
        let schema = FeatureSchema(withPlan: true)
        let place = try #require(schema.features.firstIndex { $0.name == "project.open" })
        func openWork(at moment: Double) -> Float {
            let decision = Decision(employee: "e0", project: "p0", plannedHours: 8, at: moment)
            return FeatureBuilder(schema: schema, history: history).values(decision)[place]
        }
        let first = try #require(history.allocations.first { $0.cancelledAt != nil && $0.project == "p0" })
        #expect(openWork(at: first.decidedAt + 43_200) > 0 && openWork(at: Company.end(400)) == 0)
        #expect(AsOfCheck.leaks(in: history).isEmpty)
        #expect(!history.workSpans.contains { $0.completedAt == nil })
    }

    @Test("where nobody knows since when a project is closed, work on it that ended later was waited for")
    func closedAtSomeTime() {
        let allocations = Company().allocations(100)
        let moment = allocations[80].decidedAt
        func awaited(_ status: ProjectFacts.Status, end: Double? = nil, closedSince: Double? = nil) -> Int {
            let projects = (0..<4).map {
                ProjectFacts(id: "p\($0)", status: status, end: end, closedSince: closedSince)
            }
            return History(allocations: allocations, projects: projects)
                .awaitedDecisions(from: -.infinity, asOf: moment).all.count
        }
        #expect(awaited(.inProgress) == 80 && awaited(.completed) == 80)
        #expect(awaited(.completed, end: moment - 1) < 80 && awaited(.completed, closedSince: moment - 1) < 80)
    }

    @Test("open work on a closed project and tentative work are not waited for, and work on hold is")
    func neverFinished() throws {
        let asOf = Company.end(400)
        func history(_ status: ProjectFacts.Status, closedSince: Double? = nil, isSoft: Bool = false) -> History {
            let allocations = Company().allocations(400).enumerated().map { index, given in
                guard index % 5 == 0 else { return given }
                var allocation = given
                (allocation.actualHours, allocation.completedAt, allocation.project) = (nil, nil, "left")
                if isSoft { allocation.softSince = given.decidedAt }
                return allocation
            }
            let project = ProjectFacts(id: "left", status: status, closedSince: closedSince)
            return History(allocations: allocations, projects: [project])
        }
        func reach(_ history: History) throws -> Double {
            try TrainingRun(history: history, configuration: TrainingConfiguration(asOf: asOf)).split.showWeights.reach
        }
        for history in [
            history(.inProgress, isSoft: true), history(.completed), history(.cancelled, closedSince: asOf - 1),
        ] {
            #expect(try reach(history) > 0.99)
            #expect(!history.workSpans.contains { $0.completedAt == nil })
        }
        for history in [history(.inProgress), history(.onHold)] {
            #expect(try reach(history) < 0.9)
            #expect(history.workSpans.count { $0.completedAt == nil } == 80)
        }
        // Closed later than the moment that is asked about.
        #expect(try reach(history(.completed, closedSince: asOf + 1)) < 0.9)
    }

    @Test("where all is finished nothing weighs more than the rest, and what outlasts the rows is said")
    func reach() {
        let done = (0..<50).map { row(Double($0), 0.5) }
        let even = Censoring(decisions: done.map(\.decision.at)).weights(of: done, decidedIn: 0..<51, knownAt: 200)
        #expect(even.values.isEmpty && even.reach == 1)
        // Half of all never ends.
        let half = done.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        let open = Censoring(decisions: done.map(\.decision.at)).weights(of: half, decidedIn: 0..<51, knownAt: 200)
        #expect(abs(open.reach - 0.5) < 0.01)
        #expect(Censoring.none.weights(of: done, decidedIn: 0..<51, knownAt: 20).values.isEmpty)
    }

    @Test("the duration of the longest twentieth is found through censoring")
    func longDuration() {
        var random = SeededGenerator(seed: 2)
        let all = (0..<2_000).map { row(Double($0) / 10, -20 * log(1 - random.uniform())) }
        let known = all.filter { $0.completedAt < 200 }
        let long = Censoring(decisions: all.map(\.decision.at)).longDuration(known, knownAt: 200)
        // An exponential duration's 95 % quantile: 20 × ln 20 = 59.9.
        #expect((50...72).contains(long))
        // The same of what was finished in the latest two thirds.
        let latest = known.filter { $0.completedAt >= 70 }
        let among = Censoring(decisions: all.map(\.decision.at), knownFrom: 70).longDuration(latest, knownAt: 200)
        #expect((50...72).contains(among))
    }

    @Test("weighted figures are those of rows that come as often as they weigh")
    func figures() throws {
        let (actual, forecast) = ([1.0, 2, 4, 8], [2.0, 2, 3, 16])
        let weights = [0.5, 1, 1.5, 1]
        let places = [0, 1, 1, 2, 2, 2, 3, 3]
        func repeated<T>(_ values: [T]) -> [T] { places.map { values[$0] } }
        let own = try #require(Statistics.hours(actual: actual, forecast: forecast, weights: weights))
        let plain = try #require(Statistics.hours(actual: repeated(actual), forecast: repeated(forecast)))
        #expect(abs(own.mae - plain.mae) < 1e-12 && abs(own.logRMSE - plain.logRMSE) < 1e-12)
        #expect(own.pred25 == plain.pred25 && own.medianAbsoluteError == plain.medianAbsoluteError)
        let (outcomes, said) = ([true, false, true, false], [0.9, 0.4, 0.3, 0.2])
        let success = try #require(Statistics.success(outcomes, said, weights: weights))
        let many = try #require(Statistics.success(repeated(outcomes), repeated(said)))
        #expect(
            abs(success.brier - many.brier) < 1e-12 && abs(success.calibrationError - many.calibrationError) < 1e-12)
        #expect(success.baseRate == many.baseRate && success.auc == many.auc && success.recall == many.recall)
        let scores = [0.1, 0.4, 0.2, 0.9, 0.3, 0.8, 0.5, 0.6, 0.7]
        #expect(
            ConformalIntervals.correction(scores: scores, level: 80, weights: scores.map { _ in 1 })
                == ConformalIntervals.correction(scores: scores, level: 80))
    }

    @Test("work that lasts longer than is known is outside of every range: the rows that are known make them wider")
    func beyond() throws {
        let scores = (1...100).map(Double.init)
        // Ranks by hand: of 100 rows and the one to come eight tenths are 81, of ten more 89.
        #expect(ConformalIntervals.correction(scores: scores, level: 80) == 81)
        #expect(ConformalIntervals.correction(scores: scores, level: 80, beyond: 10) == 89)
        #expect(ConformalIntervals.correction(scores: scores, level: 90, beyond: 20) == nil)
        let range = try #require(
            ConformalIntervals.relative(residuals: scores, columns: 1, beyond: 10).levels.first { $0.level == 80 })
        #expect(range.low.start == 11 && range.high.start == 100)
        var weights = Censoring.Weights()
        weights.reach = 0.9
        #expect(abs(weights.beyond(900) - 100) < 1e-9)
        // Of a few rows the share that is missing is chance.
        #expect(weights.beyond(50) == 0)
        weights.reach = 0.99
        #expect(weights.beyond(900) == 0)
    }
}

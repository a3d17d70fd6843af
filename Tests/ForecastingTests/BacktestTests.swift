import Foundation
import Testing

@testable import Forecasting

@Suite struct BacktestTests {
    @Test("a back-test answers every test row, and following time changes no row's past")
    func backtest() throws {
        let history = Company().history(300)
        var parts: [String: TrainingConfiguration.Part] = [:]
        for (index, allocation) in history.allocations.enumerated() {
            parts[allocation.id] = index < 180 ? .train : index < 230 ? .valid : .test
        }
        // Rows unfinished at a cut are purged, as in a published split.
        let cuts = [180, 230].map { history.allocations[$0].decidedAt }
        for (index, allocation) in history.allocations.enumerated() where index < 230 {
            if (allocation.completedAt ?? .infinity) >= cuts[index < 180 ? 0 : 1] { parts[allocation.id] = .purged }
        }
        for refits in [0, 3] {
            let result = try Backtest(history: history, parts: parts, withPlan: true, refits: refits, epochs: 3).run()
            #expect(result.rows.count == 70)
            #expect(result.winners.count == max(1, refits))
            let served = try #require(result.reports.first?.overall.hours)
            let plan = try #require(result.reports.first { $0.name == "planned_hours" }?.overall.hours)
            #expect(served.mae < plan.mae)
        }
    }

    @Test("what comes of the test rows of a published split changes nothing that is said of them, chances included")
    func testRowsChooseNothing() throws {
        var allocations = Company().allocations(300)
        var parts: [String: TrainingConfiguration.Part] = [:]
        for index in allocations.indices {
            parts[allocations[index].id] = index < 180 ? .train : index < 230 ? .valid : .test
            // No test row knows what came of another.
            allocations[index].completedAt =
                index < 230 ? allocations[index].decidedAt + 3_600 : Company.end(300)
        }
        func rows(_ allocations: [Allocation]) throws -> [Backtest.Row] {
            try Backtest(history: History(allocations: allocations), parts: parts, withPlan: true, epochs: 3).run().rows
        }
        let honest = try rows(allocations)
        // No plan is kept, whatever chance was given.
        for index in 230..<300 { allocations[index].actualHours = 7 * allocations[index].plannedHours }
        let other = try rows(allocations)
        #expect(honest.count == 70 && honest.map(\.hours) == other.map(\.hours))
        #expect(honest.map(\.successProbability) == other.map(\.successProbability))
        #expect(honest.map(\.low80) == other.map(\.low80) && honest.map(\.high80) == other.map(\.high80))
    }

    @Test("a back-test answers rows without a plan too, and all of them when no plan was ever known")
    func backtestWithoutPlans() throws {
        for planless in [5, 1] {
            var allocations = Company().allocations(300)
            var parts: [String: TrainingConfiguration.Part] = [:]
            for index in allocations.indices {
                allocations[index].completedAt = allocations[index].decidedAt + 3_600
                if index % planless == 0 { allocations[index].plannedHours = 0 }
                parts[allocations[index].id] = index < 180 ? .train : index < 230 ? .valid : .test
            }
            let result = try Backtest(
                history: History(allocations: allocations), parts: parts, withPlan: true, epochs: 3
            ).run()
            #expect(result.rows.map(\.id) == (230..<300).map { "a\($0)" })
            #expect(result.rows.allSatisfy { $0.hours > 0 && $0.hours.isFinite })
            // Only like is compared with like: the figures are of the rows with plans, if there are any.
            #expect(result.reports[0].overall.hours?.count == (planless == 1 ? 70 : 56))
            #expect(result.reports[0].withPlan == (planless > 1))
        }
    }

    @Test("a back-test answers test rows without a known outcome, and evaluates only the others")
    func backtestWithoutOutcomes() throws {
        for withheld in [2, 1] {
            var allocations = Company().allocations(300)
            var parts: [String: TrainingConfiguration.Part] = [:]
            for index in allocations.indices {
                allocations[index].completedAt = allocations[index].decidedAt + 3_600
                parts[allocations[index].id] = index < 180 ? .train : index < 230 ? .valid : .test
                if index >= 230, index % withheld == 0 {
                    allocations[index].completedAt = nil
                    allocations[index].actualHours = nil
                }
            }
            for refits in [0, 2] {
                let result = try Backtest(
                    history: History(allocations: allocations), parts: parts, withPlan: true, refits: refits, epochs: 3
                ).run()
                #expect(result.rows.map(\.id) == (230..<300).map { "a\($0)" })
                #expect(result.rows.count { $0.actualHours == nil } == 70 / withheld)
                #expect(result.winners.count == max(1, refits))
                #expect(result.reports.first?.overall.hours?.count == (withheld == 1 ? nil : 35))
                for row in result.rows {
                    let (low, high) = (try #require(row.low80), try #require(row.high80))
                    #expect(low <= row.hours && row.hours <= high && high.isFinite)
                }
            }
        }
    }

    @Test(
        "a few records made after their work was done do not undo a split by time; test rows before the fitted ones do")
    func lateRecords() throws {
        var allocations = Company().allocations(300)
        var parts: [String: TrainingConfiguration.Part] = [:]
        for index in allocations.indices {
            allocations[index].completedAt = allocations[index].decidedAt + 3_600
            parts[allocations[index].id] = index < 180 ? .train : index < 230 ? .valid : .test
            guard index % 25 == 0 else { continue }
            // Thought to have been decided when it began, weeks before those that the split puts it beside.
            allocations[index].completedAt = allocations[index].decidedAt - 3_600
            allocations[index].start = allocations[index].decidedAt - 60 * 86_400
        }
        let history = History(allocations: allocations)
        let result = try Backtest(history: history, parts: parts, withPlan: true, epochs: 3).run()
        #expect(result.rows.count == 70)

        let turned = parts.mapValues { $0 == .train ? .test : $0 == .test ? .train : $0 }
        let error = #expect(throws: TrainingError.self) {
            try Backtest(history: history, parts: turned, withPlan: true, epochs: 3).run()
        }
        #expect(error?.code == .badConfiguration)
    }

    @Test("a replay of a span answers as the model that a training job would have made then, of unfinished work too")
    func asServed() throws {
        let allocations = Company().allocations(300)
        let history = Company().history(300)
        let span = allocations[220].decidedAt..<allocations[290].decidedAt
        let result = try Backtest(history: history, decidedIn: span, asOf: .infinity, refits: 1, epochs: 2).run()
        let run = try TrainingRun(
            history: history, configuration: TrainingConfiguration(epochs: 2, seed: 1, asOf: span.lowerBound))
        // What was decided lately and is unfinished makes what is finished count for more.
        #expect(run.plannedSplit?.everythingWeights.isEmpty == false)
        let model = try run.run().model
        #expect(result.rows.map(\.id) == allocations[220..<290].map(\.id))
        var moved = 0
        for (row, allocation) in zip(result.rows, allocations[220..<290]) {
            // What came of the first rows moves what is said of the others, as it does where a model serves.
            let answer = model.recalibrated(history: history, at: allocation.decidedAt)
                .forecast(Decision(allocation), history: history, explaining: false)
            if answer.hours != model.forecast(Decision(allocation), history: history).hours { moved += 1 }
            #expect(row.hours == answer.hours && row.successProbability == answer.successProbability)
            #expect(row.low80 == answer.interval(80)?.low && row.high80 == answer.interval(80)?.high)
        }
        #expect(moved > 20)
    }

    @Test("a replay says how often chances were refused along the way")
    func chancesRefused() throws {
        // Who keeps plans is known to the team, until for a while nobody knows.
        let allocations = Company(habits: [0], noise: 0.15).allocations(650).enumerated().compactMap {
            index, given -> Allocation? in
            guard !(600..<640).contains(index) else { return nil }
            var allocation = given
            allocation.actualHours = (given.actualHours ?? 1) * (given.labels["team"] == "t0" ? 2 : 0.5)
            if index >= 508 { allocation.actualHours? *= index % 2 == 0 ? 6 : 1.0 / 6 }
            return allocation
        }
        let result = try Backtest(
            history: History(allocations: allocations), decidedIn: Company.end(600)..<Company.end(650),
            asOf: Company.end(700), refits: 1, epochs: 2
        ).run()
        #expect(result.rows.count == 10 && result.chancesRefused == 1)
        #expect(BacktestReport(result).card.contains("were refused (at 1 of 1 fits)"))
        var other = result
        other.chancesRefused = 0
        #expect(!BacktestReport(other).card.contains("were refused"))
        // Where some fits say nothing, what is said of chances is of the others' answers.
        other.reports[0].slices[0].success = Statistics.success([true, false], [0.7, 0.3])
        #expect(BacktestReport(other).card.contains("of the 2 with recorded hours whose answers gave a chance"))
    }

    @Test("before enough is known for a model the baseline answers, as where none is deployed, and the report says so")
    func early() throws {
        let allocations = Company().allocations(200)
        let history = Company().history(200)
        func replayed(_ first: Int, _ end: Int, refits: Int) throws -> Backtest.Result {
            try Backtest(
                history: history, decidedIn: allocations[first].decidedAt..<allocations[end].decidedAt,
                asOf: Company.end(200), refits: refits, epochs: 2
            ).run()
        }
        // Some ten outcomes are known when the first forty are asked about, and some fifty when the next are.
        let result = try replayed(20, 140, refits: 3)
        #expect(result.rows.map(\.id) == (20..<140).map { "a\($0)" })
        #expect(result.answeredByBaseline == 40 && result.winners.count == 2)
        for (row, allocation) in zip(result.rows.prefix(40), allocations[20...]) {
            let answer = ForecastModel.baseline.forecast(Decision(allocation), history: history, explaining: false)
            #expect(row.hours == answer.hours && row.low80 == nil && row.successProbability == nil)
        }
        #expect(result.reports.first?.overall.hours?.count == 80 && result.baselineHours?.count == 40)
        let report = BacktestReport(result)
        #expect(report.answeredByBaseline == 40 && report.judged == 120)
        #expect(report.card.contains("by models fitted 2 times along the way"))
        let late = try replayed(140, 160, refits: 1)
        #expect(late.answeredByBaseline == 0 && late.baselineHours == nil)
        #expect(report.card.contains("Too little was known before the first 40 of them to fit a model to"))

        let earliest = BacktestReport(try replayed(2, 20, refits: 2))
        #expect(earliest.fits == 0 && earliest.answeredByBaseline == 18 && earliest.candidates.isEmpty)
        #expect(earliest.baseline?.count == 18 && earliest.card.contains("the baseline answered"))
    }

    @Test("figures of models with plans are of what was asked once there were plans enough, and stand for no more")
    func latePlans() throws {
        let count = 200
        let allocations = Company().allocations(count).enumerated().map { index, given in
            var allocation = given
            if index < 60 { allocation.plannedHours = 0 }
            return allocation
        }
        // No plan is known when the first seventy are asked about, and some fifty when the others are.
        let result = try Backtest(
            history: History(allocations: allocations),
            decidedIn: allocations[60].decidedAt..<allocations[199].decidedAt.nextUp, asOf: Company.end(count),
            refits: 2, epochs: 2
        ).run()
        #expect(result.rows.count == 140 && result.answeredByBaseline == 0)
        #expect(result.winners.count == 1 && result.reports.first?.overall.hours?.count == 70)
        // All of it is finished: nothing is missing.
        #expect(result.reach > 0.99)
    }

    @Test("a replay waits for no outcome of what was cancelled, nor of what was finished without hours")
    func withoutOutcome() throws {
        let count = 240
        let allocations = Company().allocations(count).enumerated().map { index, given in
            var allocation = given
            if index % 4 < 2 { allocation.actualHours = nil }
            if index % 4 == 0 { (allocation.completedAt, allocation.cancelledAt) = (nil, given.completedAt) }
            return allocation
        }
        let result = try Backtest(
            history: History(allocations: allocations),
            decidedIn: allocations[160].decidedAt..<allocations[239].decidedAt.nextUp, asOf: Company.end(count),
            refits: 1, epochs: 2
        ).run()
        #expect(result.rows.count == 80 && result.reports.first?.overall.hours?.count == 40)
        #expect(result.reach > 0.99, "\(result.reach)")
    }

    @Test("a back-test of thirty rows still has 80 % ranges to give")
    func smallest() throws {
        var allocations = Company().allocations(30)
        var parts: [String: TrainingConfiguration.Part] = [:]
        for index in allocations.indices {
            allocations[index].completedAt = allocations[index].decidedAt + 3_600
            parts[allocations[index].id] = index < 21 ? .train : index < 24 ? .valid : .test
        }
        let result = try Backtest(
            history: History(allocations: allocations), parts: parts, withPlan: true, epochs: 3
        ).run()
        #expect(result.rows.count == 6)
        #expect(result.rows.allSatisfy { ($0.low80 ?? .infinity) <= $0.hours && $0.hours <= ($0.high80 ?? -1) })
    }
}

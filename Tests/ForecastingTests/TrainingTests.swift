import Basics
import Foundation
import Synchronization
import Testing

@testable import Forecasting

@Suite struct TrainingTests {
    private func configuration(_ count: Int, epochs: Int = 12, seed: UInt64 = 1) -> TrainingConfiguration {
        TrainingConfiguration(months: 6, epochs: epochs, seed: seed, asOf: Company.end(count), maximumTrees: 40)
    }

    @Test("too little history is refused in a planner's words")
    func tooLittle() {
        let history = Company().history(7)
        let error = #expect(throws: TrainingError.self) {
            _ = try TrainingRun(history: history, configuration: configuration(7))
        }
        #expect(error?.code == .tooLittleHistory)
        #expect(error?.description == "only 7 completed allocations in the last 6 months; at least 30 are needed")
        // A split that is given from outside is of all there is.
        let parts = Dictionary(
            uniqueKeysWithValues: history.allocations.map { ($0.id, TrainingConfiguration.Part.train) })
        let all = #expect(throws: TrainingError.self) {
            _ = try TrainingRun(history: history, configuration: .init(asOf: .infinity, split: .assigned(parts)))
        }
        #expect(all?.description == "only 7 completed allocations; at least 30 are needed")
    }

    @Test("work whose hours nobody has recorded is not taken for kept plans")
    func withoutHours() {
        let history = History(
            allocations: Company().allocations(100).enumerated().map { index, given in
                var allocation = given
                if index >= 20 { allocation.actualHours = nil }
                return allocation
            })
        let error = #expect(throws: TrainingError.self) {
            _ = try TrainingRun(history: history, configuration: configuration(100))
        }
        #expect(error?.code == .tooLittleHistory)
        #expect(error?.description.contains("at least 30 are needed (80 more have no recorded hours)") == true)
    }

    @Test("equal histories give equal models, whenever they are asked for")
    func momentOfAsking() throws {
        let history = Company().history(60)
        let artefacts = try [Company.end(60), Company.end(60) + 86_400].map { asOf in
            let configuration = TrainingConfiguration(epochs: 3, seed: 1, asOf: asOf, maximumTrees: 20)
            return try TrainingRun(history: history, configuration: configuration).run().model.encoded()
        }
        #expect(artefacts[0] == artefacts[1])
    }

    @Test("where there is more than can be fitted to, the latest rows are, and warning and card say of how many")
    func mostRows() throws {
        let history = Company().history(300)
        let run = try TrainingRun(
            history: history, configuration: configuration(300, epochs: 2), maximumRows: 200)
        #expect(run.rowCount == 200 && run.rows.map(\.id) == (100..<300).map { "a\($0)" })
        let warning = "Only the latest 200 of 300 completed allocations are fitted to and judged"
        #expect(run.warnings.contains { $0.hasPrefix(warning) })
        let card = try run.run().modelCard
        #expect(card.contains("of 300 in all") && card.contains(warning))
        let whole = try TrainingRun(history: history, configuration: configuration(300, epochs: 2))
        #expect(whole.rowCount == 300 && !whole.warnings.contains { $0.hasPrefix("Only the latest") })
    }

    @Test("people's own ratios are learned, and the winner beats the plan by far")
    func learns() throws {
        let history = Company().history(600)
        let outcome = try TrainingRun(history: history, configuration: configuration(600)).run()
        let plan = try #require(outcome.reports.first { $0.name == "planned_hours" }?.overall.hours)
        let own = try #require(outcome.report.overall.hours)
        #expect(own.mae < 0.6 * plan.mae)
        let ratio = try #require(outcome.reports.first { $0.name == "person_ratio" }?.overall.hours)
        #expect(own.mae < 1.05 * ratio.mae)
        #expect(own.logRMSE < 0.35)
        #expect(outcome.isValidated)
        #expect(outcome.modelCard.contains("Nothing was chosen on the rows that the figures are of."))
        let confidence = try #require(outcome.confidence)
        #expect(confidence.count == outcome.validationRows && abs(confidence.said - confidence.came) < 0.2)
        #expect(outcome.modelCard.contains("Its confidence was"))
        let slow = outcome.model.forecast(
            Decision(employee: "e3", project: "p0", skills: ["swift"], plannedHours: 10, at: Company.end(600)),
            history: history)
        #expect(slow.hours > 18 && slow.hours < 34)
        let range = try #require(slow.interval(80))
        #expect(range.low <= slow.hours && slow.hours <= range.high)
        let wide = try #require(slow.interval(90))
        #expect(wide.low <= range.low && range.high <= wide.high)
        #expect(try #require(slow.successProbability) < 0.25)
        #expect((0...100).contains(slow.confidence))
        #expect(slow.knowsEmployee)
        let fast = outcome.model.forecast(
            Decision(employee: "e2", project: "p0", skills: ["swift"], plannedHours: 10, at: Company.end(600)),
            history: history)
        #expect(try #require(fast.successProbability) > 0.75)
        #expect(fast.hours < 9)
    }

    @Test("when plans are right but for noise, no model is called better than the plan")
    func honest() throws {
        var company = Company()
        company.habits = [0]
        company.noise = 0.4
        let outcome = try TrainingRun(history: company.history(300), configuration: configuration(300)).run()
        let own = try #require(outcome.report.overall.hours)
        let plan = try #require(outcome.reports.first { $0.name == "planned_hours" }?.overall.hours)
        #expect(own.mae < 1.05 * plan.mae)
        #expect(!outcome.beatsBaseline)
        #expect(!outcome.modelCard.contains("is better than the best simple baseline"))
        #expect(
            outcome.modelCard.contains(
                outcome.report.isBaseline ? "so that baseline answers" : "It is level with the best simple baseline"))
    }

    @Test("plans that are exactly kept, all or nearly all of them, are learned as such", arguments: [60, 57, 300])
    func keptPlans(kept: Int) throws {
        let count = max(60, kept)
        let allocations = Company().allocations(count).enumerated().map { index, given in
            var allocation = given
            allocation.actualHours = given.plannedHours * (index % 20 == 7 && kept < 60 ? 1.5 : 1)
            return allocation
        }
        let history = History(allocations: allocations)
        let outcome = try TrainingRun(history: history, configuration: configuration(count, epochs: 3)).run()
        #expect(outcome.reports.allSatisfy { $0.score.isFinite })
        // What is stored with the model must be JSON.
        #expect(throws: Never.self) { try JSONEncoder().encode(outcome.reports) }
        let answer = outcome.model.forecast(
            Decision(employee: "e1", project: "p1", skills: ["swift"], plannedHours: 8, at: Company.end(count)),
            history: history)
        #expect(answer.hours == 8)
        // Sixty rows are too few for the three slices of time, and then no chance of success is claimed.
        let chance = count == 300 ? try #require(answer.successProbability) : answer.successProbability ?? 1
        #expect(chance > 0.85)
        #expect(answer.confidence > 80)
    }

    @Test("the same history, seed and dataset give the same bytes; another seed gives others")
    func deterministic() throws {
        let history = Company().history(240)
        let first = try TrainingRun(history: history, configuration: configuration(240)).run().model.encoded()
        let again = try TrainingRun(history: history, configuration: configuration(240)).run().model.encoded()
        #expect(first == again)
        let other = try TrainingRun(history: history, configuration: configuration(240, seed: 2)).run().model.encoded()
        #expect(first != other)
    }

    @Test("a run killed at every epoch and resumed gives the same bytes, no epoch lost or doubled")
    func resumed() throws {
        struct Killed: Error {}
        let history = Company().history(120)
        let run = try TrainingRun(history: history, configuration: configuration(120, epochs: 6))
        let whole = try run.run().model.encoded()
        var latest: [UInt8]?
        var finished: TrainingOutcome?
        let epochs = Mutex<[Int]>([])
        var kills = 0
        while finished == nil {
            do {
                finished = try run.run(
                    progress: { step in if let epoch = step.epoch { epochs.withLock { $0.append(epoch) } } },
                    resumeFrom: latest,
                    checkpoint: { bytes in
                        latest = bytes
                        kills += 1
                        if kills <= 12 { throw Killed() }
                    })
            } catch is Killed {}
        }
        #expect(kills == 12)
        #expect(epochs.withLock { $0 } == Array(1...6))
        #expect(finished?.model.encoded() == whole)
    }

    @Test("a checkpoint of another run is refused")
    func foreignCheckpoint() throws {
        var bytes: [UInt8] = []
        _ = try TrainingRun(history: Company().history(80), configuration: configuration(80, epochs: 2))
            .run(checkpoint: { bytes = $0 })
        let other = try TrainingRun(history: Company(seed: 8).history(80), configuration: configuration(80, epochs: 2))
        let error = #expect(throws: TrainingError.self) { _ = try other.run(resumeFrom: bytes) }
        #expect(error?.code == .badCheckpoint)
    }

    @Test("a cancelled run ends as cancelled, in the network as in the trees")
    func cancelled() throws {
        let run = try TrainingRun(history: Company().history(240), configuration: configuration(240, epochs: 3))
        let inNetwork = #expect(throws: TrainingError.self) { _ = try run.run(isCancelled: { true }) }
        #expect(inNetwork?.code == .cancelled)
        let isLate = Mutex(false)
        let late = #expect(throws: TrainingError.self) {
            _ = try run.run(
                progress: { step in if step.stage.hasPrefix("hours") { isLate.withLock { $0 = true } } },
                isCancelled: { isLate.withLock { $0 } })
        }
        #expect(late?.code == .cancelled)
    }

    @Test("a decoded artefact answers bit for bit as before, and damaged bytes are refused without a crash")
    func artefact() throws {
        let history = Company().history(240)
        let model = try TrainingRun(history: history, configuration: configuration(240)).run().model
        let bytes = model.encoded()
        let decoded = try ForecastModel(decoding: bytes)
        #expect(decoded.encoded() == bytes)
        for allocation in history.allocations.suffix(20) {
            let decision = Decision(allocation)
            #expect(model.forecast(decision, history: history) == decoded.forecast(decision, history: history))
            #expect(
                model.forecast(decision.withoutPlan, history: history)
                    == decoded.forecast(decision.withoutPlan, history: history))
        }
        #expect(throws: (any Error).self) { _ = try ForecastModel(decoding: Array(bytes.dropLast())) }
        #expect(throws: (any Error).self) { _ = try ForecastModel(decoding: [1, 2, 3]) }
        for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 300)) {
            var damaged = bytes
            damaged[position] ^= 0xFF
            // Whatever comes out, it must not trap.
            _ = try? ForecastModel(decoding: damaged)
        }
    }

    @Test("thirty rows are enough for an answer, which says what it cannot say")
    func small() throws {
        let history = Company().history(32)
        let outcome = try TrainingRun(history: history, configuration: configuration(32)).run()
        let answer = outcome.model.forecast(
            Decision(employee: "nobody", project: "nowhere", plannedHours: 8, at: Company.end(32)), history: history)
        #expect(answer.hours > 0 && answer.hours.isFinite)
        #expect(!answer.knowsEmployee)
        #expect(answer.interval(90) == nil, "a dozen rows cannot calibrate a 90 % range")
        #expect(outcome.modelCard.contains("too few to show"))
        let blind = outcome.model.forecast(
            Decision(employee: "e1", project: "p1", at: Company.end(32)), history: history)
        #expect(blind.hours > 0 && blind.hours.isFinite)
    }

    @Test("forecasts as of a past moment are blind to what came later")
    func asOfPast() throws {
        let history = Company().history(240)
        let model = try TrainingRun(history: history, configuration: configuration(240)).run().model
        let allocation = history.allocations[100]
        var random = SeededGenerator(seed: 1)
        let other = AsOfCheck.scramble(history, after: allocation.decidedAt, keeping: allocation.id, &random)
        let decision = Decision(allocation)
        #expect(model.forecast(decision, history: history) == model.forecast(decision, history: other))
    }

    @Test("every figure of every slice comes with an interval around it, so that few rows cannot look like certainty")
    func intervalsOfFigures() throws {
        var company = Company()
        company.people = 40
        let outcome = try TrainingRun(history: company.history(400), configuration: configuration(400, epochs: 3)).run()
        for report in outcome.reports {
            for slice in report.slices {
                let hours = try #require(slice.hours)
                var figures: [String: Double?] = [
                    "mae": hours.mae, "median_ae": hours.medianAbsoluteError, "pred25": hours.pred25,
                    "log_rmse": hours.logRMSE,
                ]
                if slice.slice == "all" { figures["sa"] = hours.standardisedAccuracy }
                for interval in slice.intervals {
                    figures["coverage\(interval.level)"] = interval.coverage
                    figures["width\(interval.level)"] = interval.meanWidth
                    figures["winkler\(interval.level)"] = interval.winkler
                    figures["pinball\(interval.level)"] = interval.pinball
                }
                if let success = slice.success {
                    figures.merge(
                        [
                            "brier": success.brier, "log_loss": success.logLoss, "ece": success.calibrationError,
                            "accuracy": success.accuracy, "precision": success.precision, "recall": success.recall,
                            "f1": success.f1,
                        ]
                    ) { $1 }
                }
                for (name, figure) in figures {
                    let found = try #require(slice.bootstrap.first { $0.figure == name }, "\(report.name) \(name)")
                    #expect(found.low <= found.high)
                    // Resampling moves a calibration error upwards; means stay inside.
                    guard slice.slice == "all", name != "ece", let figure else { continue }
                    #expect(found.low - 1e-9 <= figure && figure <= found.high + 1e-9, "\(report.name) \(name)")
                }
            }
        }
        /// The mean width over all candidates.
        func width(_ slice: String) -> Double {
            let widths = outcome.reports.compactMap { report in
                report.slices.first { $0.slice == slice }?.bootstrap.first { $0.figure == "log_rmse" }.map {
                    $0.high - $0.low
                }
            }
            return widths.reduce(0, +) / Double(widths.count)
        }
        #expect(width("new person") > width("all"))
    }

    @Test("hours that follow from utilisation tell nothing of plans that are kept, and the card says how many they are")
    func utilisation() throws {
        let allocations = Company().allocations(240).map { given in
            var allocation = given
            allocation.actualHours = nil
            return allocation
        }
        // From half of the plan to a tenth above it.
        let capacity = (0..<6).flatMap { person in
            (0..<160).map { day in
                CapacityDay(
                    employee: "e\(person)", day: 1_000_000_000 + Double(day) * 86_400,
                    utilisation: 50 + 15 * Double((day + person) % 5))
            }
        }
        let history = History(allocations: allocations, capacity: capacity)
        let run = try TrainingRun(history: history, configuration: configuration(240, epochs: 1))
        let outcome = try run.run()
        #expect(outcome.report.overall.success == nil && outcome.model.planned?.success == nil)
        let asked = Decision(employee: "e1", project: "p1", plannedHours: 8, at: Company.end(240))
        #expect(outcome.model.forecast(asked, history: history).successProbability == nil)
        #expect(outcome.warnings.contains { $0.hasPrefix("240 completed allocations whose hours are not recorded") })
        // Where some are recorded, the share of kept plans is of these.
        var report = outcome.report
        report.slices[0].success = Statistics.success([true, false], [0.7, 0.3])
        let card = ModelCard(
            withoutPlan: nil, withoutDetails: nil, details: [], rows: 240, split: run.split, winner: report,
            beatsBaseline: false, gates: [], warnings: [], refusesChances: false, givesRanges: true)
        #expect(card.text.contains("happened in 50 % of the 2 of these rows with recorded hours and a chance"))
    }

    @Test("files that were imported twice are told of: figures count each of their tasks twice")
    func twins() {
        let rows = Company().history(40).learningRows(asOf: .infinity)
        #expect(!DataWarnings.warnings(rows).contains { $0.contains("with a twin") })
        let twins = rows.prefix(3).map { row in
            var twin = row
            twin.id += " again"
            twin.decision.at += 3_600
            return twin
        }
        #expect(
            DataWarnings.warnings(rows + twins).contains { $0.hasPrefix("3 completed allocations with a twin") })
    }

    @Test("beside the deployed model, finished work counts for what is not finished, as in all other figures")
    func incumbentWeights() throws {
        func tasks(longWeight: Double) -> [PairedTask] {
            func task(_ hours: Double, _ new: Double, _ incumbent: Double, _ weight: Double) -> PairedTask {
                PairedTask(
                    actualHours: hours, newHours: new, incumbentHours: incumbent, isSuccess: nil, newSuccess: nil,
                    incumbentSuccess: nil, weight: weight)
            }
            return (0..<70).map { $0 < 60 ? task(10, 11, 12, 1) : task(100, 110, 106, longWeight) }
        }
        let even = try #require(IncumbentComparison(tasks(longWeight: 1), seed: 1))
        #expect(abs(even.difference.meanDifference + 20.0 / 70) < 1e-9)
        let weighted = try #require(IncumbentComparison(tasks(longWeight: 3), seed: 1))
        #expect(abs(weighted.difference.meanDifference - 60.0 / 90) < 1e-9 && !weighted.favoursNew)
        #expect(abs(weighted.meanAbsoluteError - 4) < 1e-9)
    }

    @Test("beyond the largest plan that was seen an estimate is as many times the plan as there")
    func largePlans() throws {
        let history = Company().history(240)
        let model = try TrainingRun(history: history, configuration: configuration(240, epochs: 1)).run().model
        #expect(try ForecastModel(decoding: model.encoded()).encoded() == model.encoded())
        // All seen are 35 hours at most. Whole days, and farther from what is usual in any group than any that was seen.
        let ratios = [700.0, 1_400].map { planned -> Double in
            let decision = Decision(
                employee: "e3", project: "p1", skills: ["swift"], labels: ["priority": "1", "team": "t0"],
                plannedHours: planned, allocationPercent: 50, at: Company.end(240))
            return model.forecast(decision, history: history).hours / planned
        }
        #expect(abs(ratios[0] - ratios[1]) < 1e-7, "\(ratios)")
    }
}

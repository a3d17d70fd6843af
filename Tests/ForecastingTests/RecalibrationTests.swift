import Basics
import Foundation
import Testing

@testable import Forecasting

extension Recalibration.Offset {
    /// That makes one chance another.
    init(probabilityFrom first: Double, to second: Double) {
        self.init(logOdds: Self.logOdds(second) - Self.logOdds(first))
    }
}

/// Chances follow the latest known outcomes between one training and the next.
@Suite struct RecalibrationTests {
    private static func outcomes(said: Double, true chance: Double, _ count: Int, seed: UInt64) -> [Bool] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in random.uniform() < chance }
    }

    @Test("an offset takes chances to what came true, and next to nothing of it when the difference may be chance")
    func offset() {
        let wrong = Recalibration.Offset(
            probabilities: [Double](repeating: 0.3, count: 100), outcomes: (0..<100).map { $0 < 60 })
        #expect(abs(wrong.applied(to: 0.3) - 0.6) < 0.03)
        let right = Recalibration.Offset(
            probabilities: [Double](repeating: 0.6, count: 100), outcomes: (0..<100).map { $0 < 55 })
        #expect(right.logOdds == 0)
        let few = Recalibration.Offset(
            probabilities: [Double](repeating: 0.3, count: 29), outcomes: (0..<29).map { _ in true })
        #expect(few.logOdds == 0)
        let all = Recalibration.Offset(
            probabilities: [Double](repeating: 0.9, count: 100), outcomes: (0..<100).map { _ in true })
        #expect(all.logOdds.isFinite && all.applied(to: 0.9) > 0.95)
    }

    @Test("where nothing has changed an offset costs less than half a point, a drift of fifteen points it halves")
    func worth() {
        func error(_ chance: Double) -> Double {
            let squares = (1...400).map { seed -> Double in
                let outcomes = Self.outcomes(said: 0.7, true: chance, 100, seed: UInt64(seed))
                let offset = Recalibration.Offset(
                    probabilities: [Double](repeating: 0.7, count: 100), outcomes: outcomes)
                let left = offset.applied(to: 0.7) - chance
                return left * left
            }
            return squares.reduce(0, +) / 400
        }
        // In Brier scores: the square of how far a chance is off.
        #expect(error(0.7) < 0.0012)
        #expect(error(0.55) < 0.15 * 0.15 / 2)
    }

    @Test("only outcomes that were unknown when the model was fitted, and known at the moment asked about, count")
    func span() throws {
        let count = 300
        // One plan in four is kept: a base rate that is said.
        var allocations = Company(habits: [0.3, 0.5, -0.4, 0.9, 0.2, 0.1]).allocations(count + 80)
        // After the model is made nothing is finished within its plan any more.
        let made = allocations[count].decidedAt
        for index in count..<count + 80 {
            allocations[index].actualHours = 3 * allocations[index].plannedHours
            allocations[index].completedAt = allocations[index].decidedAt + 3_600
        }
        let known = History(allocations: allocations.filter { ($0.completedAt ?? .infinity) < made })
        let model = try TrainingRun(
            history: known,
            configuration: TrainingConfiguration(
                months: 24, epochs: 2, seed: 1, asOf: made, maximumTrees: 40, searchSeconds: 0)
        ).run().model
        let history = History(allocations: allocations)
        var decision = Decision(allocations[count + 79])
        decision.at = Company.end(count + 80)
        func chance(_ known: History, at moment: Double) throws -> Double {
            let model = model.recalibrated(history: known, at: moment)
            return try #require(model.forecast(decision, history: history, explaining: false).successProbability)
        }
        let plain = try #require(model.forecast(decision, history: history).successProbability)
        #expect(try chance(known, at: .infinity) == plain)
        #expect(try chance(history, at: made) == plain)
        #expect(try chance(history, at: .infinity) < 0.7 * plain)
        // No part of the artefact: the next training begins anew.
        #expect(model.recalibrated(history: history, at: .infinity).encoded() == model.encoded())
        #expect(history.outcomesKnown(before: made) != history.outcomesKnown(before: .infinity))
    }

    @Test("an outcome that is put right is another one; equal outcomes are equal however a history was put together")
    func putRight() throws {
        let allocations = Company().allocations(300)
        func known(_ history: History) -> KnownOutcomes { history.outcomesKnown(before: .infinity) }
        var history = History(allocations: allocations)
        let before = known(history)
        var corrected = allocations
        corrected[299].actualHours = (allocations[299].actualHours ?? 0) + 1
        history.apply(.allocation(corrected[299]))
        #expect(known(history).count == before.count && known(history) != before)
        #expect(known(history) == known(History(allocations: corrected)))
        history.apply([.allocation(allocations[299]), .allocation(allocations[299])])
        #expect(known(history) == before)
        // All that features are made of.
        let edits: [(inout Allocation) -> Void] = [
            { $0.employee = $0.employee == "e0" ? "e1" : "e0" }, { $0.project = "elsewhere" },
            { $0.skills = ["cobol"] }, { $0.labels["priority"] = "9" }, { $0.labels = [:] },
            { $0.allocationPercent = nil }, { $0.title = "other work" }, { $0.start = nil },
            { $0.plannedEnd = $0.decidedAt + 86_400 }, { $0.plannedHours += 1 },
        ]
        for (number, edit) in edits.enumerated() {
            corrected = allocations
            edit(&corrected[299])
            var changed = History(allocations: allocations)
            changed.apply(.allocation(corrected[299]))
            #expect(known(changed) != before, "edit \(number)")
            #expect(known(changed) == known(History(allocations: corrected)), "edit \(number)")
        }
        // Sums and moments stay as they were where two exchange their hours.
        corrected = allocations
        corrected[298].actualHours = allocations[299].actualHours
        corrected[299].actualHours = allocations[298].actualHours
        #expect(known(History(allocations: corrected)) != before)
        history.apply(.allocationRemoved(id: allocations[299].id))
        #expect(known(history) == known(History(allocations: Array(allocations.prefix(299)))))
        history.apply(Company().changes(300))
        var all = History()
        for change in allocations.map(HistoryChange.allocation) + Company().changes(300) { all.apply(change) }
        #expect(known(all) == known(history))
    }

    @Test("each kind of question follows what itself had said, and confidence what is answered then")
    func byKind() throws {
        let count = 400
        // Labels say who keeps plans; after the model is made everything takes longer.
        var allocations = Company(habits: [0], noise: 0.25, seed: 11).allocations(count + 260)
        let made = allocations[count].decidedAt
        for index in allocations.indices {
            let slow = allocations[index].labels["team"] == "t0" ? 1.6 : 0.7
            allocations[index].allocationPercent = nil
            allocations[index].actualHours = (allocations[index].actualHours ?? 1) * slow * (index < count ? 1 : 1.3)
            allocations[index].completedAt = allocations[index].decidedAt + 3_600
        }
        let model = try TrainingRun(
            history: History(allocations: Array(allocations.prefix(count))),
            configuration: TrainingConfiguration(
                months: 240, epochs: 2, seed: 1, asOf: made, maximumTrees: 60, searchSeconds: 0)
        ).run().model
        #expect(model.plannedWithoutDetails != nil)
        let history = History(allocations: allocations)
        let moved = model.recalibrated(history: history, at: allocations[count + 160].decidedAt)
        for knowsLabels in [true, false] {
            var (said, came, near, hits) = (0.0, 0.0, 0.0, 0.0)
            for allocation in allocations[(count + 160)...] {
                var decision = Decision(allocation)
                if !knowsLabels { decision.labels = [:] }
                let answer = moved.forecast(decision, history: history, explaining: false)
                let actual = try #require(allocation.actualHours)
                if let chance = answer.successProbability {
                    said += chance
                    came += actual <= allocation.plannedHours ? 1 : 0
                }
                near += answer.confidence / 100
                hits += Statistics.isNear(actual: actual, toEstimate: answer.hours) ? 1 : 0
            }
            // Of a hundred tasks; one standard error is some five.
            #expect(abs(said - came) < 12, "\(knowsLabels): \(said) said, \(came) came")
            #expect(abs(near - hits) < 15, "\(knowsLabels): \(near) said, \(hits) came near")
        }
    }
}

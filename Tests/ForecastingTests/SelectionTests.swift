import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct SelectionTests {
    /// Rows of one hour planned each, and what they took.
    private func rows(_ hours: [Double]) -> [LearningRow] {
        hours.indices.map { index in
            LearningRow(
                id: "a\(index)", slot: Int32(index),
                decision: Decision(employee: "e", project: "p", plannedHours: 1, at: Double(index)),
                completedAt: Double(index) + 1, hours: hours[index], planned: 1)
        }
    }

    private let candidates = [
        HoursCandidate(name: "planned_hours", title: "", isBaseline: true, members: [.prior]),
        HoursCandidate(name: "linear", title: "", members: [.linearMean]),
    ]

    private func choose(_ hours: [Double], linear: [Double]) -> (HoursCandidate, Selection.Choice) {
        var tried = candidates
        let choice = Selection(rows: rows(hours), withPlan: true, lastCount: hours.count / 4, seed: 1)
            .choose(&tried, predictions: MemberPredictions([.prior: hours.map { _ in 0 }, .linearMean: linear]))
        return (tried[choice.winner], choice)
    }

    @Test("a model that is right where the plan is wrong wins, beyond noise, and is believed whole")
    func better() {
        let hours = (0..<200).map { exp(Double($0 % 5) * 0.3) }
        let (winner, choice) = choose(hours, linear: hours.map { log($0) + 0.01 })
        #expect(winner.name == "linear")
        #expect(winner.trust == 1)
        #expect(choice.beatsBaseline)
    }

    @Test("a model that is wrong where the plan is right loses to it")
    func worse() {
        let hours = [Double](repeating: 1, count: 200)
        let (winner, choice) = choose(hours, linear: (0..<200).map { $0 % 2 == 0 ? 1.5 : -1.5 })
        #expect(winner.name == "planned_hours")
        #expect(!choice.beatsBaseline)
    }

    @Test("a model that goes twice as far as it should is held back toward the plan")
    func overconfident() {
        var random = SeededGenerator(seed: 3)
        let effects = (0..<400).map { _ in random.uniform() * 1.6 - 0.8 }
        let (winner, choice) = choose(effects.map { exp($0) }, linear: effects.map { 4 * $0 })
        #expect(winner.name == "linear")
        #expect(winner.trust == 0.25)
        #expect(choice.beatsBaseline)
    }

    @Test("an estimate is the mean of its members, believed as far as trust goes, and the plan when close to it")
    func combined() {
        let candidate = HoursCandidate(name: "x", title: "", members: [.linearMean, .treesMean], snap: 0.1, trust: 0.5)
        #expect(candidate.combine([0.75, 0.5]) == 0.3125)
        #expect(candidate.combine([0.2, 0.1]) == 0)
    }

    @Test("a candidate enters the race when all its members were fitted, whichever those are")
    func membersByName() {
        let all = Set(MemberName.allCases)
        #expect(CandidateCatalogue.candidates(of: all, withPlan: true).count == 12)
        let names = CandidateCatalogue.candidates(of: all.subtracting([.baseNetwork, .treesMean]), withPlan: true)
            .map(\.name)
        #expect(
            names == [
                "planned_hours", "person_ratio", "linear_log_ratio", "linear_median", "boosted_trees_median",
                "linear_pooled", "ensemble",
            ])
        // Each kind of member is some candidate's.
        let kinds = CandidateCatalogue.candidates(of: all, withPlan: false).reduce(into: Set()) {
            $0.formUnion($1.kinds)
        }
        #expect(kinds == [.medians, .linear, .trees, .network])
    }

    @Test("a candidate that names a member which the artefact does not have is refused")
    func unknownMember() throws {
        var writer = ByteWriter()
        HoursCandidate(name: "x", title: "y", members: [.treesMean]).encode(into: &writer)
        var reader = ByteReader(writer.bytes)
        reader.formatVersion = 2
        #expect(throws: ArtifactError.self) { try HoursCandidate(from: &reader, fitted: [.prior, .linearMean]) }
    }

    @Test("a median error next to nothing does not outweigh better hours and ratios")
    func tinyMedian() {
        func metrics(_ mae: Double, _ median: Double, _ logRMSE: Double) -> HoursMetrics {
            HoursMetrics(
                count: 100, mae: mae, medianAbsoluteError: median, pred25: 0.5, logRMSE: logRMSE,
                standardisedAccuracy: nil)
        }
        #expect(SelectionScore.score(metrics(1.6, 0.15, 0.5), over: metrics(2, 0.01, 0.6)) < 0)
        #expect(SelectionScore.score(metrics(1.9, 1, 0.58), over: metrics(2, 0.2, 0.6)) > 0)
    }

    @Test("when the valid slice is too small to calibrate on, the latest train rows judge with it")
    func smallSlice() throws {
        let rows = rows([Double](repeating: 1, count: 600))
        for valid in [0, 7] {
            var parts: [String: TrainingConfiguration.Part] = [:]
            for (index, row) in rows.enumerated() { parts[row.id] = index < 600 - valid ? .train : .valid }
            let split = try TimeSplit(rows: rows, split: .assigned(parts))
            #expect(split.judge == Array(500..<600))
            // The row before the cut was not finished when the first judged one was decided.
            #expect(split.fit == Array(0..<499))
            #expect(split.everything.count == 599 || split.everything.count == 600)
        }
        var parts: [String: TrainingConfiguration.Part] = [:]
        for (index, row) in rows.enumerated() { parts[row.id] = index < 400 ? .train : .valid }
        #expect(try TimeSplit(rows: rows, split: .assigned(parts)).judge == Array(400..<600))
    }

    @Test("the search keeps to the usual shape without a budget, and finds the same twice with one")
    func search() throws {
        let history = Company().history(300)
        func bytes(_ seconds: Double?) throws -> [UInt8] {
            let configuration = TrainingConfiguration(
                epochs: 10, asOf: Company.end(300), maximumTrees: 30, searchSeconds: seconds)
            return try TrainingRun(history: history, configuration: configuration).run().model.encoded()
        }
        #expect(try bytes(5) == bytes(5))
        #expect(try bytes(0) == bytes(1e-9))
    }

    @Test("of candidates that are nearly as good the usual one answers, and one that is clearly better answers instead")
    func usualCandidate() {
        var random = SeededGenerator(seed: 8)
        let effects = (0..<400).map { _ in random.uniform() * 2 - 1 }
        let hours = effects.map { exp($0 + 0.2 * (random.uniform() - 0.5)) }
        // Of the usual candidate's four members one goes too far by so much.
        func winner(tooFar: Double) -> String {
            var tried = CandidateCatalogue.candidates(
                of: Set(MemberName.allCases).subtracting([.baseNetwork]), withPlan: true)
            let away = effects.map { $0 * (1 + tooFar) }
            let choice = Selection(rows: rows(hours), withPlan: true, lastCount: 100, seed: 1).choose(
                &tried,
                predictions: MemberPredictions([
                    .prior: hours.map { _ in 0 }, .shrunkMedian: effects, .linearMean: effects, .linearMedian: effects,
                    .treesMean: away, .treesMedian: effects,
                ]))
            return tried[choice.winner].name
        }
        #expect(winner(tooFar: 0.04) == CandidateCatalogue.usual)
        #expect(winner(tooFar: 4) != CandidateCatalogue.usual)
    }

    @Test("no estimate that differs from the plan by more than a tenth is taken for the plan")
    func narrowSnap() {
        var random = SeededGenerator(seed: 9)
        // Half of the plans are exactly kept, and the model is off by up to a quarter there.
        let hours = (0..<400).map { $0 % 2 == 0 ? 1 : exp(random.uniform() - 1.5) }
        let linear = hours.map { $0 == 1 ? 0.5 * (random.uniform() - 0.5) : log($0) }
        let (winner, _) = choose(hours, linear: linear)
        #expect(winner.name == "linear")
        #expect(winner.snap > 0 && winner.snap <= 0.1)
    }

    @Test("an artefact of format 1, which knew no trust, is still read")
    func formatOne() throws {
        var writer = ByteWriter()
        HoursCandidate(name: "x", title: "y", members: [.prior], snap: 0.1, trust: 0.5).encode(into: &writer)
        var reader = ByteReader(Array(writer.bytes.dropLast(8)))
        reader.formatVersion = 1
        let old = try HoursCandidate(from: &reader, fitted: [.prior])
        #expect(reader.isAtEnd)
        #expect(old.trust == 1)
        reader = ByteReader(writer.bytes)
        reader.formatVersion = 2
        #expect(try HoursCandidate(from: &reader, fitted: [.prior]).trust == 0.5)
    }
}

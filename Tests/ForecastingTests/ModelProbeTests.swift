import Testing

@testable import Forecasting

@Suite struct ModelProbeTests {
    private func outcome(_ history: History, seed: UInt64 = 1) throws -> TrainingOutcome {
        try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 6, epochs: 4, seed: seed, asOf: Company.end(400), maximumTrees: 20)
        ).run()
    }

    @Test("an artefact carries what its trainer answered, and a decoded model answers the same")
    func carried() throws {
        let history = Company().history(400)
        let model = try outcome(history).probedModel(history)
        let probe = try #require(model.probe)
        #expect(probe.questions.count == 8 && probe.difference(from: model) == nil)
        let decoded = try ForecastModel(decoding: model.encoded())
        #expect(decoded.probe?.questions.count == 8 && decoded.encoded() == model.encoded())
        #expect(probe.difference(from: decoded) == nil)
        // Every kind of question has rows near those of real decisions, each of them nobody's own.
        #expect(Set(probe.rows.map(\.place)).isSuperset(of: [.planned, .unplanned]))
        for row in probe.rows {
            let own = history.allocations.contains { allocation in
                [Decision(allocation), Decision(allocation).withoutPlan].contains {
                    model.features(of: $0, history: history).values.map(\.bitPattern) == row.values.map(\.bitPattern)
                }
            }
            #expect(!own)
        }
    }

    @Test("another model's answers, and one changed last place of one answer, are a difference")
    func different() throws {
        let history = Company().history(400)
        let model = try outcome(history).probedModel(history)
        let probe = try #require(model.probe)
        let other = try outcome(Company(seed: 8).history(400)).model
        #expect(probe.difference(from: other)?.contains("question 1") == true)

        let last = try #require(probe.rows.last)
        let figure = try #require(last.figures.last)
        let rows =
            Array(probe.rows.dropLast()) + [
                ModelProbe.Row(
                    place: last.place, planned: last.planned, values: last.values,
                    figures: last.figures.dropLast() + [figure.nextUp])
            ]
        let moved = ModelProbe(
            isFused: probe.isFused, allocations: probe.allocations, questions: probe.questions, rows: rows)
        #expect(moved.difference(from: model)?.contains("row \(rows.count)") == true)
        // By another kind of processor only what differs by more than its arithmetic explains.
        let elsewhere = ModelProbe(
            isFused: !probe.isFused, allocations: probe.allocations, questions: probe.questions, rows: rows)
        #expect(elsewhere.difference(from: model) == nil)
        #expect(
            ModelProbe(
                isFused: !probe.isFused, allocations: probe.allocations, questions: probe.questions, rows: rows
            ).difference(from: other) != nil)
    }

    @Test("an artefact without a probe is read as ever, and one with something else behind it is not")
    func without() throws {
        let history = Company().history(400)
        let bytes = try outcome(history).model.encoded()
        #expect(try ForecastModel(decoding: bytes).probe == nil)
        #expect(throws: ArtifactError.self) { _ = try ForecastModel(decoding: bytes + [1, 2, 3, 4, 5]) }
        let probed = try outcome(history).probedModel(history).encoded()
        #expect(Array(probed.prefix(bytes.count)) == bytes)
        #expect(throws: ArtifactError.self) { _ = try ForecastModel(decoding: Array(probed.dropLast())) }
    }
}

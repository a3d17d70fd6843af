import Foundation
import Testing

@testable import Forecasting

/// What the words of a title say of the work.
@Suite struct TitleTests {
    private static let count = 400

    /// Hours hang on one word of the title; nobody's habit, kind of work or project says anything.
    private static func history(titled: (Int) -> Bool = { _ in true }) -> History {
        History(
            allocations: Company(habits: [0], noise: 0.2).allocations(count).enumerated().map { index, given in
                var allocation = given
                let (thing, size) = (["Invoice", "login", "Report"][index % 3], index % 2 == 0 ? "typo" : "rewrite")
                allocation.actualHours = (index % 2 == 0 ? 1 : 12) * exp(0.1 * Double(index % 5 - 2))
                if titled(index) { allocation.title = "\(thing): \(size) #\(index)" }
                return allocation
            })
    }

    private static func model(_ history: History) throws -> ForecastModel {
        try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: Company.end(count), maximumTrees: 60, searchSeconds: 0)
        ).run().model
    }

    private static let model = Result { try model(history()) }

    private func ask(_ title: String?) throws -> Forecast {
        try Self.model.get().forecast(
            Decision(
                employee: "e1", project: "p1", skills: ["swift"], labels: ["priority": "1", "team": "t0"],
                start: Company.end(Self.count), at: Company.end(Self.count), title: title), history: Self.history())
    }

    @Test("words count once, in lower case, without marks, numbers and single letters; no more than twelve")
    func words() {
        #expect(
            TitleWords.words(in: "Fix the LOGIN-page: fix 2 bugs (v2, #1234) a") == [
                "fix", "the", "login", "page", "bugs", "v2",
            ])
        #expect(TitleWords.words(in: " 12, 13! ").isEmpty)
        #expect(TitleWords.words(in: (0..<20).map { "word\($0)" }.joined(separator: " ")).count == 12)
    }

    @Test("a word that means much work makes the estimate long, also in a title that never was")
    func learned() throws {
        let (short, long) = (try ask("Invoice: typo"), try ask("A rewrite of something unheard of"))
        #expect(short.hours < 2.5 && long.hours > 6, "\(short.hours) \(long.hours)")
        #expect(long.explanation.contains { $0.feature == "tasks with the words of this title" })
    }

    @Test("a question without a title is answered by a model that never knew one")
    func withoutTitle() throws {
        let model = try Self.model.get()
        #expect(model.variant(withPlan: false).schema.expects.contains(.title))
        #expect(model.unplannedWithoutDetails?.schema.usesTitles == false)
        let plain = try ask(nil)
        let (wide, narrow) = (try #require(plain.interval(80)), try #require(try ask("Invoice: typo").interval(80)))
        #expect(wide.high / wide.low > narrow.high / narrow.low)
    }

    @Test("the title's features of a question are those of the training row, and none of them knows what comes later")
    func skew() {
        let history = Self.history { $0 % 4 != 1 }
        let rows = history.learningRows(asOf: .infinity)
        for withPlan in [true, false] {
            let schema = FeatureSchema(withPlan: withPlan, learningFrom: rows)
            #expect(schema.usesTitles && schema.features.count { $0.name.hasPrefix("words.") } == 6)
            let matrix = history.features(of: rows, schema: schema)
            let builder = FeatureBuilder(schema: schema, history: history)
            for (index, row) in rows.enumerated() {
                let live = builder.values(withPlan ? row.decision : row.decision.withoutPlan)
                #expect(live.map(\.bitPattern) == matrix[index].map(\.bitPattern), "\(row.id)")
            }
        }
        #expect(AsOfCheck.leaks(in: history, sample: 10).isEmpty)
    }

    @Test("few titles are no feature, and a model with titles comes back from its bytes with them")
    func format() throws {
        let titled = try Self.model.get()
        let decoded = try ForecastModel(decoding: titled.encoded())
        #expect(decoded.encoded() == titled.encoded() && decoded.variant(withPlan: false).schema.usesTitles)
        let plain = try Self.model(Self.history { $0 % 40 == 0 })
        #expect(!plain.variant(withPlan: false).schema.usesTitles)
    }
}

import Foundation

// What the words of a title say: each word is a group of finished allocations, as a person or a kind of work is, and rare
// words, which tell more, weigh more.

extension FeatureBuilder {
    func writeTitle<S: FeatureSink>(_ views: HistoryViews, _ context: PooledHistory, into sink: inout S) {
        // A title says the same of everybody who is asked.
        if S.onlyPersonal { return sink.skip(9) }
        let words = WordFigures(views, context)
        func add(_ name: String, _ value: Double?, _ meaning: String, _ unit: String) {
            sink.add(
                value ?? .nan, .init(name: name, meaning: meaning, unit: unit, knownWhen: .completedBefore))
        }
        add("words.mean", words?.mean, "tasks with the words of this title, against all", schema.targetUnit)
        add("words.latest5", words?.lately, "the latest 5 with each word of this title, against all", schema.targetUnit)
        add("words.strongest", words?.strongest, "tasks with the word that says most, against all", schema.targetUnit)
        add("words.success", words?.success, "success of tasks with the words of this title", "share")
        add("words.known", words?.known, "words of this title that finished tasks have", "words")
        add("words.new", words?.new, "words of this title that no finished task has", "words")
        let title = views.title
        let isKnown = title.count > 0
        let usual = context.skillSet.figures.mean
        let mean = context.recent(title.latest(20), min(20, title.count), strength: 1, toward: usual)
        add("title.latest20", words == nil ? nil : mean, "the latest 20 with this very title", schema.targetUnit)
        add(
            "title.latest", isKnown ? context.recent(title.latest(1), 1, strength: 0.25, toward: mean) : nil,
            "the latest with this very title", schema.targetUnit)
        add(
            "title.count", words == nil ? nil : log1p(Double(title.count)), "the number with this very title",
            "log(1 + tasks)")
    }
}

/// What finished allocations with the words of one title say.
struct WordFigures {
    /// Against all; words that few allocations have weigh more.
    var mean = 0.0
    var lately = 0.0
    var success: Double
    /// Of the word that is farthest from all.
    var strongest = 0.0
    /// Its place among the words; nil where none is known.
    var strongestPlace: Int?
    var known = 0.0
    var new = 0.0

    /// Nil without a title.
    init?(_ views: HistoryViews, _ context: PooledHistory) {
        guard !views.words.isEmpty else { return nil }
        let all = context.all.figures
        success = all.success
        let total = Double(context.all.view.count + 1)
        var weights = 0.0
        var (means, latest, successes) = (0.0, 0.0, 0.0)
        for (place, view) in views.words.enumerated() {
            guard view.count > 0 else {
                new += 1
                continue
            }
            known += 1
            let word = context.pool(view, toward: all).figures
            let weight = log(1 + total / Double(view.count))
            let own = word.mean - all.mean
            weights += weight
            means += weight * own
            latest +=
                weight
                * (context.recent(view.latest(5), min(5, view.count), strength: 2, toward: all.mean) - all.mean)
            successes += weight * word.success
            if strongestPlace == nil || abs(own) > abs(strongest) { (strongest, strongestPlace) = (own, place) }
        }
        guard weights > 0 else { return }
        (mean, lately, success) = (means / weights, latest / weights, successes / weights)
    }
}

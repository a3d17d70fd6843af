import Basics
import Contracts
import Foundation

/// A prediction as the watch for drift sees it.
struct WatchedPrediction: Sendable {
    let id: PredictionID
    let askedAt: Date
    let employee: EmployeeID
    let project: ProjectID
    let plannedHours: Double?
    let estimatedHours: Double
    /// Percent.
    let confidence: Double?
    let successProbability: Double?
    /// The 80 % range.
    let range: ClosedRange<Double>?
    let outcome: PredictionActual?
}

/// Detects drift in one model's predictions and their outcomes.
///
/// Within a calendar month and as long as nothing changes, the chance of any alarm is at most one in a hundred: each watched
/// figure gets an equal share of it. Every month the watch starts over.
enum DriftWatch {
    /// Chance of a false alarm a month.
    static let falseAlarms = 0.01

    static func alarms(_ predictions: [WatchedPrediction], model: ModelID) -> [DriftAlarm] {
        let limit = Double(DriftAlarm.Kind.allCases.count) / falseAlarms
        return DriftAlarm.Kind.allCases.flatMap { kind -> [DriftAlarm] in
            switch kind {
            case .plans: plans(predictions, limit, model)
            case .confidence, .range, .success: outcomes(predictions, kind, limit, model)
            }
        }.sorted { ($0.raisedAt, $0.kind.rawValue) < ($1.raisedAt, $1.kind.rawValue) }
    }

    /// Chances by when their outcomes became known.
    private static func outcomes(
        _ predictions: [WatchedPrediction], _ kind: DriftAlarm.Kind, _ limit: Double, _ model: ModelID
    ) -> [DriftAlarm] {
        var seen: Set<Work> = []
        let known = predictions.compactMap { prediction -> (at: Date, happened: Bool, chance: Double)? in
            guard let outcome = prediction.outcome, let event = event(kind, prediction, outcome.actualHours),
                // Work that was asked about several times came out once.
                seen.insert(Work(prediction, outcome)).inserted
            else { return nil }
            return (outcome.completedAt, event.happened, event.chance)
        }.sorted { $0.at < $1.at }
        var months = Months(limit: limit, kind: kind, model: model, begin: { .chances })
        for outcome in known {
            months.take(at: outcome.at, said: outcome.chance, came: outcome.happened ? 1 : 0) {
                $0.observe(outcome.happened, chance: outcome.chance)
            }
        }
        return months.alarms
    }

    private struct Work: Hashable {
        let employee: EmployeeID
        let project: ProjectID
        let outcome: Date
        let hours: Double

        init(_ prediction: WatchedPrediction, _ outcome: PredictionActual) {
            (employee, project) = (prediction.employee, prediction.project)
            (self.outcome, hours) = (outcome.completedAt, outcome.actualHours)
        }
    }

    /// What was said of an event, and whether it happened; nil where nothing was said.
    private static func event(
        _ kind: DriftAlarm.Kind, _ prediction: WatchedPrediction, _ hours: Double
    ) -> (happened: Bool, chance: Double)? {
        switch kind {
        case .confidence:
            prediction.confidence.map {
                (abs(hours - prediction.estimatedHours) <= 0.25 * prediction.estimatedHours * (1 + 1e-9), $0 / 100)
            }
        case .success:
            prediction.plannedHours.flatMap { planned in
                prediction.successProbability.map { (hours <= planned, $0) }
            }
        case .range:
            prediction.range.map {
                ($0.lowerBound * (1 - 1e-9) <= hours && hours <= $0.upperBound * (1 + 1e-9), 0.8)
            }
        case .plans: nil
        }
    }

    /// With fewer plans before it a plan's rank says nothing.
    private static let leastBefore = 30

    /// Plans by when they were asked about, each beside all before it.
    private static func plans(
        _ predictions: [WatchedPrediction], _ limit: Double, _ model: ModelID
    ) -> [DriftAlarm] {
        var months = Months(limit: limit, kind: .plans, model: model, begin: { .order })
        var sorted: [Double] = []
        var asked: Set<Question> = []
        for prediction in predictions.sorted(by: { $0.askedAt < $1.askedAt }) {
            guard let planned = prediction.plannedHours, planned > 0,
                // The same question asked again is not another plan.
                asked.insert(Question(prediction, planned)).inserted
            else { continue }
            let (first, end) = (place(planned, in: sorted), place(planned.nextUp, in: sorted))
            // Ties are broken by the prediction's own random id: the same history gives the same alarms.
            var random = SeededGenerator(seed: prediction.id.rawValue.seed)
            let rank = (Double(first) + random.uniform() * Double(end - first + 1)) / Double(sorted.count + 1)
            if sorted.count >= leastBefore {
                let usual = sorted[sorted.count / 2]
                months.take(at: prediction.askedAt, said: usual, came: planned) { $0.observe(rank: rank) }
            }
            sorted.insert(planned, at: end)
        }
        return months.alarms
    }

    private struct Question: Hashable {
        let employee: EmployeeID
        let project: ProjectID
        let planned: Double
        let day: Int

        init(_ prediction: WatchedPrediction, _ planned: Double) {
            (employee, project, self.planned) = (prediction.employee, prediction.project, planned)
            day = Int((prediction.askedAt.timeIntervalSince1970 / 86_400).rounded(.down))
        }
    }

    private static func place(_ value: Double, in sorted: [Double]) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// One thing watched, month by month.
private struct Months {
    let limit: Double
    let kind: DriftAlarm.Kind
    let model: ModelID
    let begin: () -> BettingTest
    private var month: String?
    private var test: BettingTest
    private var said: [Double] = []
    private var came: [Double] = []
    private var isRaised = false
    private(set) var alarms: [DriftAlarm] = []

    init(limit: Double, kind: DriftAlarm.Kind, model: ModelID, begin: @escaping () -> BettingTest) {
        (self.limit, self.kind, self.model, self.begin) = (limit, kind, model, begin)
        test = begin()
    }

    mutating func take(at moment: Date, said chance: Double, came truth: Double, _ observe: (inout BettingTest) -> Void)
    {
        let month = String(CivilDate(moment).description.prefix(7))
        if month != self.month {
            (self.month, test, isRaised) = (month, begin(), false)
            (said, came) = ([], [])
        }
        said.append(chance)
        came.append(truth)
        observe(&test)
        guard !isRaised, test.evidence >= limit else { return }
        isRaised = true
        alarms.append(
            DriftAlarm(
                modelId: model, kind: kind, raisedAt: moment, observations: came.count, evidence: test.evidence,
                message: kind.message(said: said, came: came)))
    }
}

extension DriftAlarm.Kind {
    /// For a planner: what was said this month and what came.
    fileprivate func message(said: [Double], came: [Double]) -> String {
        func percent(_ values: [Double]) -> String {
            String(format: "%.0f %%", 100 * values.reduce(0, +) / Double(max(1, values.count)))
        }
        func middle(_ values: [Double]) -> String { String(format: "%.1f h", values.sorted()[values.count / 2]) }
        let count = came.count
        switch self {
        case .confidence:
            return
                "Of \(count) estimates \(percent(said)) were said to come true within 25 %, and \(percent(came)) did: "
                + "train a model on what has happened since."
        case .range:
            return "80 % ranges held \(percent(came)) of \(count) outcomes: train a model on what has happened since."
        case .success:
            return
                "Of \(count) tasks \(percent(said)) were said to be finished within their plans, and \(percent(came)) "
                + "were: train a model on what has happened since."
        case .plans:
            return "The plans of \(count) questions are unlike those before (\(middle(came)) in the middle, before "
                + "\(middle(said))): the model has seen little of the kind."
        }
    }
}

extension UUID {
    /// Of a generator that gives the same numbers for the same id.
    fileprivate var seed: UInt64 {
        withUnsafeBytes(of: uuid) { bytes in
            bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        }
    }
}

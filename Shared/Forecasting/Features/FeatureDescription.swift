import Foundation

/// What a feature means, in which unit, and since when it is known.
public struct FeatureDescription: Sendable, Codable, Equatable {
    /// When the value of a feature is settled.
    public enum KnownWhen: String, Sendable, Codable, CaseIterable {
        /// Part of the question itself.
        case decision = "at the decision"
        /// From allocations completed strictly before the decision.
        case completedBefore = "from allocations completed before the decision"
        /// From allocations decided strictly before the decision, without their outcomes.
        case decidedBefore = "from allocations decided before the decision"
    }

    /// Stable name, e.g. `person.ratio.latest20`.
    public var name: String
    /// In words, for explanations.
    public var meaning: String
    public var unit: String
    public var knownWhen: KnownWhen
}

/// What a question may name beside the plan.
public struct QuestionDetails: OptionSet, Sendable, Codable, Hashable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Or the hours per day, where the schema reads them.
    public static let percentage = QuestionDetails(rawValue: 1)
    public static let end = QuestionDetails(rawValue: 2)
    public static let labels = QuestionDetails(rawValue: 4)
    public static let title = QuestionDetails(rawValue: 8)

    /// One or another of them, in words.
    var words: String {
        [(.percentage, "the percentage"), (QuestionDetails.end, "the end"), (.labels, "labels"), (.title, "a title")]
            .filter { contains($0.0) }.map(\.1).joined(separator: " or ")
    }
}

/// The features of a model: the same list for training and serving, in this order.
public struct FeatureSchema: Sendable, Codable, Equatable {
    /// Raised whenever a feature changes its meaning or place.
    public static let version = 1

    /// With the planned hours, targets are log ratios to the plan; without, log hours.
    public var withPlan: Bool
    /// The label keys that get features of their own, in order.
    public var labelKeys: [String]
    /// False where planned ends were evidently written down afterwards, so that they would give the outcome away.
    public var usesPlannedEnd: Bool

    /// False for questions that do not name the share of the person's capacity.
    public var usesPercentage: Bool
    /// The longest time in seconds, over all decisions of the training rows, since the last work had finished; nil for no limit.
    /// When nothing has become known for longer, groups and projects grow no older: features of time would leave all that
    /// was seen, and nothing that happened would be the reason.
    public var longestSilence: Double?
    /// What nearly all decisions learned from named beside the plan.
    public var expects: QuestionDetails
    /// Whether titles have features: where enough of what was learned from had one.
    public var usesTitles: Bool
    /// Whether what the percentage takes of the person's capacity in the window is a feature of questions without planned hours: the
    /// effort of a booking may be stated as a percentage, and then it is the plan.
    public var usesEffort: Bool
    /// Whether hours per day are read, where enough of what was learned from stated them: of the person's working day they are a
    /// percentage. To a model that learned from rows without them such a question names no percentage, as those rows did.
    public var usesHoursPerDay: Bool

    public init(
        withPlan: Bool, labelKeys: [String] = [], usesPlannedEnd: Bool = true, usesPercentage: Bool = true,
        longestSilence: Double? = nil, expects: QuestionDetails = [], usesTitles: Bool = false,
        usesEffort: Bool = false, usesHoursPerDay: Bool = false
    ) {
        self.usesHoursPerDay = usesHoursPerDay
        self.usesEffort = usesEffort
        self.usesTitles = usesTitles
        self.withPlan = withPlan
        self.labelKeys = labelKeys
        self.usesPlannedEnd = usesPlannedEnd
        self.usesPercentage = usesPercentage
        self.longestSilence = longestSilence
        self.expects = expects
    }

    /// The features of questions that leave the details out: what a question does not know is unknown in training too.
    var withoutDetails: FeatureSchema {
        FeatureSchema(
            withPlan: withPlan, usesPlannedEnd: false, usesPercentage: false, longestSilence: longestSilence)
    }

    /// Which of the expected details the question leaves out.
    func missing(in decision: Decision) -> QuestionDetails {
        var missing: QuestionDetails = []
        if Pace(decision, readsHoursPerDay: usesHoursPerDay) == nil { missing.insert(.percentage) }
        if decision.end == nil { missing.insert(.end) }
        if !labelKeys.contains(where: { decision.labels[$0] != nil }) { missing.insert(.labels) }
        if decision.title == nil { missing.insert(.title) }
        return missing.intersection(expects)
    }

    /// Whether people who are asked the same may differ in the share of their capacity: the same hours are more of a shorter day.
    var hasPersonalShare: Bool { usesHoursPerDay && withPlan && usesPercentage }

    /// Of the targets.
    var targetUnit: String { withPlan ? "log ratio to the plan" : "log hours" }

    public var features: [FeatureDescription] {
        var sink = DescribingSink()
        write(into: &sink)
        return sink.features
    }

    /// The columns in which people who are asked the same may differ, ascending.
    var personalColumns: [Int] { personalSink.columns }

    /// Which of them are ages, by their places among them.
    var personalAges: [Int] { personalSink.ages }

    private var personalSink: PersonalColumnSink {
        var sink = PersonalColumnSink()
        write(into: &sink)
        return sink
    }

    /// Gives the sink the features of a question of which nothing is known.
    private func write<Sink: FeatureSink>(into sink: inout Sink) {
        let nobody = Decision(employee: "", project: "", plannedHours: withPlan ? 1 : nil, at: 0)
        let history = History()
        let numbers = DecisionNumbers(nobody, in: history, readsHoursPerDay: usesHoursPerDay)
        history.read { reader in
            var lookup = HistoryLookup(reader, withPlan: withPlan, sweeping: false)
            lookup.add(ResolvedGroups(), at: 0)
            lookup.forEach { _, views in
                FeatureBuilder(schema: self, history: history).write(
                    numbers, Span(), unmet: [:], views, into: &sink)
            }
        }
    }
}

/// Where the features of one decision go: values when serving and training, descriptions when documenting.
/// Being one walk through one function, the two can never be in different orders.
protocol FeatureSink {
    /// Only what may differ between people who are asked the same is wanted.
    static var onlyPersonal: Bool { get }
    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription)
    /// Adds log(1 + days) from a moment to another; `nan` where the first is.
    mutating func add(ageSince moment: Double, to now: Double, _ description: @autoclosure () -> FeatureDescription)
    /// Passes over values that all have in common.
    mutating func skip(_ count: Int)
}

extension FeatureSink {
    static var onlyPersonal: Bool { false }

    @inline(__always)
    mutating func add(_ value: Double, _ description: @autoclosure () -> FeatureDescription) {
        add(Float(value), description())
    }

    @inline(__always)
    mutating func add(
        ageSince moment: Double, to now: Double, _ description: @autoclosure () -> FeatureDescription
    ) {
        add(moment.isNaN ? .nan : log1p(max(0, now - moment) / 86_400), description())
    }

    mutating func skip(_ count: Int) { preconditionFailure("this sink is given every value") }
}

struct DescribingSink: FeatureSink {
    var features: [FeatureDescription] = []
    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription) {
        features.append(description())
    }
}

private struct PersonalColumnSink: FeatureSink {
    static var onlyPersonal: Bool { true }
    var columns: [Int] = []
    var ages: [Int] = []
    private var next = 0

    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription) {
        columns.append(next)
        next += 1
    }

    mutating func add(
        ageSince moment: Double, to now: Double, _ description: @autoclosure () -> FeatureDescription
    ) {
        ages.append(columns.count)
        add(0 as Float, description())
    }

    mutating func skip(_ count: Int) { next += count }
}

struct ValueSink: FeatureSink {
    var values: [Float] = []
    @inline(__always)
    mutating func add(_ value: Float, _ description: @autoclosure () -> FeatureDescription) {
        values.append(value)
    }
}

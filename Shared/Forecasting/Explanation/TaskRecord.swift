/// What finished tasks that have something in common say, as of a moment: the figures of a sentence.
struct TaskRecord: Sendable, Equatable {
    /// How many have finished.
    var finished = 0
    /// Of which have what is compared: a plan, where there is one to compare with; hours.
    var compared = 0
    /// How many of the latest of those the median is of.
    var counted = 0
    /// The median, of log(hours ÷ plan) where plans are compared, of log(hours) elsewhere; nil where nothing can be compared.
    var usual: Double?
    /// How many kept their plan within a hundredth.
    var exact = 0
    /// Seconds since the latest; nil where none has finished.
    var age: Double?

    init() {}

    /// Of a group whose features are computed from `view`.
    init(_ view: GroupView, withPlan: Bool, at moment: Double) {
        let (sums, known) = (view.sums, view.usual(ofRatios: withPlan))
        finished = view.count
        compared = withPlan ? Int(sums[Lane.planned]) : view.count
        counted = known.map { Int($0.count) } ?? 0
        usual = known?.median
        exact = Int(sums[Lane.exact])
        age = view.age(at: moment)
    }

    /// Fewer are no habit.
    static let few = 5

    var isFew: Bool { compared < Self.few }
}

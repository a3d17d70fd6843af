/// What was known of one decision, read from the very series that its features are computed from: the figures that the sentences of
/// an explanation state.
struct Evidence: Sendable {
    /// Shrunk medians as members use them.
    struct Medians: Sendable {
        var all: Double
        var skill: Double
        var person: Double
    }

    struct TitleWord: Sendable {
        var word: String
        var record: TaskRecord
    }

    let schema: FeatureSchema
    let decision: Decision
    let numbers: DecisionNumbers
    let roundness: PlanRoundness?
    let personFlow: FlowView
    let projectFlow: FlowView
    let medians: Medians
    /// Of how many words of the title there are finished tasks.
    let knownTitleWords: Int
    /// The word whose tasks differ most from all; nil where no word is known.
    let strongestTitleWord: TitleWord?
    private let records: [Cause: TaskRecord]

    /// - Parameters:
    ///   - views: as of the decision.
    ///   - context: of the views.
    init(
        _ decision: Decision, _ numbers: DecisionNumbers, _ groups: ResolvedGroups, _ views: HistoryViews,
        _ context: PooledHistory, builder: FeatureBuilder
    ) {
        schema = builder.schema
        let withPlan = schema.withPlan
        func record(_ view: GroupView) -> TaskRecord { TaskRecord(view, withPlan: withPlan, at: decision.at) }
        self.decision = decision
        self.numbers = numbers
        roundness = withPlan ? builder.roundness(numbers) : nil
        (personFlow, projectFlow) = (views.personFlow, views.projectFlow)
        medians = Medians(all: context.medianAll, skill: context.medianSkill, person: context.medianPerson)
        var records: [Cause: TaskRecord] = [
            .all: record(views.all), .person: record(views.person), .personSkill: record(views.personSkillSet),
            .personProject: record(views.personProject), .personProjectSkill: record(views.personProjectSkillSet),
            .project: record(views.project), .skill: record(views.skillSet),
            .projectSkill: record(views.projectSkillSet), .title: record(views.title),
        ]
        if withPlan {
            records[.size] = record(views.planSize)
            records[.personSize] = record(views.personPlanSize)
        }
        for (place, number) in builder.labelNumbers.enumerated() {
            guard let group = groups.labels.firstIndex(where: { $0.key == number }) else { continue }
            records[.label(place)] = record(views.label(group))
            records[.personLabel(place)] = record(views.personLabel(group))
        }
        self.records = records
        let words = decision.title.map(TitleWords.words) ?? []
        knownTitleWords = views.words.count { $0.count > 0 }
        strongestTitleWord = WordFigures(views, context)?.strongestPlace
            .map { TitleWord(word: words[$0], record: record(views.words[views.words.startIndex + $0])) }
    }

    /// Empty where nothing has finished.
    subscript(cause: Cause) -> TaskRecord { records[cause] ?? TaskRecord() }

    var knowsPerson: Bool { self[.person].finished > 0 }
}

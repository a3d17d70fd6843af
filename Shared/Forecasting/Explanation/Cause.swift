/// What an effect of an explanation is put down to. The features of one cause are read from one record.
enum Cause: Hashable, Sendable {
    case all, person, personSkill, personProject, personProjectSkill, personSize
    case project, skill, projectSkill, size
    /// By the label's place among the schema's.
    case label(Int), personLabel(Int)
    case titleWords, title
    case percentage, dates, calendar, skillCount, projectProgress
    case personOpenTasks, personTenure, personLatest
    case network, latestErrors, keptPlans, rest

    /// Of a person who has finished nothing yet, all these say the same.
    var isOfFinishedPersonalTasks: Bool {
        switch self {
        case .person, .personSkill, .personProject, .personProjectSkill, .personSize, .personLabel, .personLatest: true
        default: false
        }
    }
}

extension FeatureSchema {
    /// Per column, what its effect is put down to.
    var causes: [Cause] { features.map { cause(ofFeature: $0.name) } }

    private func cause(ofFeature name: String) -> Cause {
        // Keys may have dots in them, so that one may begin like another: the longest is meant.
        func place(_ group: String) -> Int? {
            labelKeys.indices.filter { name.hasPrefix("\(group).\(labelKeys[$0]).") }
                .max { labelKeys[$0].count < labelKeys[$1].count }
        }
        if let label = place("label") { return .label(label) }
        let isAge = name.hasSuffix(".age")
        if let label = place("own") { return isAge ? .personLatest : .personLabel(label) }
        let parts = name.split(separator: ".", maxSplits: 1)
        switch (parts[0], parts.count > 1 ? parts[1] : "") {
        case ("base", "allocation"), ("effort", _): return .percentage
        case ("base", "hours"): return withPlan ? .size : .personSkill
        case ("base", "skills"): return .skillCount
        case ("base", _), ("project", "days"), ("project", "left"), ("project", "open"), ("project", "lately"),
            ("project", "tenure"):
            return .projectProgress
        case ("lead", _), ("window", _): return .dates
        case ("weekday", _), ("month", _): return .calendar
        case ("plan", _), ("size", _): return .size
        case ("person", "open"), ("person", "lately"): return .personOpenTasks
        case ("person", "tenure"): return .personTenure
        case ("person", _): return isAge ? .personLatest : .person
        case ("personSkill", _): return isAge ? .personLatest : .personSkill
        case ("personProject", _): return isAge ? .personLatest : .personProject
        case ("trio", _): return isAge ? .personLatest : .personProjectSkill
        case ("personSize", _): return isAge ? .personLatest : .personSize
        case ("project", _): return .project
        case ("projectSkill", _): return .projectSkill
        case ("skill", _), ("skills", _): return .skill
        case ("words", _): return .titleWords
        case ("title", _): return .title
        case ("all", _): return .all
        default: preconditionFailure("no cause is known of the feature \(name)")
        }
    }

    /// A stable name, for clients that group or count effects.
    func name(of cause: Cause) -> String {
        switch cause {
        case .all: "all tasks"
        case .person: "this person's tasks"
        case .personSkill: "this person's tasks of this kind"
        case .personProject: "this person's tasks on this project"
        case .personProjectSkill: "this person's tasks of this kind on this project"
        case .personSize: "this person's tasks of this size"
        case .project: "this project's tasks"
        case .skill: "tasks of this kind"
        case .projectSkill: "this project's tasks of this kind"
        case .size: "the size of the plan"
        case .label(let place): "tasks with this \(labelKeys[place])"
        case .personLabel(let place): "this person's tasks with this \(labelKeys[place])"
        case .titleWords: "tasks with the words of this title"
        case .title: "tasks with this very title"
        case .percentage: "the percentage"
        case .dates: "the dates of the work"
        case .calendar: "the day of the decision"
        case .skillCount: "the number of skills"
        case .projectProgress: "the state of the project"
        case .personOpenTasks: "this person's unfinished tasks"
        case .personTenure: "how long this person has been given tasks"
        case .personLatest: "when this person last finished a task"
        case .network: "the base network's view"
        case .latestErrors: "the latest estimates for this person"
        case .keptPlans: "how often such plans are kept"
        case .rest: "everything else"
        }
    }
}

import Foundation

/// Numbers for names, and series for groups of numbers.
struct GroupIndex: Sendable {
    enum Kind: UInt64 {
        case person = 1
        case project, skillSet, personSkillSet, personProject, projectSkillSet, planSize, personPlanSize, skill, label
        case personProjectSkillSet, personLabel
        case word, title

        /// Whether features look at medians of such groups.
        var keepsMedians: Bool { self == .person || self == .skillSet || self == .personSkillSet }
    }

    /// What a name is the name of.
    enum Space: Int, CaseIterable {
        case person, project, skillSet, skill, labelKey, word, title
    }

    private var names = [[String: Int32]](repeating: [:], count: Space.allCases.count)
    private var keys: [UInt64: Int32] = [:]
    /// Per label key, its values.
    private var labelValues: [[String: LabelValue]] = []
    private var labelValueCount: Int32 = 0
    private var crossings = PersonCrossings()

    func labelKey(_ name: String) -> Int32? { names[Space.labelKey.rawValue][name] }

    /// The groups of a decision; unknown ones get a number and a series.
    mutating func resolve(creating decision: Decision, series: inout [GroupSeries], flows: inout [FlowSeries])
        -> ResolvedGroups
    {
        Resolver(decision: decision).resolve(
            name: { space, text in
                if let known = names[space.rawValue][text] { return known }
                let number = Int32(names[space.rawValue].count)
                names[space.rawValue][text] = number
                if space == .labelKey { labelValues.append([:]) }
                return number
            },
            labelValue: { key, text in
                if let known = labelValues[Int(key)][text] { return known }
                let value = LabelValue(id: labelValueCount, number: LabelValue.number(text))
                labelValueCount += 1
                labelValues[Int(key)][text] = value
                return value
            },
            group: { kind, first, second, isFlow in
                let key = Resolver.key(kind, first, second, isFlow: isFlow)
                if let known = keys[key] { return known }
                let number = Int32(isFlow ? flows.count : series.count)
                if isFlow {
                    flows.append(FlowSeries())
                } else {
                    series.append(GroupSeries(keepsMedians: kind.keepsMedians))
                }
                keys[key] = number
                crossings.note(kind, person: first, with: second, isFlow: isFlow, group: number)
                return number
            })
    }

    /// The groups of a decision; unknown ones are left at -1.
    func resolve(_ decision: Decision) -> ResolvedGroups {
        Resolver(decision: decision).resolve(
            name: { names[$0.rawValue][$1] ?? -1 },
            labelValue: { labelValues[Int($0)][$1] ?? LabelValue(id: -1, number: LabelValue.number($1)) },
            group: { keys[Resolver.key($0, $1, $2, isFlow: $3)] ?? -1 })
    }

    /// The groups of a decision for all people, without the person it names.
    func resolveForPeople(_ decision: Decision) -> PeopleGroups {
        var decision = decision
        decision.employee = ""
        // Crossings are kept by the other side's number, which the resolver alone knows.
        var others: [Kind: Int32] = [:]
        var values: [Int32] = []
        let shared = Resolver(decision: decision).resolve(
            name: { $0 == .person ? 0 : names[$0.rawValue][$1] ?? -1 },
            labelValue: { key, text in
                let value = labelValues[Int(key)][text] ?? LabelValue(id: -1, number: LabelValue.number(text))
                values.append(value.id)
                return value
            },
            group: { kind, first, second, isFlow in
                switch kind {
                case .person, .personLabel: return -1
                case .personSkillSet, .personProject, .personProjectSkillSet, .personPlanSize:
                    others[kind] = second
                    return -1
                case .project, .skillSet, .projectSkillSet, .planSize, .skill, .label, .word, .title:
                    return keys[Resolver.key(kind, first, second, isFlow: isFlow)] ?? -1
                }
            })
        func other(_ kind: Kind) -> Int32 { others[kind] ?? -1 }
        return PeopleGroups(
            shared: shared, crossings: crossings, skillSet: other(.personSkillSet), project: other(.personProject),
            projectSkillSet: other(.personProjectSkillSet), planSize: other(.personPlanSize), labels: values)
    }

    var personCount: Int { names[Space.person.rawValue].count }

    func personNumber(_ name: String) -> Int32? { names[Space.person.rawValue][name] }

    /// The flow of a person; nil when history has never met the name.
    func flow(ofPerson name: String) -> Int32? { flow(.person, .person, name) }

    /// The flow of a project, as that of a person.
    func flow(ofProject name: String) -> Int32? { flow(.project, .project, name) }

    private func flow(_ space: Space, _ kind: Kind, _ name: String) -> Int32? {
        names[space.rawValue][name].flatMap { keys[Resolver.key(kind, $0, isFlow: true)] }
    }

    /// Plans of like size: a factor of about 1.4 per step.
    static func sizeStep(_ plannedHours: Double) -> Int32 {
        Int32((log2(max(plannedHours, HoursScale.least)) * 2).rounded())
    }

    /// Whatever the order and number of times skills are named in.
    static func skillSetName(_ skills: [String]) -> String {
        skills.count == 1 ? skills[0] : Set(skills).sorted().joined(separator: "\u{1f}")
    }
}

/// One value of one label key.
struct LabelValue: Sendable {
    var id: Int32
    /// `nan` when the value is no number.
    var number: Double

    static func number(_ text: String) -> Double { Double(text) ?? .nan }
}

private struct Resolver {
    let decision: Decision

    static func key(_ kind: GroupIndex.Kind, _ first: Int32, _ second: Int32 = 0, isFlow: Bool) -> UInt64 {
        kind.rawValue << 58 | (isFlow ? 1 << 57 : 0) | UInt64(UInt32(first)) << 28 | UInt64(UInt32(second))
    }

    func resolve(
        name: (GroupIndex.Space, String) -> Int32, labelValue: (Int32, String) -> LabelValue,
        group find: (_ kind: GroupIndex.Kind, _ first: Int32, _ second: Int32, _ isFlow: Bool) -> Int32
    ) -> ResolvedGroups {
        func group(_ kind: GroupIndex.Kind, _ first: Int32, _ second: Int32 = 0, flow: Bool = false) -> Int32 {
            guard first >= 0, second >= 0 else { return -1 }
            return find(kind, first, second, flow)
        }
        var groups = ResolvedGroups()
        let person = name(.person, decision.employee)
        let project = name(.project, decision.project)
        let skillSet = name(.skillSet, GroupIndex.skillSetName(decision.skills))
        groups.person = group(.person, person)
        groups.project = group(.project, project)
        groups.skillSet = group(.skillSet, skillSet)
        groups.personSkillSet = group(.personSkillSet, person, skillSet)
        groups.personProject = group(.personProject, person, project)
        groups.projectSkillSet = group(.projectSkillSet, project, skillSet)
        groups.personProjectSkillSet = group(.personProjectSkillSet, person, groups.projectSkillSet)
        groups.personFlow = group(.person, person, flow: true)
        groups.projectFlow = group(.project, project, flow: true)
        if let planned = decision.plannedHours, planned > 0 {
            // Shifted so that plans of minutes stay non-negative.
            let step = GroupIndex.sizeStep(planned) + 64
            groups.planSize = group(.planSize, step)
            groups.personPlanSize = group(.personPlanSize, person, step)
        }
        if decision.skills.count > 1 {
            for skill in Set(decision.skills).sorted() { groups.skills.append(group(.skill, name(.skill, skill))) }
        }
        if let title = decision.title {
            let words = TitleWords.words(in: title)
            for word in words { groups.words.append(group(.word, name(.word, word))) }
            if !words.isEmpty { groups.title = group(.title, name(.title, words.joined(separator: " "))) }
        }
        for (label, text) in decision.labels.sorted(by: { $0.key < $1.key }) {
            let key = name(.labelKey, label)
            guard key >= 0 else { continue }
            let value = labelValue(key, text)
            groups.labels.append(
                .init(
                    key: key, series: group(.label, value.id), personSeries: group(.personLabel, person, value.id),
                    number: value.number))
        }
        return groups
    }
}

import Foundation

/// Numbers for names, and series for groups of numbers.
struct GroupIndex: Sendable {
    enum Kind: UInt64 {
        case person = 1
        case project, skillSet, personSkillSet, personProject, projectSkillSet, planSize, personPlanSize, skill, label
        case personProjectSkillSet, personLabel
    }

    private var names: [String: Int32] = [:]
    private var keys: [UInt64: Int32] = [:]
    private var labelKeys: [String: Int32] = [:]
    private(set) var labelKeyNames: [String] = []

    func labelKey(_ name: String) -> Int32? { labelKeys[name] }

    /// The groups of a decision. With `creating`, unknown ones get a number and a series; without, they are left at -1.
    mutating func resolve(creating decision: Decision, series: inout [GroupSeries], flows: inout [FlowSeries])
        -> ResolvedGroups
    {
        var resolver = Resolver(decision: decision)
        return resolver.resolve(
            name: { text in
                if let known = names[text] { return known }
                let number = Int32(names.count)
                names[text] = number
                return number
            },
            key: { key, isFlow in
                if let known = keys[key] { return known }
                let number = Int32(isFlow ? flows.count : series.count)
                if isFlow { flows.append(FlowSeries()) } else { series.append(GroupSeries()) }
                keys[key] = number
                return number
            },
            labelKey: { text in
                if let known = labelKeys[text] { return known }
                let number = Int32(labelKeyNames.count)
                labelKeyNames.append(text)
                labelKeys[text] = number
                return number
            })
    }

    func resolve(_ decision: Decision) -> ResolvedGroups {
        var resolver = Resolver(decision: decision)
        return resolver.resolve(
            name: { names[$0] ?? -1 }, key: { key, _ in keys[key] ?? -1 }, labelKey: { labelKeys[$0] ?? -1 })
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

private struct Resolver {
    let decision: Decision

    mutating func resolve(
        name: (String) -> Int32, key: (UInt64, Bool) -> Int32, labelKey: (String) -> Int32
    ) -> ResolvedGroups {
        func group(_ kind: GroupIndex.Kind, _ first: Int32, _ second: Int32 = 0, flow: Bool = false) -> Int32 {
            guard first >= 0, second >= 0 else { return -1 }
            return key(
                kind.rawValue << 58 | (flow ? 1 << 57 : 0) | UInt64(UInt32(first)) << 28 | UInt64(UInt32(second)), flow)
        }
        var groups = ResolvedGroups()
        let person = name("e" + decision.employee)
        let project = name("p" + decision.project)
        let skillSet = name("s" + GroupIndex.skillSetName(decision.skills))
        groups.person = group(.person, person)
        groups.project = group(.project, project)
        groups.skillSet = group(.skillSet, skillSet)
        groups.personSkillSet = group(.personSkillSet, person, skillSet)
        groups.personProject = group(.personProject, person, project)
        groups.projectSkillSet = group(.projectSkillSet, project, skillSet)
        groups.personProjectSkillSet = group(
            .personProjectSkillSet, person,
            name("t\(decision.project)\u{1e}\(GroupIndex.skillSetName(decision.skills))"))
        groups.personFlow = group(.person, person, flow: true)
        groups.projectFlow = group(.project, project, flow: true)
        if let planned = decision.plannedHours, planned > 0 {
            // Shifted so that plans of minutes stay non-negative.
            let step = GroupIndex.sizeStep(planned) + 64
            groups.planSize = group(.planSize, step)
            groups.personPlanSize = group(.personPlanSize, person, step)
        }
        if decision.skills.count > 1 {
            for skill in Set(decision.skills).sorted() { groups.skills.append(group(.skill, name("k" + skill))) }
        }
        for (label, value) in decision.labels.sorted(by: { $0.key < $1.key }) {
            let number = labelKey(label)
            guard number >= 0 else { continue }
            let pair = name("l\(label)=\(value)")
            groups.labels.append(
                .init(key: number, series: group(.label, pair), personSeries: group(.personLabel, person, pair)))
        }
        return groups
    }
}

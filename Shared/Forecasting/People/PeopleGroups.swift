/// The groups of one question for all people: what all have in common, and by which numbers that is known to which each person's own
/// groups are crossed; -1 for what history has not met.
struct PeopleGroups {
    /// The groups that do not depend on the person; the personal groups are -1.
    let shared: ResolvedGroups
    let crossings: PersonCrossings
    let skillSet: Int32
    let project: Int32
    let projectSkillSet: Int32
    let planSize: Int32
    /// Values, in the order of the labels of `shared`.
    let labels: [Int32]
}

/// Which people have a group together with something else, so that a question about many people looks up nothing per person.
struct PersonCrossings: Sendable {
    struct Member: Sendable {
        let person: Int32
        let group: Int32
    }

    /// By the key of the other side.
    private var members: [UInt64: [Member]] = [:]
    /// By person number: the series of the person's own work, and the flow.
    private(set) var people: [Int32] = []
    private(set) var flows: [Int32] = []

    /// Notes a new group of a person.
    mutating func note(_ kind: GroupIndex.Kind, person: Int32, with other: Int32, isFlow: Bool, group: Int32) {
        switch kind {
        case .person: Self.put(group, at: Int(person), in: isFlow ? \.flows : \.people, of: &self)
        case .personSkillSet, .personProject, .personProjectSkillSet, .personPlanSize, .personLabel:
            members[Self.key(kind, other), default: []].append(Member(person: person, group: group))
        case .project, .skillSet, .projectSkillSet, .planSize, .skill, .label, .word, .title: break
        }
    }

    private static func put(
        _ group: Int32, at person: Int, in list: WritableKeyPath<PersonCrossings, [Int32]>,
        of crossings: inout PersonCrossings
    ) {
        while crossings[keyPath: list].count <= person { crossings[keyPath: list].append(-1) }
        crossings[keyPath: list][person] = group
    }

    /// By person number.
    func groups(_ kind: GroupIndex.Kind, with other: Int32) -> [Int32] {
        if kind == .person { return people }
        var groups = [Int32](repeating: -1, count: people.count)
        guard other >= 0 else { return groups }
        for member in members[Self.key(kind, other)] ?? [] { groups[Int(member.person)] = member.group }
        return groups
    }

    private static func key(_ kind: GroupIndex.Kind, _ other: Int32) -> UInt64 {
        kind.rawValue << 32 | UInt64(UInt32(bitPattern: other))
    }
}

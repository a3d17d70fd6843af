/// The features of one question about many people, to the bit those of asking about each alone.
///
/// What people have in common is looked up and worked out once. What is a person's own lies all over memory in a large
/// history, so it is asked for some people ahead.
struct PeopleFeatures {
    let builder: FeatureBuilder
    let columns: Int
    private let decision: Decision
    private let groups: PeopleGroups
    private let numbers: DecisionNumbers

    /// How many people are looked up together.
    private static let batch = 16

    init(_ decision: Decision, schema: FeatureSchema, columns: Int, history: History) {
        builder = FeatureBuilder(schema: schema, history: history)
        self.columns = columns
        self.decision = decision
        groups = history.index.resolveForPeople(decision)
        numbers = DecisionNumbers(decision, in: history)
    }

    /// Writes a row for each of the people to `target`, which has room for them.
    func write(_ people: ArraySlice<HistoryPerson>, to target: UnsafeMutablePointer<Float>) {
        guard !people.isEmpty else { return }
        builder.history.read { reader in
            var cursors = HistoryCursors(reader, sweeping: false)
            cursors.advance(to: decision.at)
            let projectFlow = cursors.flow(groups.shared.projectFlow, at: decision.at)
            var views = sharedViews(&cursors)
            let width = views.count
            let shared = views
            for _ in 1..<Self.batch { views += shared }
            var context: PooledHistory?
            for start in stride(from: people.startIndex, to: people.endIndex, by: Self.batch) {
                let part = people[start..<min(start + Self.batch, people.endIndex)]
                views.withUnsafeMutableBufferPointer { views in
                    look(part, reader, &cursors, width: width, into: views)
                    for (place, person) in part.enumerated() {
                        let row = target + (start - people.startIndex + place) * columns
                        let own = HistoryViews(
                            groups: UnsafeBufferPointer(rebasing: views[place * width..<(place + 1) * width]),
                            skillCount: groups.shared.skills.count,
                            personFlow: cursors.flow(groups.flow(of: person.number), at: decision.at),
                            projectFlow: projectFlow, labelCount: groups.shared.labels.count,
                            wordCount: groups.shared.words.count)
                        var numbers = numbers
                        numbers.weeklyCapacityHours =
                            person.facts?.weeklyCapacityHours(at: decision.at)
                            ?? EmployeeFacts.usualWeeklyCapacityHours
                        let pooled = PooledHistory(own, withPlan: builder.schema.withPlan, sharing: context)
                        if context == nil {
                            context = pooled
                            builder.write(
                                numbers, groups.shared.labels.span, unmet: decision.labels, own, pooled, to: row)
                        } else {
                            row.update(from: target, count: columns)
                            builder.writePersonal(
                                numbers, groups.shared.labels.span, unmet: decision.labels, own, pooled, to: row)
                        }
                    }
                }
            }
        }
    }

    /// The views in the order of `HistoryLookup.add`, empty where they are personal.
    private func sharedViews(_ cursors: inout HistoryCursors) -> [GroupView] {
        let shared = groups.shared
        let withPlan = builder.schema.withPlan
        var numbers: [Int32] = [
            0, -1, shared.project, shared.skillSet, -1, -1, shared.projectSkillSet, -1, withPlan ? shared.planSize : -1,
            -1,
        ]
        numbers += shared.skills
        for label in shared.labels { numbers += [label.series, -1] }
        numbers += shared.words
        if !shared.words.isEmpty { numbers.append(shared.title) }
        return numbers.map { number in
            let count = number < 0 ? 0 : cursors.count(number)
            guard count > 0, let rows = cursors.reader.series(number).pointee.rows else { return .empty }
            return GroupView(rows, count: count)
        }
    }

    /// Fills in the personal views of some people, asking for all of their memory before any of it is waited for.
    private func look(
        _ people: ArraySlice<HistoryPerson>, _ reader: HistoryReader, _ cursors: inout HistoryCursors, width: Int,
        into views: UnsafeMutableBufferPointer<GroupView>
    ) {
        for person in people {
            groups.forEachPersonal(of: person.number, withPlan: builder.schema.withPlan) { _, group in
                cursors.prefetch(group)
            }
            cursors.prefetch(flow: groups.flow(of: person.number))
        }
        for (place, person) in people.enumerated() {
            groups.forEachPersonal(of: person.number, withPlan: builder.schema.withPlan) { view, group in
                let count = group < 0 ? 0 : cursors.count(group)
                guard count > 0, let rows = reader.series(group).pointee.rows else {
                    views[place * width + view] = .empty
                    return
                }
                rows.prefetch(before: count)
                views[place * width + view] = GroupView(rows, count: count)
            }
        }
    }
}

extension PeopleGroups {
    func flow(of person: Int32) -> Int32 { Self.group(of: person, in: flows) }

    /// Calls `body` with the place of each personal view and the group that it is of, -1 for none.
    @inline(__always)
    func forEachPersonal(of person: Int32, withPlan: Bool, _ body: (_ view: Int, _ group: Int32) -> Void) {
        body(1, Self.group(of: person, in: people))
        body(4, Self.group(of: person, in: personSkillSet))
        body(5, Self.group(of: person, in: personProject))
        body(7, Self.group(of: person, in: personProjectSkillSet))
        body(9, withPlan ? Self.group(of: person, in: personPlanSize) : -1)
        for label in personLabels.indices {
            body(11 + shared.skills.count + 2 * label, Self.group(of: person, in: personLabels[label]))
        }
    }

    @inline(__always)
    private static func group(of person: Int32, in list: [Int32]) -> Int32 {
        person >= 0 && Int(person) < list.count ? list[Int(person)] : -1
    }
}

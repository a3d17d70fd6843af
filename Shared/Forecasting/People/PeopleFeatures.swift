/// The features of one question about many people, to the bit those of asking about each alone.
///
/// What people have in common is looked up and worked out once. What is a person's own lies all over memory in a large
/// history, so it is asked for a block of people ahead.
struct PeopleFeatures {
    fileprivate let builder: FeatureBuilder
    fileprivate let decision: Decision
    fileprivate let groups: PeopleGroups
    fileprivate let numbers: DecisionNumbers

    init(_ decision: Decision, schema: FeatureSchema, history: History) {
        builder = FeatureBuilder(schema: schema, history: history)
        self.decision = decision
        groups = history.index.resolveForPeople(decision)
        numbers = DecisionNumbers(decision, in: history)
    }

    /// The row of somebody of whom nothing is known: what people have in common is in it.
    func sharedRow() -> [Float] {
        var sink = ValueSink()
        builder.history.read { reader in
            let look = PeopleLook(self, reader)
            builder.write(
                numbers, groups.shared.labels.span, unmet: decision.labels, look.views(of: -1, at: 0), look.context,
                into: &sink)
        }
        return sink.values
    }

    /// Calls `body` with one block of people after the other: how many are in it, and their personal columns. What is beyond the
    /// last person of a block means nothing.
    /// - Parameter columns: how many personal columns there are.
    func forEachBlock(
        of people: ArraySlice<HistoryPerson>, columns: Int,
        _ body: (_ count: Int, _ block: UnsafePointer<Float>) -> Void
    ) {
        let size = PeopleBlock.rows
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, columns) * size) { block in
            block.initialize(repeating: 0)
            guard let base = block.baseAddress else { return }
            people.withUnsafeBufferPointer { people in
                builder.history.read { reader in
                    var look = PeopleLook(self, reader)
                    for start in stride(from: 0, to: people.count, by: size) {
                        let part = UnsafeBufferPointer(rebasing: people[start..<min(start + size, people.count)])
                        look.write(part, to: base)
                        body(part.count, base)
                    }
                }
            }
        }
    }
}

/// Where one thread looks people up, a block at a time.
private struct PeopleLook: ~Copyable {
    private let features: PeopleFeatures
    private let withPlan: Bool
    private let reader: HistoryReader
    private var cursors: HistoryCursors
    private let projectFlow: FlowView
    /// Of each place in a block all views, in the order of `HistoryLookup.add`.
    private let views: UnsafeMutableBufferPointer<GroupView>
    private let width: Int
    private(set) var context: PooledHistory
    private var numbers: DecisionNumbers

    init(_ features: PeopleFeatures, _ reader: HistoryReader) {
        let (decision, shared) = (features.decision, features.groups.shared)
        let withPlan = features.builder.schema.withPlan
        var cursors = HistoryCursors(reader, sweeping: false)
        cursors.advance(to: decision.at)
        let projectFlow = cursors.flow(shared.projectFlow, at: decision.at)
        // The personal views are filled in later.
        var groups: [Int32] = [
            0, -1, shared.project, shared.skillSet, -1, -1, shared.projectSkillSet, -1, withPlan ? shared.planSize : -1,
            -1,
        ]
        groups += shared.skills
        for label in shared.labels { groups += [label.series, -1] }
        groups += shared.words
        if !shared.words.isEmpty { groups.append(shared.title) }
        let width = groups.count
        let views = UnsafeMutableBufferPointer<GroupView>.allocate(capacity: width * PeopleBlock.rows)
        for (place, group) in groups.enumerated() {
            let view = Self.view(of: group, reader, &cursors)
            for lane in 0..<PeopleBlock.rows { views.initializeElement(at: lane * width + place, to: view) }
        }
        context = PooledHistory(
            Self.views(features, of: -1, cursors, projectFlow, UnsafeBufferPointer(rebasing: views[0..<width])),
            withPlan: withPlan)
        numbers = features.numbers
        self.features = features
        self.withPlan = withPlan
        self.reader = reader
        self.projectFlow = projectFlow
        self.views = views
        self.width = width
        self.cursors = cursors
    }

    deinit { views.deallocate() }

    /// Writes the personal columns of at most a block of people.
    mutating func write(_ people: UnsafeBufferPointer<HistoryPerson>, to block: UnsafeMutablePointer<Float>) {
        look(people)
        for (lane, person) in people.enumerated() {
            let own = views(of: person.number, at: lane)
            numbers.weeklyCapacityHours = person.weeklyCapacityHours(at: numbers.at)
            context.turn(to: own)
            features.builder.writePersonal(
                numbers, features.groups.shared.labels.span, unmet: features.decision.labels, own, context,
                to: block + lane)
        }
    }

    func views(of person: Int32, at lane: Int) -> HistoryViews {
        Self.views(
            features, of: person, cursors, projectFlow,
            UnsafeBufferPointer(rebasing: views[lane * width..<(lane + 1) * width]))
    }

    private static func views(
        _ features: PeopleFeatures, of person: Int32, _ cursors: borrowing HistoryCursors, _ projectFlow: FlowView,
        _ views: UnsafeBufferPointer<GroupView>
    ) -> HistoryViews {
        HistoryViews(
            groups: views, skillCount: features.groups.shared.skills.count,
            personFlow: cursors.flow(features.groups.flow(of: person), at: features.decision.at),
            projectFlow: projectFlow, labelCount: features.groups.shared.labels.count,
            wordCount: features.groups.shared.words.count)
    }

    /// Fills in the personal views, asking for all of their memory before any of it is waited for.
    private mutating func look(_ people: UnsafeBufferPointer<HistoryPerson>) {
        for person in people {
            features.groups.forEachPersonal(of: person.number, withPlan: withPlan) { _, group in
                cursors.prefetch(group)
            }
            cursors.prefetch(flow: features.groups.flow(of: person.number))
        }
        for (lane, person) in people.enumerated() {
            features.groups.forEachPersonal(of: person.number, withPlan: withPlan) { view, group in
                views[lane * width + view] = Self.view(of: group, reader, &cursors)
            }
        }
    }

    @inline(__always)
    private static func view(of group: Int32, _ reader: HistoryReader, _ cursors: inout HistoryCursors) -> GroupView {
        let count = group < 0 ? 0 : cursors.count(group)
        guard count > 0, let rows = reader.series(group).pointee.rows else { return .empty }
        rows.prefetch(before: count)
        return GroupView(rows, count: count)
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

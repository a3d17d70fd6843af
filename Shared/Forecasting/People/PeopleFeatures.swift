import CKernels

/// The features of one question about many people, to the bit those of asking about each alone.
///
/// What people have in common is looked up and worked out once. What a person's own groups say is kept for the next questions
/// (``KeptFigures``) where everything known has come by the moment asked about; what follows the moment and the plan is worked out each
/// time: ages, how much is going on, plans against this plan.
struct PeopleFeatures {
    private let builder: FeatureBuilder
    private let decision: Decision
    private let groups: PeopleGroups
    private let numbers: DecisionNumbers
    private let views: HistoryViews
    private let context: PooledHistory
    private let now: Double
    private let people: [HistoryPerson]
    /// By own group, then by label.
    private let figures: [PeopleFigures]
    /// Whether figures are of the people asked about, in their order, instead of everybody by number.
    private let areOfAsked: Bool

    /// Figures of everybody are worth making for a question about at least so many of them.
    private static let leastShare = 8

    /// Calls `body` once.
    static func read<Result>(
        _ decision: Decision, of people: [HistoryPerson], schema: FeatureSchema, history: History,
        _ body: (PeopleFeatures, HistoryReader) -> Result
    ) -> Result {
        let groups = history.index.resolveForPeople(decision)
        return history.read { reader in
            var lookup = HistoryLookup(reader, withPlan: schema.withPlan, sweeping: false)
            lookup.add(groups.shared, at: decision.at)
            var result: Result?
            lookup.forEach { _, views in
                let features = PeopleFeatures(decision, groups, of: people, schema, history, views, reader)
                result = body(features, reader)
            }
            guard let result else { preconditionFailure("a decision is looked up once") }
            return result
        }
    }

    private init(
        _ decision: Decision, _ groups: PeopleGroups, of people: [HistoryPerson], _ schema: FeatureSchema,
        _ history: History, _ views: HistoryViews, _ reader: HistoryReader
    ) {
        let builder = FeatureBuilder(schema: schema, history: history)
        let context = PooledHistory(views, withPlan: schema.withPlan)
        let isAllKnown = views.all.count == reader.series(0).pointee.count
        let areOfAsked = !isAllKnown || people.count * Self.leastShare < groups.crossings.people.count
        let maker = FiguresMaker(
            groups: groups, context: context, reader: reader, moment: decision.at,
            asked: areOfAsked ? people : nil, kept: history.kept)
        self.builder = builder
        self.decision = decision
        self.groups = groups
        self.views = views
        self.context = context
        self.people = people
        self.areOfAsked = areOfAsked
        numbers = DecisionNumbers(decision, in: history, readsHoursPerDay: schema.usesHoursPerDay)
        now = builder.clock(decision.at, views)
        figures = maker.figures(labels: builder.labelNumbers)
    }

    /// The row of somebody of whom nothing is known: what people have in common is in it.
    func sharedRow() -> [Float] {
        var sink = ValueSink()
        builder.write(numbers, groups.shared.labels.span, unmet: decision.labels, views, context, into: &sink)
        return sink.values
    }

    /// Calls `body` with one block of people after the other: which of the people are in it, and their personal columns. What is
    /// beyond the last person of a block means nothing.
    /// - Parameters:
    ///   - columns: how many personal columns there are.
    ///   - ages: which of them are ages.
    func forEachBlock(
        _ reader: HistoryReader, columns: Int, ages: [Int],
        _ body: (_ people: Range<Int>, _ block: UnsafePointer<Float>) -> Void
    ) {
        let size = PeopleBlock.rows
        let block = UnsafeMutablePointer<Float>.allocate(capacity: columns * size)
        block.initialize(repeating: 0, count: columns * size)
        let moments = UnsafeMutablePointer<Double>.allocate(capacity: ages.count * size)
        moments.initialize(repeating: .nan, count: ages.count * size)
        defer {
            block.deallocate()
            moments.deallocate()
        }
        withExtendedLifetime(figures) {
            figures.map(OwnTable.init).withUnsafeBufferPointer { tables in
                var cursors = HistoryCursors(reader, sweeping: false)
                cursors.advance(to: decision.at)
                for start in stride(from: 0, to: people.count, by: size) {
                    let part = start..<min(start + size, people.count)
                    write(part, tables, cursors, to: block, moments)
                    for (number, column) in ages.enumerated() {
                        PeopleBlock.writeAges(since: moments + number * size, to: now, block + column * size)
                    }
                    body(part, block)
                }
            }
        }
    }

    private func write(
        _ part: Range<Int>, _ tables: UnsafeBufferPointer<OwnTable>, _ cursors: borrowing HistoryCursors,
        to block: UnsafeMutablePointer<Float>, _ moments: UnsafeMutablePointer<Double>
    ) {
        let flows = groups.crossings.flows
        func flow(_ person: HistoryPerson) -> Int32 {
            person.number >= 0 && Int(person.number) < flows.count ? flows[Int(person.number)] : -1
        }
        func number(_ place: Int) -> Int {
            // Nobody's number is beyond all others.
            areOfAsked ? place : Int(UInt32(bitPattern: people[place].number))
        }
        for place in part {
            for table in tables { table.prefetch(number(place)) }
            cursors.prefetch(flow: flow(people[place]))
        }
        var decision = numbers
        decision.roundness = builder.roundness(decision)
        for place in part {
            let (person, lane) = (people[place], place - part.lowerBound)
            let weeklyCapacityHours = person.weeklyCapacityHours(at: numbers.at)
            if weeklyCapacityHours != decision.weeklyCapacityHours {
                decision.weeklyCapacityHours = weeklyCapacityHours
                decision.roundness = builder.roundness(decision)
            }
            builder.writePersonal(
                decision, now, views, context, own: OnePersonsFigures(tables: tables, number: number(place)),
                cursors.flow(flow(person), at: numbers.at), to: block + lane, moments: moments + lane)
        }
    }
}

/// ``PeopleFigures`` by plain pointers, good only while those are alive.
private struct OwnTable {
    private let groups: UnsafePointer<GroupFigures>
    private let last: Int

    init(_ figures: PeopleFigures) {
        groups = figures.groups.base
        last = figures.groups.count - 1
    }

    @inline(__always)
    func prefetch(_ number: Int) { erm_prefetch(groups + min(number, last)) }

    @inline(__always)
    func figures(_ number: Int) -> GroupFigures { groups[min(number, last)] }
}

private struct OnePersonsFigures: PersonFigures {
    let tables: UnsafeBufferPointer<OwnTable>
    let number: Int

    @inline(__always)
    func figures(_ group: OwnGroup) -> GroupFigures { tables[group.rawValue].figures(number) }

    @inline(__always)
    func figures(ofLabel position: Int, at place: Int?, _ label: PooledGroup?) -> GroupFigures {
        tables[OwnGroup.allCases.count + position].figures(number)
    }

    var medianPerson: Double {
        @inline(__always) get { figures(.person).median }
    }

    var medianPersonSkill: Double {
        @inline(__always) get { figures(.skill).median }
    }
}

/// A way to answer "how many hours": a weighted mean of members, and when to leave the plan alone.
struct HoursCandidate: Sendable, Equatable {
    var name: String
    var title: String
    var isBaseline: Bool
    /// Those of the variant's members whose mean it is.
    var members: [MemberName]
    /// Estimates closer to the plan than this (log ratio) are the plan: so many tasks take exactly what was planned
    /// that a nudge away from it is more often wrong than right. 0 where there is no plan.
    var snap: Double
    /// How much of the distance from the plan is believed, 0…1: where earlier windows of time were too noisy to tell,
    /// estimates are held back toward what a person said. 1 where there is no plan.
    var trust: Double

    /// - Parameter move: by which the latest errors move it (``LatestErrors``).
    func combine(_ predictions: [Double], move: Double = 0) -> Double {
        Self.combine(mean(predictions), move: move, snap: snap)
    }

    /// What members say together, as far as it is believed, before an estimate near the plan is taken for the plan.
    func mean(_ predictions: [Double]) -> Double {
        var sum = 0.0
        for value in predictions { sum += value }
        return Self.mean(sum: sum, of: predictions.count, trust: trust)
    }

    /// The same from the sum of the members' predictions, added in their order.
    static func mean(sum: Double, of count: Int, trust: Double) -> Double {
        count == 0 ? 0 : trust * sum / Double(count)
    }

    static func combine(_ mean: Double, move: Double, snap: Double) -> Double {
        let estimate = mean + move
        return abs(estimate) < snap ? 0 : estimate
    }

    /// Its estimates from those of its members, row by row.
    func estimates(_ predictions: MemberPredictions) -> [Double] {
        let own = members.map { predictions[$0] }
        guard let count = own.first?.count else { return [] }
        return (0..<count).map { row in combine(own.map { $0[row] }) }
    }

    /// What kinds of models it rests on.
    var kinds: Set<MemberName.Kind> { Set(members.map(\.kind)) }

    /// The base network is fitted once, to all rows before the validation slice: only there can it be judged.
    var isFittedOnce: Bool { members.contains(.baseNetwork) }

    func encode(into writer: inout ByteWriter) {
        writer.write(name)
        writer.write(title)
        writer.write(isBaseline)
        writer.write(members) { $0.write($1.rawValue) }
        writer.write(snap)
        writer.write(trust)
    }

    init(
        name: String, title: String, isBaseline: Bool = false, members: [MemberName], snap: Double = 0,
        trust: Double = 1
    ) {
        self.name = name
        self.title = title
        self.isBaseline = isBaseline
        self.members = members
        self.snap = snap
        self.trust = trust
    }

    init(from reader: inout ByteReader, fitted: Set<MemberName>) throws {
        name = try reader.string()
        title = try reader.string()
        isBaseline = try reader.bool()
        let named = try reader.array(elementSize: 4) { MemberName(rawValue: try $0.integer()) }
        members = named.compactMap { $0 }
        snap = try reader.double()
        // Artefacts of format 1 believed everything.
        trust = reader.formatVersion >= 2 ? try reader.double() : 1
        guard members.count == named.count, fitted.isSuperset(of: members) else {
            throw ArtifactError(description: "a candidate of the artefact is damaged")
        }
    }
}

/// From the decision of an allocation to its end, in seconds since 1970-01-01 UTC.
public struct WorkSpan: Sendable, Equatable {
    public let decidedAt: Double
    /// nil while unfinished.
    public let completedAt: Double?

    public init(decidedAt: Double, completedAt: Double?) {
        self.decidedAt = decidedAt
        self.completedAt = completedAt
    }
}

extension History {
    /// Whether, as far as was known at a moment, an allocation has an outcome to learn from or may still get one. What was finished
    /// without hours, or cancelled, has none. Open work gets none on a project that is closed, where nobody will finish it, and while it
    /// is tentative: nobody has begun it. Were these waited for, they would count as ever longer work. Work on hold is waited for.
    func isAwaited(_ entry: HistoryEntry, asOf moment: Double) -> Bool {
        let allocation = entry.allocation
        if let ended = allocation.endedAt, ended < moment { return entry.outcomeTime != nil }
        if let soft = allocation.softSince, soft < moment { return false }
        guard let project = project(allocation.project), project.isClosed(before: moment) else { return true }
        // A project of an import may say no more than that it is closed: work that ended later shows that it was open.
        return allocation.endedAt != nil && project.closedSince == nil && project.end == nil
    }

    /// Of all allocations that have an outcome or may still get one (``isAwaited(_:asOf:)``), in no order. Work that ended without
    /// recorded hours has none.
    public var workSpans: [WorkSpan] { workSpans(at: entries.indices) }

    /// How many places allocations have: each keeps its own, whatever becomes of the others.
    public var placeCount: Int { entries.count }

    /// The ``workSpans`` of the allocations at some of the places, so that a large history can be gone through in pieces.
    public func workSpans(at places: Range<Int>) -> [WorkSpan] {
        places.clamped(to: entries.indices).compactMap { place -> WorkSpan? in
            let allocation = entries[place].allocation
            // A place that is free shows what it had last.
            guard slotOfID[allocation.id] == Int32(place) else { return nil }
            let isCounted =
                allocation.endedAt == nil
                ? isAwaited(entries[place], asOf: .infinity) : entries[place].source == .recorded
            guard isCounted else { return nil }
            return WorkSpan(decidedAt: allocation.decidedAt, completedAt: allocation.completedAt)
        }
    }
}

/// How long a tenant's work takes from its decision to its end, unfinished work included.
public struct WorkDurations: Sendable {
    private let censoring: Censoring
    /// Ascending by seconds.
    private let finished: [(seconds: Double, completedAt: Double)]

    /// So many finished allocations must lie in a share of which something is said.
    private static let leastBeyond = 2.0

    public init(_ spans: [WorkSpan]) {
        censoring = Censoring(decisions: spans.map(\.decidedAt).sorted())
        finished = spans.compactMap { span in
            span.completedAt.map { (seconds: max(0, $0 - span.decidedAt), completedAt: $0) }
        }.sorted { $0.seconds < $1.seconds }
    }

    /// The seconds that only a share of all work exceeds (`Censoring.duration`), as far as it was known at a moment.
    /// - Parameters:
    ///   - share: 0…1.
    ///   - moment: seconds since 1970-01-01 UTC.
    /// - Returns: nil where too little has finished, or where the history is shorter than twice the answer: of a short history only the
    ///   short work has finished, and what long work takes cannot be told.
    public func seconds(exceededBy share: Double, asOf moment: Double) -> Double? {
        let known = finished.filter { $0.completedAt < moment }.map(\.seconds)
        guard Double(known.count) * share >= Self.leastBeyond, let first = censoring.decisions.first,
            let seconds = censoring.duration(exceededBy: share, of: known, knownAt: moment),
            2 * seconds <= moment - first
        else { return nil }
        return seconds
    }
}

/// Which entries are written together: the bookkeeping of a group commit as a plain value, without clock, task or database.
///
/// While nothing is being written an entry is written at once. While a commit is under way those that come meanwhile are
/// gathered, and the next commit takes them all; none waits longer for it than ``Limits/wait``, as long as there are
/// connections.
struct CommitQueue<Entry> {
    typealias Instant = ContinuousClock.Instant

    struct Limits: Sendable {
        /// How long an entry waits for others while a commit is under way.
        var wait = Duration.milliseconds(2)
        /// Rows of one transaction, unless a single entry has more.
        var rows = 512
        /// Transactions under way at once, a connection each.
        var groups = 4
    }

    enum Action {
        case write([Entry])
        case wake(at: Instant)
    }

    private let limits: Limits
    private var waiting: [(entry: Entry, rows: Int, since: Instant)] = []
    private var underWay = 0
    private var isWakeSet = false

    init(_ limits: Limits = Limits()) { self.limits = limits }

    mutating func add(_ entry: Entry, rows: Int, now: Instant) -> [Action] {
        waiting.append((entry, rows, now))
        return actions(now)
    }

    /// A transaction has ended.
    mutating func finished(now: Instant) -> [Action] {
        underWay -= 1
        return actions(now)
    }

    mutating func woke(now: Instant) -> [Action] {
        isWakeSet = false
        return actions(now)
    }

    private mutating func actions(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while underWay < limits.groups, let oldest = waiting.first {
            let isDue = underWay == 0 || now - oldest.since >= limits.wait
            guard isDue || waiting.reduce(0, { $0 + $1.rows }) >= limits.rows else { break }
            actions.append(.write(takeGroup()))
            underWay += 1
        }
        if underWay < limits.groups, let oldest = waiting.first, !isWakeSet {
            isWakeSet = true
            actions.append(.wake(at: oldest.since + limits.wait))
        }
        return actions
    }

    private mutating func takeGroup() -> [Entry] {
        var rows = 0
        var count = 0
        while count < waiting.count, count == 0 || rows + waiting[count].rows <= limits.rows {
            rows += waiting[count].rows
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return waiting.prefix(count).map(\.entry)
    }
}

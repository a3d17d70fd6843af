import Contracts

/// How far a follower has read another service's change feed, as a plain value.
struct ChangeHearing: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// nil before the first answer.
    private(set) var position: String?
    /// Time of the last request that was answered in full: all changes committed before it have been received.
    private(set) var heardAt: Instant?
    /// How long an answer stays current, counted from its request.
    let silence: Duration

    init(silence: Duration) { self.silence = silence }

    func isHeard(at time: Instant) -> Bool { heardAt.map { time - $0 < silence } ?? false }

    /// The changes in an answer, to be acted on before ``heard(_:askedAt:)``; nil when there are none.
    func news(of answer: ChangeNews) -> ChangeFollower.News? {
        guard answer.isContinuous, position != nil else { return .everything }
        return answer.changes.isEmpty ? nil : .changes(answer.changes)
    }

    /// Records that the answer has been acted on.
    mutating func heard(_ answer: ChangeNews, askedAt: Instant) {
        position = answer.position
        if answer.isWhole { heardAt = askedAt }
    }
}

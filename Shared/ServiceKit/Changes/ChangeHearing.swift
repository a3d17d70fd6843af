import Contracts

/// How far somebody has heard of another's changes, as a plain value.
struct ChangeHearing: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// nil before the first answer.
    private(set) var position: String?
    /// When the last question was put whose answer was whole: all that was committed by then has been heard of.
    private(set) var heardAt: Instant?
    /// For how long silence is taken for nothing new.
    let silence: Duration

    init(silence: Duration) { self.silence = silence }

    func isHeard(at time: Instant) -> Bool { heardAt.map { time - $0 < silence } ?? false }

    /// What an answer tells, which is to be acted on before ``heard(_:askedAt:)``; nil: nothing new.
    func news(of answer: ChangeNews) -> ChangeFollower.News? {
        guard answer.isContinuous, position != nil else { return .everything }
        return answer.changes.isEmpty ? nil : .changes(answer.changes)
    }

    /// The answer has been acted on.
    mutating func heard(_ answer: ChangeNews, askedAt: Instant) {
        position = answer.position
        if answer.isWhole { heardAt = askedAt }
    }
}

public import Contracts
public import Foundation

/// Moments that a client says something has happened at.
public enum Moments {
    /// A client's clock may be ahead of ours by so much, in seconds.
    public static let tolerance: TimeInterval = 60

    /// What has not happened yet cannot be recorded: a model would learn from an unknown outcome.
    /// - Throws: 422 naming every one that lies in the future.
    public static func requirePast(_ moments: [(field: String, moment: Date?)], now: Date = Date()) throws {
        let errors = inFuture(moments, now: now)
        guard errors.isEmpty else { throw ProblemError.validation(errors) }
    }

    /// One error for every one that lies in the future.
    public static func inFuture(_ moments: [(field: String, moment: Date?)], now: Date = Date()) -> [FieldError] {
        moments.filter { $0.moment.map { $0.timeIntervalSince(now) > tolerance } ?? false }
            .map { FieldError(field: $0.field, message: "must not be in the future") }
    }
}

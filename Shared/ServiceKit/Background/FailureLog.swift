import Basics
public import Logging

/// How failures of repeated work are logged: a fixed phrase, which operators look for, and the error as metadata.
public struct FailureLog: Sendable {
    private let phrase: Logger.Message
    private let level: Logger.Level
    private let logger: Logger
    let isOncePerOutage: Bool
    private let restored: Logger.Message?
    let patience: Duration

    /// A line for each failure.
    public static func each(
        _ phrase: Logger.Message, at level: Logger.Level = .warning, to logger: Logger
    ) -> FailureLog {
        FailureLog(
            phrase: phrase, level: level, logger: logger, isOncePerOutage: false, restored: nil, patience: .zero)
    }

    /// A line for the first of several failures in a row.
    ///
    /// - Parameters:
    ///   - restored: logged at `info` at the first success after a logged failure.
    ///   - patience: failures before the first success are not logged for this long: services start in any order.
    public static func oncePerOutage(
        _ phrase: Logger.Message, at level: Logger.Level = .warning, restored: Logger.Message? = nil,
        patience: Duration = .zero, to logger: Logger
    ) -> FailureLog {
        FailureLog(
            phrase: phrase, level: level, logger: logger, isOncePerOutage: true, restored: restored, patience: patience)
    }

    func failed(_ error: any Error) {
        logger.log(level: level, phrase, metadata: [LogKey.error: "\(LogText.of(error))"])
    }

    func succeededAgain() {
        if let restored { logger.info(restored) }
    }
}

/// The failures in a row of repeated work, and which of them are logged.
struct FailureStreak {
    /// Since the last success.
    private(set) var count = 0
    private var isLogged = false
    private var hasSucceeded = false

    /// - Parameter elapsed: since the work began.
    /// - Returns: whether this failure is logged.
    mutating func failed(after elapsed: Duration, by log: FailureLog) -> Bool {
        count += 1
        guard log.isOncePerOutage else { return true }
        guard !isLogged, hasSucceeded || elapsed >= log.patience else { return false }
        isLogged = true
        return true
    }

    /// - Returns: whether a failure of the streak that ends was logged.
    mutating func succeeded() -> Bool {
        defer { self = FailureStreak(hasSucceeded: true) }
        return isLogged
    }

    init(hasSucceeded: Bool = false) { self.hasSucceeded = hasSucceeded }
}

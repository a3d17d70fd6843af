import Contracts
import ServiceKit
import Synchronization

/// A service's changes as a test tells them.
final class ScriptedChanges: ChangeSource {
    private struct State {
        var history = 1
        var changes: [Change] = []
        var isDown = false
        var whileAnswering: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func tell(_ changes: Change...) { state.withLock { $0.changes += changes } }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }
    /// As after a restore: the history goes another way.
    func diverge() { state.withLock { $0.history += 1 } }
    func whileAnswering(_ body: (@Sendable () -> Void)?) { state.withLock { $0.whileAnswering = body } }

    func news(after position: String?) async throws -> ChangeNews {
        state.withLock { $0.whileAnswering }?()
        return try state.withLock { state in
            guard !state.isDown else { throw ProblemError.unavailable("gone") }
            let now = "\(state.history).\(state.changes.count)"
            let parts = (position ?? "").split(separator: ".").compactMap { Int($0) }
            guard parts.count == 2, parts[0] == state.history else {
                return ChangeNews(position: now, isContinuous: false, isWhole: true, changes: [])
            }
            return ChangeNews(
                position: now, isContinuous: true, isWhole: true, changes: Array(state.changes.dropFirst(parts[1])))
        }
    }
}

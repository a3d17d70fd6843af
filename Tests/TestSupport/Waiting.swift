import Synchronization

/// What a test has waited for until its time limit was over.
public struct NeverCame: Error, CustomStringConvertible {
    public let description: String
}

/// Asks again and again until it is so. There is no limit of its own, so that a busy machine fails no test: the test's own time limit
/// cancels it, and then the failure says what did not come.
public func waitUntil(_ what: String, _ isSo: () async throws -> Bool) async throws {
    while try await !isSo() {
        guard !Task.isCancelled else { throw NeverCame(description: "waited in vain until \(what)") }
        // Looking without a pause would hold up what is waited for.
        try? await Task.sleep(for: .milliseconds(1))
    }
}

/// Something that happens once and is awaited elsewhere. Who waits is released by cancellation too, so that a test whose time limit is
/// over fails and does not hang.
public final class Signal: Sendable {
    private struct State {
        var isSet = false
        var next = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    public var isSet: Bool { state.withLock { $0.isSet } }

    public func wait() async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    // A cancellation before this found nobody to release.
                    guard !state.isSet, !Task.isCancelled else { return false }
                    state.waiters[number] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}

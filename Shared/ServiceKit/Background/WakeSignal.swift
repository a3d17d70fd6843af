import Synchronization

/// Wakes all waiting tasks. A task that has looked and found nothing misses no wake-up between its look and its wait.
public final class WakeSignal: Sendable {
    private struct State {
        var count: UInt64 = 0
        var nextWaiter = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// How often ``wakeAll()`` was called: to be read before looking, and waited with afterwards.
    public var count: UInt64 { state.withLock { $0.count } }

    public func wakeAll() {
        let woken = state.withLock { state in
            state.count += 1
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns at the first wake-up after `count`, at once if it has come already, when `limit` is over or the task is
    /// cancelled.
    public func wait(
        after count: UInt64, atMost limit: Duration, clock: any Clock<Duration> = ContinuousClock()
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: count) }
            group.addTask { try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(after count: UInt64) async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    // A cancellation before this point found no waiter to resume.
                    if state.count > count || Task.isCancelled { return true }
                    state.waiting[number] = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
        }
    }
}

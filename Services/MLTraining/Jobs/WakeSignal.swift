import Synchronization

/// Wakes this node's idle workers when a job is queued here, so that the job does not wait for the next poll.
final class WakeSignal: Sendable {
    private struct Waiters {
        var next = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let waiters = Mutex(Waiters())

    init() {}

    func wakeAll() {
        let woken = waiters.withLock { waiters in
            defer { waiters.waiting = [:] }
            return waiters.waiting.values
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns when woken, when `limit` is over, or when the task is cancelled.
    func wait(atMost limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait() async {
        let id = waiters.withLock { waiters in
            waiters.next += 1
            return waiters.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiters.withLock { $0.waiting[id] = continuation }
                // Cancelled before the continuation was stored, the handler below found nothing to resume.
                if Task.isCancelled { resume(id) }
            }
        } onCancel: {
            resume(id)
        }
    }

    private func resume(_ id: Int) {
        waiters.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
    }
}

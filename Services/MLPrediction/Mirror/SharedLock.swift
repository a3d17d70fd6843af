import Glibc
import Synchronization

/// A value that many may read at once and one may change.
///
/// A forecast reads a tenant's whole history; were it copied out from under a mutex, the next change would have to copy
/// all of it (copy-on-write sees a second owner). Here readers read in place, side by side, and a change happens in place.
///
/// A change waits for those who read, perhaps a comparison of many people, and who comes later waits for the change: on a thread of
/// its own with ``read(_:)`` and ``change(_:)``, and holding none of the cooperative pool's with ``readInTurn(_:)``.
///
/// `@unchecked Sendable` holds because `value` is only ever touched while the POSIX lock is held: shared by those who read,
/// exclusively by a change. The lock lives at a fixed address that is freed with the object.
final class SharedLock<Value: Sendable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>
    private var value: Value
    private let changes = Mutex(Changes())

    /// Changes that wait or are under way, and who waits for their end.
    private struct Changes {
        var underWay = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    init(_ value: Value) {
        self.value = value
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        // The default lets a stream of readers keep a writer waiting for ever, and the mirror would go stale.
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    /// - Parameter body: synchronous; must not call this lock again.
    func read<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body(value)
    }

    /// The same for the cooperative pool: no thread waits.
    /// - Parameter body: short, too.
    func readInTurn<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (Value) throws -> Result
    ) async rethrows -> Result {
        while true {
            if let result = try readAtOnce(body) { return result }
            await endOfChange()
        }
    }

    private func readAtOnce<Result>(_ body: (Value) throws -> Result) rethrows -> Result? {
        guard pthread_rwlock_tryrdlock(lock) == 0 else { return nil }
        defer { pthread_rwlock_unlock(lock) }
        return try body(value)
    }

    func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        changes.withLock { $0.underWay += 1 }
        pthread_rwlock_wrlock(lock)
        defer {
            pthread_rwlock_unlock(lock)
            endChange()
        }
        return try body(&value)
    }

    /// Changes the value where nobody reads it at the moment, and else waits for nobody.
    /// - Returns: whether it has changed.
    func changeAtOnce(_ body: (inout Value) -> Void) -> Bool {
        changes.withLock { $0.underWay += 1 }
        defer { endChange() }
        guard pthread_rwlock_trywrlock(lock) == 0 else { return false }
        defer { pthread_rwlock_unlock(lock) }
        body(&value)
        return true
    }

    /// Readers wait only for the exchange: the former value, which may take long to free, is freed after it.
    func replace(with new: consuming Value) {
        change { swap(&$0, &new) }
    }

    private func endChange() {
        let waiting = changes.withLock { changes in
            changes.underWay -= 1
            defer { changes.waiting = [] }
            return changes.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns at the end of a change that waits or is under way, at once where there is none.
    private func endOfChange() async {
        await withCheckedContinuation { continuation in
            let isUnderWay = changes.withLock { changes in
                if changes.underWay > 0 { changes.waiting.append(continuation) }
                return changes.underWay > 0
            }
            if !isUnderWay { continuation.resume() }
        }
    }
}

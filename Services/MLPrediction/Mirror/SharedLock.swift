import Glibc

/// A value that many may read at once and one may change.
///
/// A forecast reads a tenant's whole history; were it copied out from under a mutex, the next change would have to copy
/// all of it (copy-on-write sees a second owner). Here readers read in place, side by side, and a change happens in place.
///
/// `@unchecked Sendable` holds because `value` is only ever touched while the POSIX lock is held: shared by `read`,
/// exclusively by `change`. The lock lives at a fixed address that is freed with the object.
final class SharedLock<Value: Sendable>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>
    private var value: Value

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

    /// - Parameter body: short and synchronous; must not call this lock again.
    func read<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body(value)
    }

    func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body(&value)
    }

    /// Readers wait only for the exchange: the former value, which may take long to free, is freed after it.
    func replace(with new: consuming Value) {
        change { swap(&$0, &new) }
    }
}

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A thread of the operating system: libcurl's waiting must not take one from Swift's cooperative pool.
struct DriverThread: Sendable {
    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let id: pthread_t

    init(_ body: @escaping @Sendable () -> Void) {
        // Signals belong to the process's own handlers. A thread that is born with all of them blocked never gets
        // SIGPIPE either, whatever library writes to a closed socket on it.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

        var id = pthread_t()
        let start = Unmanaged.passRetained(Start(body))
        let status = pthread_create(&id, nil, { Self.main($0) }, start.toOpaque())
        guard status == 0 else { fatalError("pthread_create failed: \(status)") }
        self.id = id
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
        return nil
    }

    /// Waits for the thread's end; blocks.
    func join() { pthread_join(id, nil) }
    /// Lets the thread end on its own.
    func detach() { pthread_detach(id) }
}

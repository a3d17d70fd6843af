import Foundation

/// A thread of the operating system, for work that blocks or computes for long: Swift's cooperative pool has only as many
/// threads as there are cores, and none of them may wait.
public struct SystemThread: Sendable {
    private final class Start: Sendable {
        let name: String
        let niceness: Int32
        let body: @Sendable () -> Void

        init(_ name: String, _ niceness: Int32, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.niceness = niceness
            self.body = body
        }
    }

    private let id: pthread_t

    /// Starts the thread; exactly one of ``join()`` and ``detach()`` must follow.
    ///
    /// Signals belong to the process's own handlers. A thread that is born with all of them blocked never gets SIGPIPE
    /// either, whatever library writes to a closed socket on it. Faults stay unblocked, so that a crash is reported.
    /// - Parameters:
    ///   - name: as the system's tools show it; cut off after 15 bytes.
    ///   - niceness: how much further than the thread that makes it the thread stands back for others that want the processor, 0 to 19
    ///     (`setpriority(2)`, which on Linux takes a thread by itself).
    ///   - stackBytes: a multiple of the page size.
    public init(
        named name: String, niceness: Int32 = 0, stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
    ) {
        var blocked = sigset_t()
        var before = sigset_t()
        sigfillset(&blocked)
        for fault in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { sigdelset(&blocked, fault) }
        pthread_sigmask(SIG_SETMASK, &blocked, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        var id = pthread_t()
        let start = Unmanaged.passRetained(Start(name, niceness, body))
        let status = pthread_create(&id, &attributes, { Self.main($0) }, start.toOpaque())
        guard status == 0 else { fatalError("The system cannot start another thread: pthread_create gave \(status).") }
        self.id = id
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        Thread.current.name = String(decoding: start.name.utf8.prefix(15), as: UTF8.self)
        if start.niceness > 0 {
            let which = Int32(PRIO_PROCESS.rawValue)
            setpriority(which, 0, getpriority(which, 0) + start.niceness)
        }
        start.body()
        return nil
    }

    /// Waits for the thread's end; blocks.
    public func join() { pthread_join(id, nil) }

    /// Lets the thread end on its own.
    public func detach() { pthread_detach(id) }

    /// Starts a thread that ends on its own.
    public static func start(
        named name: String, niceness: Int32 = 0, stackBytes: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
    ) {
        SystemThread(named: name, niceness: niceness, stackBytes: stackBytes, body).detach()
    }

    /// Runs `body` on a thread of its own.
    /// - Throws: what `body` throws. A cancelled caller still waits: `body` has to look for cancellation itself.
    public static func run<Value, Failure: Error>(
        named name: String, niceness: Int32 = 0, _ body: @escaping @Sendable () throws(Failure) -> sending Value
    ) async throws(Failure) -> sending Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            start(named: name, niceness: niceness) {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

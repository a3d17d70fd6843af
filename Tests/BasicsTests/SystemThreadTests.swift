import Basics
import Foundation
import Testing

@Suite("Threads of the system")
struct SystemThreadTests {
    private struct Trouble: Error, Equatable {}

    @Test("work runs on a thread of its own with the name it was given, cut off at the system's limit")
    func name() async {
        let name = await SystemThread.run(named: "sixteen-bytes-up") {
            (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8))?.split(separator: "\n").first
                .map(String.init)
        }
        #expect(name == "sixteen-bytes-u")
    }

    @Test("an error comes back to the caller")
    func failure() async {
        await #expect(throws: Trouble()) {
            try await SystemThread.run(named: "test") { () throws(Trouble) -> Int in throw Trouble() }
        }
    }

    @Test("signals are blocked, faults are not, and the starting thread keeps its own mask")
    func signals() async {
        let (blocked, faults) = await SystemThread.run(named: "test") {
            var mask = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &mask)
            return ([SIGTERM, SIGPIPE, SIGINT].map { sigismember(&mask, $0) }, sigismember(&mask, SIGSEGV))
        }
        #expect(blocked == [1, 1, 1])
        #expect(faults == 0)
        let own = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                func isTermBlocked() -> Int32 {
                    var mask = sigset_t()
                    pthread_sigmask(SIG_SETMASK, nil, &mask)
                    return sigismember(&mask, SIGTERM)
                }
                let before = isTermBlocked()
                SystemThread(named: "test") {}.join()
                continuation.resume(returning: (before, isTermBlocked()))
            }
        }
        #expect(own.0 == own.1)
    }

    @Test("join waits for the end")
    func join() async {
        let ended = await SystemThread.run(named: "outer") {
            let flag = Flag()
            SystemThread(named: "inner") { flag.raise() }.join()
            return flag.isRaised
        }
        #expect(ended)
    }

    // @unchecked: written by the inner thread only, read after it was joined.
    private final class Flag: @unchecked Sendable {
        private(set) var isRaised = false
        func raise() { isRaised = true }
    }
}

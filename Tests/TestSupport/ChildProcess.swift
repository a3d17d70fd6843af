public import Foundation

/// A program started by a test.
///
/// Not Foundation's `Process`: its children inherit the blocked signals of the thread that started them, so that SIGTERM
/// never reaches them, its termination handler was seen not to be called, and among a thousand open sockets its `run` read beyond
/// the list of them.
public final class ChildProcess: Sendable {
    public let id: pid_t
    private let ending: Task<Int32, Never>

    /// - Parameters:
    ///   - path: the program; looked up in `PATH` when it has no slash.
    ///   - environment: the whole environment; nil for this process's own.
    ///   - output: file that standard output and error are appended to; nil to throw them away.
    /// - Throws: `POSIXError` when the program cannot be started.
    public init(
        _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil, output: URL? = nil
    ) throws {
        id = try Self.spawn(path, arguments, environment, output?.path ?? "/dev/null")
        let id = id
        ending = Task {
            // A thread of its own waits: the pool's threads must not block.
            await withCheckedContinuation { continuation in
                let thread = Thread {
                    var status: Int32 = 0
                    while waitpid(id, &status, 0) == -1, errno == EINTR {}
                    continuation.resume(returning: status)
                }
                thread.start()
            }
        }
    }

    /// Waits for the end: the exit code, or the negative number of the signal that ended it.
    public var exitCode: Int32 {
        get async { Self.exitCode(await ending.value) }
    }

    /// Sends a signal and waits for the end.
    @discardableResult
    public func end(_ signal: Int32) async -> Int32 {
        kill(id, signal)
        return await exitCode
    }

    /// Runs a program to its end, on this thread.
    /// - Returns: its exit code, or the negative number of the signal that ended it, and what it has printed.
    /// - Throws: `POSIXError` when the program cannot be started.
    public static func run(_ path: String, _ arguments: [String]) throws -> (exitCode: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let id = try spawn(path, arguments, nil, file.path)
        var status: Int32 = 0
        while waitpid(id, &status, 0) == -1, errno == EINTR {}
        let output = FileManager.default.contents(atPath: file.path) ?? Data()
        return (exitCode(status), String(decoding: output, as: UTF8.self))
    }

    private static func exitCode(_ status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String]?, _ output: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0)=\($1)" }
        var id: pid_t = 0
        let failure = withCStrings([path] + arguments) { words in
            withCStrings(variables) { posix_spawnp(&id, path, &actions, &attributes, words, $0) }
        }
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EINVAL) }
        return id
    }

    private static func withCStrings<R>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    }
}

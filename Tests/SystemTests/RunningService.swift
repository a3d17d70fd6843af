import Foundation
import Synchronization
import TestSupport

/// One real executable as a child process, started, killed and started again by a test.
final class RunningService: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let name: String
    private let executable: String
    private let environment: [String: String]
    private let logFile: URL
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameter executable: by default called as the service is.
    init(name: String, executable: String? = nil, environment: [String: String], logFile: URL) {
        self.name = name
        self.executable = executable ?? name
        self.environment = environment
        self.logFile = logFile
    }

    /// Where SwiftPM put the executables of this very build: beside the test bundle.
    static var executables: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    }

    func start() throws {
        let path = Self.executables.appendingPathComponent(executable).path
        let child = try ChildProcess(path, environment: environment, output: logFile)
        process.withLock { $0 = child }
    }

    /// SIGKILL: no chance to tidy up, as when the machine loses power. Returns once the process is gone.
    func kill() async { await end(SIGKILL) }

    /// SIGTERM: the graceful way. Returns the exit code; nil when it does not run.
    @discardableResult
    func terminate() async -> Int32? { await end(SIGTERM) }

    @discardableResult
    private func end(_ signal: Int32) async -> Int32? {
        let child = process.withLock { running in
            defer { running = nil }
            return running
        }
        return await child?.end(signal)
    }

    /// The log's end, for a failing test's message.
    var logTail: String {
        let text = (try? String(contentsOf: logFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(20).joined(separator: "\n")
    }
}

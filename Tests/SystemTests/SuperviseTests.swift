import Foundation
import TestSupport
import Testing

@Suite("compose/supervise")
struct SuperviseTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-supervise-\(UUID())")
    private var runs: URL { folder.appendingPathComponent("runs") }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    /// Supervises a shell script that writes its process id to ``runs`` once it is prepared.
    private func supervise(prepared: String = "", _ script: String, worthIt seconds: Int) throws -> ChildProcess {
        let program = folder.appendingPathComponent("program")
        try "\(prepared)\necho $$ >>'\(runs.path)'\n\(script)\n"
            .write(to: program, atomically: true, encoding: .utf8)
        return try ChildProcess(
            ServiceDatabases.repository.appendingPathComponent("compose/supervise").path,
            ["/bin/sh", program.path],
            environment: ProcessInfo.processInfo.environment.merging(["SUPERVISE_WORTH_IT": "\(seconds)"]) { $1 })
    }

    private func lines() -> [String] {
        ((try? String(contentsOf: runs, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    private func untilRuns(_ count: Int) async throws {
        while lines().count < count { try await Task.sleep(for: .milliseconds(50)) }
    }

    @Test("a program that is killed is started again, and SIGTERM ends it in its own way", .timeLimit(.minutes(5)))
    func restarts() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let supervisor = try supervise(
            prepared: "trap 'echo ended >>\(runs.path); exit 0' TERM", "while :; do sleep 0.05; done", worthIt: 0)
        for run in 1...2 {
            try await untilRuns(run)
            kill(try #require(pid_t(lines()[run - 1])), SIGKILL)
        }
        try await untilRuns(3)
        #expect(await supervisor.end(SIGTERM) == 0)
        #expect(lines().count == 4 && lines().last == "ended")
    }

    @Test("a program that cannot even start is not started again, and its status is reported", .timeLimit(.minutes(5)))
    func hopeless() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let supervisor = try supervise("exit 2", worthIt: 30)
        #expect(await supervisor.exitCode == 2)
        #expect(lines().count == 1)
    }

    @Test("a crashed Postgres's number that another program has is neither taken for the server nor stopped")
    func staleServer() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = folder.appendingPathComponent("data")
        try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
        let library = ServiceDatabases.repository.appendingPathComponent("compose/lib.sh").path
        /// What the functions say of a folder in which `pid` is noted.
        func shell(_ script: String) async throws -> Int32 {
            try await ChildProcess(
                "/bin/bash",
                ["-c", "source '\(library)'; as_postgres() { \"$@\"; }; data='\(data.path)'; \(script)"]
            ).exitCode
        }
        let stranger = try ChildProcess("/bin/sleep", ["600"])
        try "\(stranger.id)\n".write(
            to: data.appendingPathComponent("postmaster.pid"), atomically: true, encoding: .utf8)
        #expect(try await shell("! cluster_runs \"$data\" && stop_cluster \"$data\"") == 0)
        #expect(kill(stranger.id, 0) == 0)
        // A process at work in the folder may be a backend that has outlived its server.
        let worker = try ChildProcess("/bin/sh", ["-c", "cd '\(data.path)' && exec sleep 600"])
        try await waitUntil("a process works in the folder") {
            try await shell("[ \"$(readlink /proc/\(worker.id)/cwd)\" = \"$(readlink -f \"$data\")\" ]") == 0
        }
        #expect(try await shell("forget_crash \"$data\"; [ -f \"$data/postmaster.pid\" ]") == 0)
        await worker.end(SIGKILL)
        #expect(try await shell("forget_crash \"$data\"; [ ! -f \"$data/postmaster.pid\" ]") == 0)
        _ = await stranger.end(SIGKILL)
    }
}

import Contracts
import Foundation
import Glibc
import ServiceIdentity
import TestSupport
import Testing

@testable import MLTraining

/// The real ml-training executable, run as operators run it.
struct TrainingProcess {
    let folder: URL
    let tenantAdmin: String
    let database: String

    /// Lends the means to start processes that read the history from a tenant-admin on a live socket.
    static func with<R>(
        _ history: SyntheticHistory, _ fixture: TrainingDatabase, _ body: (TrainingProcess) async throws -> R
    ) async throws -> R {
        let identity = TestIdentity()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-process-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try #require(identity.pairs[.mlTraining]).pem.write(
            to: folder.appendingPathComponent("key"), atomically: true, encoding: .utf8)
        try identity.keys.contents().write(
            to: folder.appendingPathComponent("jwks"), atomically: true, encoding: .utf8)
        return try await FakeTenantAdmin(history: history, keys: identity.keys).serve { url in
            try await body(
                TrainingProcess(folder: folder, tenantAdmin: url, database: fixture.databases.mlTraining))
        }
    }

    /// Starts one, and kills it without warning when `body` is through with it.
    /// - Parameter onOneCore: it may use the first core only.
    func run<R>(
        workers: Int = 1, onOneCore: Bool = false, _ body: () async throws -> R
    ) async throws -> R {
        // `swift build --build-tests` puts the executables beside the test bundle.
        let executable = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("ml-training").path
        let arguments = [
            "--http-port", "0", "--ops-port", "0", "--log-level", "warning", "--database-url", database,
            "--tenant-admin-url", tenantAdmin, "--identity-key-file", folder.appendingPathComponent("key").path,
            "--identity-jwks-file", folder.appendingPathComponent("jwks").path, "--migrations-directory",
            ServiceDatabases.repository.appendingPathComponent("migrations").path,
            // However little of the machine it gets, it keeps its job while it lives.
            "--training-lease", "10m", "--training-workers", "\(workers)", "--training-poll", "50ms",
        ]
        let process =
            onOneCore
            ? try ChildProcess("taskset", ["-c", "0", executable] + arguments)
            : try ChildProcess(executable, arguments)
        do {
            let result = try await body()
            await process.end(SIGKILL)
            return result
        } catch {
            await process.end(SIGKILL)
            throw error
        }
    }
}

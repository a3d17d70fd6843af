import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// `compose/restore` into folders of its own, and `compose/upgrade` of what it has made.
    @Suite final class Restore {
        private let folder: URL
        private var state: URL { folder.appendingPathComponent("a state") }
        private var backup: URL { folder.appendingPathComponent("a backup") }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-restore-\(UUID())")
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        @Test("a restore that fails leaves nothing to start, and one that was killed is begun anew")
        func unfinished() async throws {
            try await backUp()
            let damaged = folder.appendingPathComponent("damaged")
            try await shell(
                """
                cp -R '\(backup.path)' '\(damaged.path)' && cd '\(damaged.path)' && sed -i /erm_gateway/d roles
                sha256sum roles database.dump >SHA256SUMS
                """)
            await #expect(throws: RunningService.Failure.self) { try await restore(damaged) }
            #expect(try contents(of: state) == [])

            // As a restore that was killed leaves it: no installation for other commands, and not in the way of another restore.
            try await shell(
                "mkdir '\(state.path)/run' && touch '\(state.path)/restoring' '\(state.path)/run/postgres.port'")
            await #expect(throws: RunningService.Failure.self) { try await Command.script("upgrade", inState) }
            try await withRestored {
                let made = try contents(of: state)
                #expect(made.contains("lock") && !made.contains("restoring"))
                await #expect(throws: RunningService.Failure.self) { try await restore(backup) }
            }
        }

        @Test(
            "a database without the gateway's tables is restored, and a missing password is named before anything is done"
        )
        func servicesApart() async throws {
            try await backUp()
            try await PostgresCluster.withDatabase("restore") { database in
                let arguments = [backup.path, "--database", database]
                let roles = ["gateway", "tenant_admin", "ml_training", "ml_prediction"]
                var passwords = Dictionary(
                    uniqueKeysWithValues: roles.map { ("\($0)_password", ServiceDatabases.password) })
                passwords["ml_prediction_password"] = ""
                let failure = await #expect(throws: RunningService.Failure.self) {
                    try await Command.script("restore", arguments, environment: passwords)
                }
                #expect(failure?.description.contains("ml_prediction_password") == true)
                passwords["ml_prediction_password"] = ServiceDatabases.password
                try await Command.script("restore", arguments, environment: passwords)
            }
        }

        @Test(
            "an upgrade backs a stopped installation up before anything else starts it, and a purge leaves the backup")
        func stopped() async throws {
            try await backUp()
            let copy = folder.appendingPathComponent("copy")
            let compose = ServiceDatabases.repository.appendingPathComponent("compose").path
            let backups = URL(fileURLWithPath: state.path + "-backups")
            try await withRestored {
                try await Command.script("down", inState)
                // What starts afterwards is not looked at here: a compose/up that only says how many backups it has found.
                try await shell(
                    """
                    mkdir '\(copy.path)' '\(state.path)/keys' && cp -R '\(compose)' '\(copy.path)/compose'
                    touch '\(state.path)/keys/jwks.json'
                    printf '#!/bin/sh\\nls "\(backups.path)" | wc -l >"\(folder.path)/found"\\n' >'\(copy.path)/compose/up'
                    '\(copy.path)/compose/upgrade' --state '\(state.path)'
                    """)
                #expect(try String(contentsOf: folder.appendingPathComponent("found"), encoding: .utf8) == "1\n")
            }
            let made = try #require(try contents(of: backups).first)
            #expect(try contents(of: backups.appendingPathComponent(made)).contains("database.dump"))
        }

        @Test("a backup's folder may be given with a slash behind it")
        func slash() async throws {
            try await backUp(to: backup.path + "/")
            #expect(try contents(of: folder) == [backup.lastPathComponent])
            #expect(try contents(of: backup) == ["SHA256SUMS", "database.dump", "roles"])
        }

        private var inState: [String] { ["--state", state.path] }

        /// Of a database in which the services have not been yet.
        private func backUp(to path: String? = nil) async throws {
            try await ServiceDatabases.withDatabases("backup") { databases in
                try await Command.script("backup", [path ?? backup.path, "--database", databases.superuser])
            }
        }

        private func restore(_ backup: URL) async throws {
            try await Command.script("restore", [backup.path] + inState)
        }

        /// Restores ``backup`` for `body`, and stops and removes what that has made.
        private func withRestored(_ body: () async throws -> Void) async throws {
            try await restore(backup)
            do {
                try await body()
            } catch {
                try? await Command.script("down", ["--purge"] + inState)
                throw error
            }
            try await Command.script("down", ["--purge"] + inState)
            #expect(!FileManager.default.fileExists(atPath: state.path))
        }

        private func contents(of folder: URL) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        }

        private func shell(_ script: String) async throws {
            let code = try await ChildProcess("/bin/bash", ["-ec", script]).exitCode
            try #require(code == 0, "\(script)")
        }
    }
}

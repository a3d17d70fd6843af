import Contracts
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Postgres and the uploads on a disk of 320 MB, which somebody else fills.
    @Suite struct FullDisk {
        /// A file system of its own in memory: nil where mounting is not allowed.
        private struct Disk {
            let folder: URL

            /// - Returns: nil where this process may not mount.
            static func mounted(megabytes: Int) async throws -> Disk? {
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-disk-\(UUID())")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                let code = try await ChildProcess(
                    "mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0777", "tmpfs", folder.path]
                ).exitCode
                guard code == 0 else {
                    try FileManager.default.removeItem(at: folder)
                    return nil
                }
                return Disk(folder: folder)
            }

            /// The cluster's files go with the test process, which is why the mount is let go of lazily.
            func unmount() async throws {
                _ = try await ChildProcess("umount", ["-l", folder.path]).exitCode
                try? FileManager.default.removeItem(at: folder)
            }

            private var filler: URL { folder.appendingPathComponent("filler") }

            /// Writes until nothing more fits.
            func fill() throws {
                try Data().write(to: filler)
                let file = try FileHandle(forWritingTo: filler)
                defer { try? file.close() }
                let block = [UInt8](repeating: 1, count: 65_536)
                while block.withUnsafeBytes({ write(file.fileDescriptor, $0.baseAddress, $0.count) }) > 0 {}
            }

            func makeRoom() throws { try FileManager.default.removeItem(at: filler) }
        }

        @Test(
            "on a full disk writes are answered 503 with Retry-After and the service is not ready; with room again it works, and nothing acknowledged is lost"
        )
        func fullDisk() async throws {
            guard let disk = try await Disk.mounted(megabytes: 320) else {
                print("skipped: FullDisk needs the right to mount a file system (run it as root)")
                return
            }
            do {
                try await tried(on: disk)
            } catch {
                try await disk.unmount()
                throw error
            }
            try await disk.unmount()
        }

        private func tried(on disk: Disk) async throws {
            // As a server that keeps what it acknowledges; its log of changes takes a small part of the disk.
            let url = try await PostgresCluster.databaseElsewhere(
                in: disk.folder,
                settings: ["synchronous_commit": "on", "max_wal_size": "64MB", "min_wal_size": "32MB"])
            let databases = try await ServiceDatabases.prepare(url)
            let spool = disk.folder.appendingPathComponent("spool")
            try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: true)
            try await Platform.withPlatform(
                on: databases, settings: ["IMPORTS_SPOOL_DIRECTORY": spool.path]
            ) { platform in
                let client = try await platform.tenant("acme")
                #expect((200...201).contains(try await client.upload(.employees, people("before")).status))
                var acknowledged = ["before"]

                try disk.fill()
                // Until something has been refused, then some more.
                var (refused, number) = (0, 0)
                let end = ContinuousClock.now + Platform.patience
                while refused < 6 {
                    try #require(.now < end, "the disk never became full for Postgres")
                    number += 1
                    // Every other one is too long to be kept in memory until it has come.
                    let answer = try await client.upload(
                        .employees, people("full\(number)", number.isMultiple(of: 2) ? 8_000 : 2_000))
                    if (200...201).contains(answer.status) {
                        acknowledged.append("full\(number)")
                        continue
                    }
                    refused += 1
                    #expect(answer.status == 503, "\(answer)")
                    #expect(answer.retryAfter ?? 0 > 0, "\(answer)")
                    if refused == 1 { try await notReady(platform) }
                    let single = try await client.post("/projects", #"{"externalId": "P\#(number)", "name": "P"}"#)
                    #expect(single.status == 201 || single.status == 503, "\(single)")
                    if single.status == 201 { acknowledged.append("P\(number)") }
                    if single.status == 503 { #expect(single.retryAfter ?? 0 > 0, "\(single)") }
                    try await Task.sleep(for: .milliseconds(200))
                }
                try await notReady(platform)

                try disk.makeRoom()
                for service in platform.services { try await platform.waitUntilReady(service) }
                try await accounted(client, acknowledged, upTo: number)
                #expect((200...201).contains(try await client.upload(.employees, people("after")).status))
                let verified = try await client.get("/audit-logs/verification")
                #expect(verified.data["isWhole"] == .bool(true), "\(verified)")
            }
        }

        /// Some 200 bytes each, which need several times as much in the database.
        private func people(_ batch: String, _ count: Int = 2_000) -> String {
            "external_id,name,weekly_capacity_hours\n"
                + (1...count).map { "\(batch)-\($0),\(String(repeating: "x", count: 150)) \($0),40\n" }.joined()
        }

        private func notReady(_ platform: Platform) async throws {
            let end = ContinuousClock.now + Platform.patience
            var last = "no answer"
            while .now < end {
                if let (status, text) = await platform.readiness(of: platform.tenantAdmin) {
                    if status == 503 { return }
                    last = text
                }
                try await Task.sleep(for: .milliseconds(100))
            }
            Issue.record("tenant-admin is ready on a full disk: \(last)")
        }

        /// Every acknowledged write is there, and nothing of a refused one.
        private func accounted(_ client: Client, _ acknowledged: [String], upTo number: Int) async throws {
            func isThere(_ path: String) async throws -> Bool {
                var answer = try await client.get(path)
                // A circuit that was opened closes again in a moment.
                for _ in 1...600 where answer.status == 503 {
                    try await Task.sleep(for: .milliseconds(100))
                    answer = try await client.get(path)
                }
                try #require(answer.status == 200, "\(answer)")
                return !answer.data.items.isEmpty
            }
            for batch in ["before"] + (1...number).map({ "full\($0)" }) {
                for person in [1, 2_000] {
                    let found = try await isThere("/employees?externalId=\(batch)-\(person)")
                    #expect(found == acknowledged.contains(batch), "\(batch)-\(person)")
                }
            }
            for project in acknowledged where project.hasPrefix("P") {
                #expect(try await isThere("/projects?externalId=\(project)"), "\(project)")
            }
        }
    }
}

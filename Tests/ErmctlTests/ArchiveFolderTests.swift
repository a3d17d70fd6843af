import Basics
import Contracts
import Crypto
import Foundation
import TestSupport
import Testing

@testable import Ermctl

@Suite("ermctl tenant restore")
struct ArchiveFolderTests {
    private func with(
        _ files: [String: String], manifest: Bool = true, isolation: isolated (any Actor)? = #isolation,
        _ body: (URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-folder-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        if manifest {
            let entries = files.map { name, text in
                ArchiveManifest.File(
                    name: name, lines: text.count { $0 == "\n" }, sha256: SHA256.hash(data: Data(text.utf8)).hex)
            }
            try Data(try WireJSON.encode(ArchiveManifest(files: entries))).write(
                to: folder.appendingPathComponent("manifest.json"))
        }
        try await body(folder)
    }

    @Test(
        "files of predictions and models are sent in parts of whole lines, numbered on; tenant-admin's own come whole")
    func parts() async throws {
        let lines = "aaa\nbb\nccccccc\ndd\ne\n"
        try await with(["models.ndjson": lines, "roles.ndjson": lines, "deployments.ndjson": ""]) { folder in
            let files = try ArchiveFolder(folder.path, partBytes: 6).files { _ in true }
            #expect(files.map(\.kind) == [.roles, .models, .deployments])
            #expect(files[0].parts == [.init(bytes: 0..<20, firstLine: 1, more: false)])
            #expect(
                files[1].parts == [
                    .init(bytes: 0..<7, firstLine: 1, more: true), .init(bytes: 7..<15, firstLine: 3, more: true),
                    .init(bytes: 15..<20, firstLine: 4, more: false),
                ])
            #expect(files[2].parts == [.init(bytes: 0..<0, firstLine: 1, more: false)])
            #expect(try ArchiveFolder(folder.path).files { $0 == .models }.map(\.parts.count) == [1])
        }
    }

    @Test("a part is read from where it begins to where it ends")
    func chunks() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("erm-part-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        try Data(bytes).write(to: file)
        for range in [0..<200_000, 70_000..<70_001, 1..<131_073, 5..<5] {
            var read: [UInt8] = []
            for try await chunk in FileChunks(path: file.path, range: range, sent: { _ in }) { read += chunk }
            #expect(read == Array(bytes[range]))
        }
    }

    @Test("a file that is missing or not what the manifest says is named, before anything is sent")
    func damaged() async throws {
        try await with(["models.ndjson": "{}\n", "roles.ndjson": "{}\n"]) { folder in
            try Data("{ }\n".utf8).write(to: folder.appendingPathComponent("models.ndjson"))
            let failure = #expect(throws: CommandFailure.self) {
                try ArchiveFolder(folder.path).files { _ in true }
            }
            #expect(failure?.description.contains("models.ndjson is damaged") == true)
            #expect(try ArchiveFolder(folder.path).files { $0 == .roles }.count == 1)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("roles.ndjson"))
            let missing = #expect(throws: CommandFailure.self) { try ArchiveFolder(folder.path).files { $0 == .roles } }
            #expect(missing?.description.contains("roles.ndjson is missing") == true)
        }
        try await with(["models.ndjson": "{}\n"]) { folder in
            try Data("{".utf8).write(to: folder.appendingPathComponent("manifest.json"))
            let failure = #expect(throws: CommandFailure.self) { try ArchiveFolder(folder.path).files { _ in true } }
            #expect(failure?.description.contains("manifest.json is not the manifest") == true)
        }
        try await with(["models.ndjson": "{}\n"], manifest: false) { folder in
            let files = try ArchiveFolder(folder.path).files { _ in true }
            #expect(files.count == 1)
        }
    }

    @Test("an import of an export whose people or work are damaged or missing is refused before anything is sent")
    func imports() async throws {
        let people = ["employees.ndjson": "{}\n", "skills.ndjson": "{}\n", "models.ndjson": "{}\n"]
        /// What an import of the folder fails with: where nothing is wrong with the folder, that nobody listens.
        func failure(of folder: URL) async throws -> String? {
            let client = PlatformClient(
                url: "http://127.0.0.1:\(try FreePort.take())", credential: .none, patience: Patience(limit: .zero))
            let failure = await #expect(throws: CommandFailure.self) {
                try await withClient(client) {
                    try await FolderImport(directory: folder.path, policy: .abort).run($0)
                }
            }
            return failure?.description
        }
        try await with(people) { folder in
            #expect(try await failure(of: folder)?.contains("did not answer") == true)
            // What other commands restore is theirs to check.
            try Data("{ }\n".utf8).write(to: folder.appendingPathComponent("models.ndjson"))
            #expect(try await failure(of: folder)?.contains("did not answer") == true)
            try Data("{ }\n".utf8).write(to: folder.appendingPathComponent("skills.ndjson"))
            #expect(try await failure(of: folder)?.contains("skills.ndjson is damaged") == true)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("skills.ndjson"))
            #expect(try await failure(of: folder)?.contains("skills.ndjson is missing") == true)
        }
    }
}

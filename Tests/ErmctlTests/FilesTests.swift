import Contracts
import Dispatch
import Foundation
import ServiceIdentity
import Synchronization
import TestSupport
import Testing

@testable import Ermctl

@Suite struct FilesTests {
    private func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ermctl-\(UUID())", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func permissions(_ url: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
    }

    @Test("keys are made once, kept the second time, and private keys are readable by their owner only")
    func keys() throws {
        try withFolder { folder in
            try KeyFiles(directory: folder).generate()
            let names =
                ServiceName.allCases.map { "\($0.rawValue).key" } + [
                    "operator.key", "operator.key.sha256", "jwks.json",
                ]
            let first = try names.map { try Data(contentsOf: folder.appendingPathComponent($0)) }
            try KeyFiles(directory: folder).generate()
            #expect(try names.map { try Data(contentsOf: folder.appendingPathComponent($0)) } == first)
            #expect(try permissions(folder.appendingPathComponent("gateway.key")) == 0o600)
            #expect(try permissions(folder.appendingPathComponent("operator.key")) == 0o600)
        }
    }

    @Test("a rotated key signs first, its predecessor is kept and known until it is pruned")
    func rotation() throws {
        try withFolder { folder in
            let files = KeyFiles(directory: folder)
            try files.generate()
            func pairs() throws -> [ServiceKeyPair] {
                try ServiceKeyPair.all(
                    pem: String(contentsOf: folder.appendingPathComponent("gateway.key"), encoding: .utf8))
            }
            func known() throws -> Set<String> {
                let text = try String(contentsOf: folder.appendingPathComponent("jwks.json"), encoding: .utf8)
                return Set(try JSONWebKeySet.load(contents: text).keys.filter { $0.iss == .gateway }.map(\.kid))
            }
            let first = try pairs()[0].keyID
            try files.rotate([.gateway])
            let both = try pairs().map(\.keyID)
            #expect(both.count == 2 && both[1] == first)
            #expect(try known() == Set(both))
            try files.generate()
            #expect(try pairs().map(\.keyID) == both)
            try files.prune([.gateway])
            #expect(try pairs().map(\.keyID) == [both[0]])
            #expect(try known() == [both[0]])
            #expect(try permissions(folder.appendingPathComponent("gateway.key")) == 0o600)
        }
    }

    @Test("keys that several commands make at once are all known")
    func atOnce() throws {
        try withFolder { folder in
            let files = KeyFiles(directory: folder)
            try files.generate()
            let failures = Mutex(0)
            DispatchQueue.concurrentPerform(iterations: 16) { number in
                do {
                    if number.isMultiple(of: 2) { try files.rotate([.gateway]) } else { try files.generate() }
                } catch {
                    failures.withLock { $0 += 1 }
                }
            }
            #expect(failures.withLock { $0 } == 0)
            let pem = try String(contentsOf: folder.appendingPathComponent("gateway.key"), encoding: .utf8)
            let text = try String(contentsOf: folder.appendingPathComponent("jwks.json"), encoding: .utf8)
            let known = try JSONWebKeySet.load(contents: text).keys.filter { $0.iss == .gateway }.map(\.kid)
            let made = try ServiceKeyPair.all(pem: pem).map(\.keyID)
            #expect(made.count == 9 && Set(made) == Set(known))
        }
    }

    @Test("keys to be rotated that are missing, or are no keys, are named with what to do")
    func unusableKeys() throws {
        try withFolder { folder in
            let files = KeyFiles(directory: folder)
            let missing = #expect(throws: CommandFailure.self) { try files.rotate([.gateway]) }
            #expect(missing?.description.contains(".key. `ermctl keys generate --directory") == true)
            try files.generate()
            let key = folder.appendingPathComponent("ml-training.key")
            try Data("no key\n".utf8).write(to: key)
            let unusable = #expect(throws: CommandFailure.self) { try files.generate() }
            #expect(unusable?.description.contains("ml-training.key holds no keys") == true)
            #expect(try String(contentsOf: key, encoding: .utf8) == "no key\n")
        }
    }

    @Test("an operator's key that cannot be read is named, and not replaced", arguments: ["", "\u{1}\n"])
    func damagedOperatorKey(contents: String) throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("operator.key")
            let bytes = Data(contents.utf8) + [0xff]
            try bytes.write(to: file)
            let failure = #expect(throws: CommandFailure.self) { try KeyFiles(directory: folder).generate() }
            #expect(failure?.description.contains("operator.key") == true)
            #expect(try Data(contentsOf: file) == bytes)
        }
    }

    @Test("a secret is its file's first line, and a file without one is named", arguments: ["", "\n", "\nsecret\n"])
    func emptySecret(contents: String) throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("password")
            try Data("secret\nmore\n".utf8).write(to: file)
            #expect(try Secret.read(file: file.path) == "secret")
            try Data(contents.utf8).write(to: file)
            let failure = #expect(throws: CommandFailure.self) { try Secret.read(file: file.path) }
            #expect(failure?.description.contains("password is empty; the secret") == true)
        }
    }

    @Test("a file for secrets is private before there is anything in it, and a failure to write it says why")
    func privateFile() throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("secret")
            try PrivateFile.create(file).close()
            #expect(try permissions(file) == 0o600)
            try PrivateFile.write([1, 2], to: file)
            #expect(try Data(contentsOf: file) == Data([1, 2]))
            let failure = #expect(throws: CommandFailure.self) {
                try PrivateFile.write([], to: folder.appendingPathComponent("none/secret"))
            }
            #expect(failure?.description.contains("none/secret: No such file or directory") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["secret"])
        }
    }

    @Test("a folder that cannot be made is named, and one that is made is its owner's")
    func folders() throws {
        try withFolder { folder in
            let inner = folder.appendingPathComponent("a/b", isDirectory: true)
            try PrivateFile.makeFolder(inner)
            try PrivateFile.makeFolder(inner)
            #expect(try permissions(inner) == 0o700)
            try Data().write(to: folder.appendingPathComponent("file"))
            let failure = #expect(throws: CommandFailure.self) {
                try PrivateFile.makeFolder(folder.appendingPathComponent("file/below"))
            }
            #expect(failure?.description.contains("file/below") == true)
        }
    }

    @Test("a session that another command has refreshed meanwhile is taken from the file, one of another login is not")
    func refreshedMeanwhile() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ermctl-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = SessionStore(directory: folder)
        // Nothing listens there: who needs an answer to go on fails.
        let url = "http://127.0.0.1:\(try FreePort.take())"
        let old = Session(
            url: url, tenantID: TenantID(), accessToken: "old", refreshToken: "used", expiresAt: .distantPast,
            login: UUID())
        var new = old
        (new.accessToken, new.refreshToken, new.expiresAt) = ("new", "next", .distantFuture)
        func token() async throws -> String? {
            try await withClient(
                PlatformClient(url: url, credential: .session(old, store), patience: Patience(limit: .zero))
            ) {
                try await $0.bearer()
            }
        }
        try store.save(new)
        #expect(try await token() == "new")
        new.login = UUID()
        try store.save(new)
        await #expect(throws: (any Error).self) { try await token() }
    }

    @Test("a session comes back as it was saved, from a file that no other user can read")
    func session() throws {
        try withFolder { folder in
            let store = SessionStore(directory: folder)
            let session = Session(
                url: "http://127.0.0.1:1", tenantID: TenantID(), subdomain: "acme", accessToken: "a", refreshToken: "r",
                expiresAt: Date(timeIntervalSince1970: 1_800_000_000))
            try store.save(session)
            #expect(try store.load() == session)
            #expect(try permissions(store.file) == 0o600)
        }
    }

    @Test("without a session the error says what to do")
    func noSession() throws {
        try withFolder { folder in
            let failure = #expect(throws: CommandFailure.self) { try SessionStore(directory: folder).load() }
            #expect(failure?.description.contains("ermctl login") == true)
        }
    }

    @Test("a folder's span runs from its first decision to the moment after its last known outcome")
    func span() throws {
        try withFolder { folder in
            let rows = """
                external_id,employee_external_id,project_external_id,allocated_hours,start_date,completed_at,created_at,required_skills
                1,E1,P1,8,2020-01-01,2020-02-01T00:00:00.000Z,2020-01-01T00:00:00.000Z,Swift;SQL
                2,E2,P2,5,2020-03-01,2020-06-01T00:00:00.000Z,2020-03-01T00:00:00.000Z,SQL;Writing
                3,E3,P3,2,2020-04-01,,2020-04-01T00:00:00.000Z,Linux;SQL
                """
            try Data(rows.utf8).write(to: folder.appendingPathComponent("allocations.csv"))
            let history = try HistoryFolder(directory: folder.path)
            #expect(WireJSON.timestamp(history.asOf) == "2020-06-01T00:00:00.001Z")
            #expect(history.months == 6)
            // E3's is newer, but has no outcome yet.
            #expect(history.newest.employee == "E2")
            #expect(history.newest.skills == ["SQL", "Writing"])
        }
    }

    @Test("a folder without any outcome cannot be learned from, and says so")
    func noOutcome() throws {
        try withFolder { folder in
            let rows = "external_id,allocated_hours,start_date,completed_at\n1,8,2020-01-01,\n"
            try Data(rows.utf8).write(to: folder.appendingPathComponent("allocations.csv"))
            let failure = #expect(throws: CommandFailure.self) { try HistoryFolder(directory: folder.path) }
            #expect(failure?.description.contains("no completed allocation") == true)
        }
    }
}

import ArgumentParser
import Basics
import Contracts
import Crypto
import Foundation
import ServiceIdentity
import Testing

@testable import Ermctl

@Suite struct AuditCommandTests {
    private let pair = ServiceKeyPair()

    /// An export of two entries and a signed head.
    private func export(_ actors: [String] = ["a", "b"]) throws -> String {
        var lines: [AuditExportLine] = []
        var previous: [UInt8] = []
        for (index, actor) in actors.enumerated() {
            let canonical = #"[\#(index + 1), "2026-01-01T00:00:00.000000Z", "\#(actor)", "create", "project"]"#
            let hash = Array(SHA256.hash(data: previous + Array(canonical.utf8)))
            lines.append(
                .entry(
                    AuditExportEntry(
                        seq: index + 1, canonical: canonical, previousHash: previous.hex, hash: hash.hex)))
            previous = hash
        }
        let (tenant, time) = (TenantID(), Date(timeIntervalSince1970: 1_800_000_000))
        let signed = try StatementSigner(keyPair: pair).sign(
            AuditHead.statement(tenantId: tenant, seq: actors.count, hash: previous.hex, anchoredAt: time))
        lines.append(
            .head(
                AuditHead(
                    tenantId: tenant, seq: actors.count, hash: previous.hex, anchoredAt: time, keyId: signed.keyID,
                    signature: signed.signature)))
        lines.append(.end(AuditExportEnd(entries: actors.count, heads: 1)))
        return try lines.map { String(decoding: try WireJSON.encode($0), as: UTF8.self) + "\n" }.joined()
    }

    private func verdict(_ export: String, keys: JSONWebKeySet? = nil) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ermctl-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, keyFile) = (folder.appendingPathComponent("audit"), folder.appendingPathComponent("jwks.json"))
        try Data(export.utf8).write(to: file)
        var arguments = [file.path]
        if let keys {
            try Data(try WireJSON.encode(keys)).write(to: keyFile)
            arguments += ["--keys", keyFile.path]
        }
        return try AuditCommand.Verify.verdict(on: try AuditCommand.Verify.parse(arguments).checked())
    }

    @Test("without public keys the chain is checked and called unconfirmed, with them a genuine head confirms it")
    func keys() throws {
        let text = try export()
        #expect(try verdict(text) == "unconfirmed")
        #expect(try verdict(text, keys: JSONWebKeySet(keys: [pair.publicJWK(issuer: .tenantAdmin)])) == "yes")
        #expect(
            try verdict(text, keys: JSONWebKeySet(keys: [ServiceKeyPair().publicJWK(issuer: .tenantAdmin)]))
                == "unconfirmed")
    }

    @Test("without public keys an entry that was changed, and one that was cut off, are found all the same")
    func tampered() throws {
        let text = try export()
        let lines = text.split(separator: "\n").map(String.init)
        for wrong in [
            text.replacing(#"\"a\""#, with: #"\"c\""#), ([lines[0]] + lines.dropFirst(2)).joined(separator: "\n"),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try verdict(wrong) }
            #expect(failure?.description.contains("does not hold") == true)
        }
    }
}

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

    /// An entry without its number and time.
    private struct Entry {
        var actor = "a"
        /// As JSON.
        var details = "{}"
        var personal: [String: PersonalValue]?
    }

    /// An export of the entries and a signed head.
    private func export(_ entries: [Entry] = [Entry(), Entry(actor: "b")]) throws -> String {
        var lines: [AuditExportLine] = []
        var previous: [UInt8] = []
        for (index, entry) in entries.enumerated() {
            let time = "2026-01-01T00:00:00.000000Z"
            let canonical =
                #"[\#(index + 1), "\#(time)", "\#(entry.actor)", "create", "employee", "e", \#(entry.details), "r"]"#
            let hash = Array(SHA256.hash(data: previous + Array(canonical.utf8)))
            lines.append(
                .entry(
                    AuditExportEntry(
                        seq: index + 1, canonical: canonical, previousHash: previous.hex, hash: hash.hex,
                        personal: entry.personal)))
            previous = hash
        }
        let (tenant, time) = (TenantID(), Date(timeIntervalSince1970: 1_800_000_000))
        let signed = try StatementSigner(keyPair: pair).sign(
            AuditHead.statement(tenantId: tenant, seq: entries.count, hash: previous.hex, anchoredAt: time))
        lines.append(
            .head(
                AuditHead(
                    tenantId: tenant, seq: entries.count, hash: previous.hex, anchoredAt: time, keyId: signed.keyID,
                    signature: signed.signature)))
        lines.append(.end(AuditExportEnd(entries: entries.count, heads: 1)))
        return try lines.map { String(decoding: try WireJSON.encode($0), as: UTF8.self) + "\n" }.joined()
    }

    private func verdict(_ export: String, keys: (some Encodable)? = JSONWebKeySet?.none) throws -> String {
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

    @Test("keys may be what the public URL answers; of those of access tokens is said where the right ones are")
    func answeredKeys() throws {
        let text = try export()
        let key = pair.publicJWK(issuer: .tenantAdmin)
        let answer = AuditKeys(keys: [
            AuditKey(
                kty: key.kty, crv: key.crv, alg: key.alg, use: key.use, kid: key.kid, x: key.x, iss: key.iss.rawValue)
        ])
        #expect(try verdict(text, keys: Success(answer)) == "yes")
        let ofTokens = ["keys": [["kty": key.kty, "crv": key.crv, "kid": key.kid, "x": key.x]]]
        let failure = #expect(throws: CommandFailure.self) { try verdict(text, keys: ofTokens) }
        #expect(failure?.description.contains("GET /api/v1/audit-logs/keys") == true)
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

    @Test("a value that is not the one that was hashed is found, and one that is gone unless an entry calls it erased")
    func personalValues() throws {
        let name = PersonalValue.salted("Ada")
        func log(_ value: PersonalValue?, erased: String = "{}") throws -> String {
            let sealed = "{\"sealed\": {\"after.name\": \"\(name.digest ?? "")\"}}"
            return try export([
                Entry(details: sealed, personal: value.map { ["after.name": $0] }),
                Entry(details: "{\"erased\": \(erased)}"),
            ])
        }
        let gone = PersonalValue(value: PersonalValue.erased, salt: nil)
        #expect(try verdict(log(name)) == "unconfirmed")
        #expect(try verdict(log(gone, erased: #"{"after.name": [1]}"#)) == "unconfirmed")
        for (value, erased) in [
            (PersonalValue(value: "Eve", salt: name.salt), "{}"), (.salted("Ada"), "{}"), (gone, "{}"), (nil, "{}"),
            (gone, #"{"after.email": [1], "after.name": [2]}"#), (PersonalValue(value: "Ada", salt: nil), "{}"),
            // Erased it may be, but not replaced.
            (PersonalValue(value: "Eve", salt: name.salt), #"{"after.name": [1]}"#),
        ] {
            let failure = #expect(throws: CommandFailure.self) { try verdict(log(value, erased: erased)) }
            #expect(failure?.description.contains("after.name of entry 1") == true, "\(String(describing: value))")
        }
    }
}

import ArgumentParser
import Contracts
import Foundation
import ServiceIdentity

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Check what an audit log says.", subcommands: [Verify.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check an export of a tenant's audit log without the platform.",
            discussion: """
                The file is what GET /api/v1/audit-logs/export answers. The chain of hashes is computed anew, and compared with the \
                signed heads in the file and with those that were kept: a kept answer of GET /api/v1/audit-logs/heads, or an \
                earlier export. Names and addresses are compared with the digests that were hashed in their places; one that is gone \
                must be called erased by a later entry.
                The keys are what GET /api/v1/audit-logs/keys answers, which a tenant had better keep from early on, or the \
                installation's jwks.json. The public /.well-known/jwks.json has other keys, those of access tokens.
                Ends with status 1 when anything does not fit. Prints whole=yes when a genuine signature confirms the chain, and \
                whole=unconfirmed when everything fits but no signature was checked: without --keys, or with keys that have signed \
                none of the heads.
                """)

        @Argument(help: "The export.", completion: .file()) var file: String
        @Option(
            help: """
                The public keys of heads: a kept answer of GET /api/v1/audit-logs/keys, or the installation's jwks.json; without \
                them no signature is checked.
                """)
        var keys: String?
        @Option(help: "A file with heads that were kept; may be given several times.") var kept: [String] = []

        func run() async throws {
            let check = try checked()
            print("entries=\(check.entryCount)")
            print("heads=\(check.headCount)")
            print("heads_of_unknown_keys=\(check.headsOfUnknownKeys)")
            print("personal_values=\(check.valueCount)")
            print("erased_values=\(check.erasedValues)")
            print("confirmed_up_to=\(check.confirmedSeq)")
            print("whole=\(try Self.verdict(on: check))")
            if check.confirmedSeq == 0 {
                FileHandle.standardError.write(
                    Data(
                        """
                        The entries and the heads fit each other, but no signature was checked, and a log that was rewritten together \
                        with its heads would look the same. Check it with the public keys that GET /api/v1/audit-logs/keys answers: --keys FILE.

                        """.utf8))
            }
        }

        /// - Throws: `CommandFailure` for a file that cannot be read.
        func checked() throws -> AuditChainCheck {
            var check = AuditChainCheck(keys: try publicKeys())
            try AuditFile.read(file) { check.take($0) }
            for path in kept {
                for head in try AuditFile.heads(of: path) { check.take(.head(head)) }
            }
            check.finish()
            return check
        }

        private func publicKeys() throws -> JSONWebKeySet {
            guard let keys else { return JSONWebKeySet(keys: []) }
            guard let text = try? String(contentsOfFile: keys, encoding: .utf8) else {
                throw CommandFailure("Cannot read \(keys).")
            }
            if let answer = try? WireJSON.decode(Success<JSONWebKeySet>.self, from: Array(text.utf8)) {
                return answer.data
            }
            do {
                return try JSONWebKeySet.load(contents: text)
            } catch {
                throw CommandFailure(
                    "\(keys): \(error) The keys that sign heads are those that GET /api/v1/audit-logs/keys answers.")
            }
        }

        /// `yes`, or `unconfirmed` where no genuine signature says so.
        /// - Throws: `CommandFailure` that says what does not fit.
        static func verdict(on check: AuditChainCheck) throws -> String {
            guard check.findings.isEmpty else {
                throw CommandFailure(
                    "The audit log does not hold: "
                        + check.findings.map(\.description).joined(separator: "; ") + ".")
            }
            return check.confirmedSeq > 0 ? "yes" : "unconfirmed"
        }
    }
}

/// Files of audit entries and heads.
enum AuditFile {
    /// Gives the lines of an export one by one.
    static func read(_ path: String, _ take: (AuditExportLine) throws -> Void) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw CommandFailure("Cannot read \(path).") }
        defer { try? file.close() }
        var rest = Data()
        var number = 0
        func read(line: Data) throws {
            number += 1
            guard !line.isEmpty else { return }
            do {
                try take(try WireJSON.decode(AuditExportLine.self, from: Array(line)))
            } catch is DecodingError {
                throw CommandFailure("Line \(number) of \(path) is not a line of an audit export.")
            }
        }
        while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
            rest.append(chunk)
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try read(line: rest[start..<end])
                start = rest.index(after: end)
            }
            rest = Data(rest[start...])
        }
        try read(line: rest)
    }

    /// The heads in an answer of `GET /audit-logs/heads` or in an export.
    static func heads(of path: String) throws -> [AuditHead] {
        if let bytes = FileManager.default.contents(atPath: path),
            let answer = try? WireJSON.decode(Success<[AuditHead]>.self, from: Array(bytes))
        {
            return answer.data
        }
        var heads: [AuditHead] = []
        try read(path) { if case .head(let head) = $0 { heads.append(head) } }
        return heads
    }
}

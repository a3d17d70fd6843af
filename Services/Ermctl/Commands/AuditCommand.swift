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
                earlier export. Ends with status 1 when anything does not fit.
                """)

        @Argument(help: "The export.", completion: .file()) var file: String
        @Option(help: "The services' public keys (jwks.json).") var keys: String
        @Option(help: "A file with heads that were kept; may be given several times.") var kept: [String] = []

        func run() async throws {
            guard let text = try? String(contentsOfFile: keys, encoding: .utf8) else {
                throw CommandFailure("Cannot read \(keys).")
            }
            var check = AuditChainCheck(keys: try JSONWebKeySet.load(contents: text))
            try AuditFile.read(file) { check.take($0) }
            for path in kept {
                for head in try AuditFile.heads(of: path) { check.take(.head(head)) }
            }
            check.finish()
            print("entries=\(check.entryCount)")
            print("heads=\(check.headCount)")
            print("heads_of_unknown_keys=\(check.headsOfUnknownKeys)")
            print("confirmed_up_to=\(check.confirmedSeq)")
            guard check.findings.isEmpty else {
                throw CommandFailure(
                    "The audit log does not hold: "
                        + check.findings.map(\.description).joined(separator: "; ") + ".")
            }
            print("whole=yes")
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

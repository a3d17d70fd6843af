import ArgumentParser
import Contracts
import Foundation

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import a folder of CSV or NDJSON files, in the order in which they need each other.",
        discussion: "Of an unpacked export nothing is sent unless every file is what manifest.json says.")

    @Argument(help: "A folder with departments.csv, skills.csv, employees.csv, … (those that there are), or .ndjson.")
    var directory: String
    @Flag(help: "Apply the good rows of a file that has bad ones, instead of nothing of it.")
    var skipBadRows = false
    @Flag(help: "Say all that would happen, file by file, and do nothing.")
    var dryRun = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let reports = try await withClient(PlatformClient.loggedIn()) {
            try await FolderImport(directory: directory, policy: skipBadRows ? .skip : .abort, isDryRun: dryRun).run($0)
        }
        try output.show(reports) { FolderImport.summary($0) }
    }
}

/// Sends the files of a folder one after the other; what one file refers to, an earlier one has brought.
struct FolderImport {
    let directory: String
    let policy: ImportErrorPolicy
    var isDryRun = false

    func run(_ client: PlatformClient) async throws -> [ImportReport] {
        let folder = URL(fileURLWithPath: directory)
        let files = ImportKind.allCases.flatMap { kind in
            // What a tenant's export is unpacked to is NDJSON.
            [
                (kind: kind, url: folder.appendingPathComponent(kind.fileName), type: "text/csv"),
                (
                    kind: kind, url: folder.appendingPathComponent("\(kind.rawValue).ndjson"),
                    type: "application/x-ndjson"
                ),
            ]
        }
        .filter { FileManager.default.fileExists(atPath: $0.url.path) }
        guard !files.isEmpty else {
            let names = ImportKind.allCases.map(\.fileName).joined(separator: ", ")
            throw CommandFailure("\(directory) has none of \(names), and no such .ndjson.")
        }
        try ArchiveFolder(directory).checkImports()
        var reports: [ImportReport] = []
        for (kind, url, type) in files {
            let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
            let bar = ProgressBar(url.lastPathComponent)
            bar.show(0)
            let report: ImportReport
            do {
                report = try await client.upload(
                    "/api/v1/imports?kind=\(kind.rawValue)&onError=\(policy.rawValue)\(isDryRun ? "&dryRun=true" : "")",
                    file: url,
                    contentType: type
                ) { bar.show(Double($0) / Double(max(size, 1)), "\($0 / 1024) KiB") }
            } catch let failure as CommandFailure {
                bar.finish()
                throw CommandFailure("\(url.lastPathComponent): \(failure.description)")
            }
            bar.finish()
            reports.append(report)
        }
        return reports
    }

    static func summary(_ reports: [ImportReport]) -> String {
        var table = Table(
            ("FILE", .left), ("ROWS", .right), ("NEW", .right), ("CHANGED", .right),
            ("CLEARED", .right), ("SAME", .right), ("BAD", .right))
        for report in reports {
            table.add(
                report.kind.fileName, "\(report.rowsRead)", "\(report.inserted)", "\(report.updated)",
                "\(report.cleared)", "\(report.unchanged)", "\(report.rejected)")
        }
        let errors = reports.flatMap { report in
            report.errors.prefix(20).map { "  \(report.kind.fileName) line \($0.line), \($0.column): \($0.reason)" }
        }
        let warnings = reports.flatMap { report in
            report.warnings.prefix(20).map {
                "  \(report.kind.fileName) line \($0.line), \($0.column): unusual: \($0.reason)"
            }
        }
        return ([table.rendered()] + errors + warnings).joined(separator: "\n")
    }
}

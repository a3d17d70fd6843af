import ArgumentParser
import Contracts
import Foundation

extension TenantCommand {
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a tenant what an unpacked export has beside the kinds of import.",
            discussion: """
                With --ids before `ermctl import` brings the same folder's people and work, so that they keep their \
                ids; without it afterwards. Nothing is sent unless every file is what manifest.json says.
                """)

        @OptionGroup var operatorOptions: OperatorOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The tenant's id.") var tenant: String
        @Argument(help: "The folder: roles.ndjson, users.ndjson, … (those that there are).") var directory: String
        @Flag(
            help: "Before `ermctl import`: the ids that people, projects, bookings and departments keep."
        )
        var ids = false

        func run() async throws {
            guard let id = TenantID(tenant) else { throw ValidationError("the tenant's id must be a UUID") }
            let files = try ArchiveFolder(directory).files { ($0 == .ids) == ids }
            guard !files.isEmpty else {
                throw CommandFailure("\(directory) has no \(ids ? "ids.ndjson" : "roles.ndjson or the like").")
            }
            let reports = try await withClient(operatorOptions.client()) { client in
                var reports: [ArchiveReport] = []
                for file in files { reports.append(try await Self.send(file, to: id, by: client)) }
                return reports
            }
            try output.show(reports) { reports in
                reports.map { "\($0.kind.rawValue): \($0.rows) rows" }.joined(separator: "\n")
            }
        }

        private static func send(
            _ file: ArchiveFolder.File, to tenant: TenantID, by client: PlatformClient
        ) async throws -> ArchiveReport {
            var rows = 0
            for part in file.parts {
                var path = "/api/v1/tenants/\(tenant)/archive?kind=\(file.kind.rawValue)"
                if part.firstLine > 1 { path += "&firstLine=\(part.firstLine)" }
                if part.more { path += "&more=true" }
                let report: ArchiveReport = try await client.upload(
                    path, file: file.url, range: part.bytes, contentType: "application/x-ndjson", sent: { _ in })
                rows += report.rows
            }
            return ArchiveReport(kind: file.kind, rows: rows)
        }
    }
}

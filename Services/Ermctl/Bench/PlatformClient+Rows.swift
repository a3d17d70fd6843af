import Contracts
import Foundation

extension PlatformClient {
    /// Imports rows, by a file that is made in the folder.
    func importRows(_ kind: ImportKind, _ header: [String], _ rows: [[String]], by folder: URL) async throws {
        let file = folder.appendingPathComponent(kind.fileName)
        try CSVWriter.write(header: header, rows: rows, to: file)
        let _: JSONValue = try await upload(
            "/api/v1/imports?kind=\(kind.rawValue)", file: file, contentType: "text/csv"
        ) { _ in }
    }
}

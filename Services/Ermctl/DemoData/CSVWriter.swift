import Basics
import Foundation

/// Comma-separated rows as RFC 4180 has them, lines ended by LF.
enum CSVWriter {
    static func write(header: [String], rows: [[String]], to url: URL) throws {
        let text = ([header] + rows).map(CSVText.row).joined(separator: "\n") + "\n"
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw CommandFailure("Cannot write \(url.path): \(error.localizedDescription)")
        }
    }
}

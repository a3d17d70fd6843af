import Basics
import Foundation

/// Comma-separated rows as RFC 4180 has them, lines ended by LF.
enum CSVWriter {
    /// Makes the folder for files, with those above it, where there is none.
    /// - Throws: ``CommandFailure`` that names the folder and the reason.
    static func makeFolder(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("Cannot make the folder \(url.path): \(PrivateFile.reason(error)).")
        }
    }

    static func write(header: [String], rows: [[String]], to url: URL) throws {
        let text = ([header] + rows).map(CSVText.row).joined(separator: "\n") + "\n"
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw CommandFailure("Cannot write \(url.path): \(PrivateFile.reason(error)).")
        }
    }
}

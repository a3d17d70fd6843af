import Foundation

/// Comma-separated rows as RFC 4180 has them, lines ended by LF.
enum CSVWriter {
    static func write(header: [String], rows: [[String]], to url: URL) throws {
        let text = ([header] + rows).map(line).joined(separator: "\n") + "\n"
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw CommandFailure("Cannot write \(url.path): \(error.localizedDescription)")
        }
    }

    static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") }

    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
        return "\"\(field.replacing("\"", with: "\"\""))\""
    }
}

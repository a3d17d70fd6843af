public import Postgres
public import ServiceKit

extension PostgresError: LogDescribable {
    /// Without the server's detail and context, which quote rows (`Failing row contains (…)`, `COPY import_rows, line 2: …`), and
    /// without its message where that is about a value (class 22). The statement has placeholders for its values.
    public var logDescription: String {
        var text = "PostgresError.\(code): \(description)"
        let isAboutValue = sqlState?.hasPrefix("22") == true
        // When the connection broke, the client library has appended detail and context as further lines.
        let firstLine = serverMessage?.split(whereSeparator: \.isNewline).first.map(String.init)
        let facts: [(String, String?)] = [
            ("server", isAboutValue ? nil : firstLine), ("statement", statement),
            ("batch index", batchIndex.map { String($0) }), ("underlying", underlying.map(LogText.of)),
        ]
        for case (let name, let value?) in facts { text += "; \(name): \(value)" }
        if let file, let line { text += "; at \(file):\(line)" }
        return text
    }
}

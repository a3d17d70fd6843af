/// Text of comma-separated values (RFC 4180); `Contracts.CSVReader` reads it.
public enum CSVText {
    /// The field, in double quotes where it holds a comma, a quote or a line break.
    public static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// The field for a spreadsheet, which evaluates text that begins like a formula: a leading apostrophe keeps it text.
    public static func spreadsheetField(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        return field(isFormula ? "'" + text : text)
    }

    /// The fields, each quoted where it must be, without a line break at the end.
    public static func row(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }
}

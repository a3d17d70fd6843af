import Foundation
import TestSupport
import Testing

@Suite("Import format")
struct ImportFormatTests {
    /// After a change of fields: `ERM_WRITE_DOCS=yes` in the environment of this test writes the files anew.
    @Test(
        "the page of the import format and the console's list of kinds say what imports do",
        arguments: [
            ("docs/import-format.md", ImportFormatPage.text),
            ("Services/Console/lib/import-kinds.js", ImportFormatPage.consoleKinds),
        ])
    func documented(path: String, text: String) throws {
        let file = ServiceDatabases.repository.appendingPathComponent(path)
        if ProcessInfo.processInfo.environment["ERM_WRITE_DOCS"] == "yes" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }
}

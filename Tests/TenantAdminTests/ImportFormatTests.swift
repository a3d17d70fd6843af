import Foundation
import TestSupport
import Testing

@Suite("Import format")
struct ImportFormatTests {
    private let page = ServiceDatabases.repository.appendingPathComponent("docs/import-format.md")

    /// After a change of fields: `ERM_WRITE_DOCS=yes` in the environment of this test writes the page anew.
    @Test("the page of the import format says what imports do")
    func documented() throws {
        if ProcessInfo.processInfo.environment["ERM_WRITE_DOCS"] == "yes" {
            try ImportFormatPage.text.write(to: page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: page, encoding: .utf8) == ImportFormatPage.text)
    }
}

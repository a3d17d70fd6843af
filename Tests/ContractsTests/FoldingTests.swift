import Contracts
import Foundation
import Testing

@Suite("Folding")
struct FoldingTests {
    /// The same table as TenantAdminTests' "SQL folds as Swift does".
    @Test(
        "letter case, blanks and Unicode forms make no other name",
        arguments: [
            ("JavaScript", "javascript"), (" JS ", "js"), ("Data\u{A0}Science", "data  science"),
            ("Cafe\u{301}", "CAFÉ"), ("\u{2003}Node.js\t", "node.js"), ("ΟΔΟΣ", "οδος"), ("ΟΔΟΣ ΑΣ", "οδοσ ας"),
            ("Å", "\u{212B}"), ("İ", "i\u{307}"),
        ])
    func same(one: String, other: String) {
        #expect(one.folded == other.folded)
    }

    @Test(
        "what differs by a letter stays apart", arguments: [("C", "C#"), ("Strasse", "Straße"), ("Resume", "Résumé")])
    func apart(one: String, other: String) {
        #expect(one.folded != other.folded)
    }

    @Test("a text is kept as it was written, without the blanks around it and in one Unicode form")
    func tidied() {
        #expect(" \u{A0}Cafe\u{301}  Data\n".tidied.unicodeScalars.elementsEqual("Caf\u{E9}  Data".unicodeScalars))
        #expect("\u{3000} ".tidied.isEmpty)
    }
}

import Contracts
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Folding in SQL")
struct FoldingSQLTests {
    @Test("SQL folds as Swift does, for every character that has a case or a form, and for words")
    func sameAsSwift() async throws {
        // Every third of the first two planes' scalars, with blanks around, is enough to meet each kind.
        var texts = stride(from: UInt32(1), to: 0x1_F000, by: 3).compactMap(Unicode.Scalar.init)
            // What came later, one of the two may not know yet.
            .filter {
                $0.properties.age.map { $0.major <= 14 } ?? false && $0.properties.generalCategory != .privateUse
            }
            .map { "\u{A0} A\($0)b\($0)  \t\($0)" }
        texts += [
            "JavaScript", " JS ", "Data\u{A0}Science", "Cafe\u{301}", "\u{2003}Node.js\t", "ΟΔΟΣ ΑΣ", "\u{212B}", "İ",
            "ﬁ", "ß",
        ]
        let words = texts
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let rows = try await TenantDatabase(pool: service.pool).withTenant(tenant.id, readOnly: true) {
                try await $0.query(
                    """
                    SELECT word, folded(word) AS folded, tidied(word) AS tidied
                    FROM unnest(\(words)::text[]) WITH ORDINALITY w (word, n) ORDER BY n
                    """)
            }
            var differences: [String] = []
            for (row, word) in zip(rows, words) {
                let (folded, tidied): (String, String) = (try row.decode("folded"), try row.decode("tidied"))
                if !folded.unicodeScalars.elementsEqual(word.folded.unicodeScalars)
                    || !tidied.unicodeScalars.elementsEqual(word.tidied.unicodeScalars)
                {
                    differences.append(word)
                }
            }

            #expect(rows.count == words.count)
            #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(5))")
        }
    }
}

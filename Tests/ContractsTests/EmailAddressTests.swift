import Contracts
import Testing

@Suite("E-mail addresses are compared by one rule")
struct EmailAddressTests {
    @Test(
        "letters are folded as Unicode folds them, in one normal form",
        arguments: [
            ("ADA@Acme.Example", "ada@acme.example"), ("JÖRG@x.de", "jörg@x.de"), ("Jo\u{308}rg@x.de", "jörg@x.de"),
            ("STRASSE@x.de", "straße@x.de"), ("STRAẞE@x.de", "strasse@x.de"), ("ΣΊΣΥΦΟΣ@x.gr", "σίσυφος@x.gr"),
            ("\u{212B}ngstrom@x.se", "ångstrom@x.se"),
        ])
    func equal(one: String, other: String) {
        #expect(EmailAddress.key(one) == EmailAddress.key(other))
    }

    @Test(
        "different people stay different",
        arguments: [("i@x.tr", "ı@x.tr"), ("a@x.y", "ä@x.y"), ("İ@x.tr", "i@x.tr"), ("o@x.y", "0@x.y")])
    func different(one: String, other: String) {
        #expect(EmailAddress.key(one) != EmailAddress.key(other))
    }

    @Test("a key is its own key", arguments: ["JÖRG@x.de", "straße@x.de", "İ@x.tr", "ΣΊΣΥΦΟΣ@x.gr", "ǰ@x.y", "ΐ@x.y"])
    func stable(address: String) {
        let key = EmailAddress.key(address)
        #expect(EmailAddress.key(key) == key)
    }
}

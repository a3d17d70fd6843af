/// The traits of statements that a session has run, so that each text is read once: a service sends the same few hundred again
/// and again.
struct KnownTraits {
    /// Texts kept at most; beyond them all are forgotten.
    static let most = 512
    /// Bytes of a text that is kept; a longer one is a script and hardly sent twice.
    static let longest = 8_192

    private(set) var traits: [String: StatementTraits] = [:]

    mutating func of(_ text: String) -> StatementTraits {
        if let known = traits[text] { return known }
        let read = StatementTraits(text)
        guard text.utf8.count <= Self.longest else { return read }
        if traits.count == Self.most { traits = [:] }
        traits[text] = read
        return read
    }
}

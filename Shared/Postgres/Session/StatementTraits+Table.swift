extension StatementTraits {
    /// The table that a statement reads or writes first, for the words of errors; nil where its text does not say.
    static func firstTable(of text: String) -> String? {
        let words = text.split { $0.isWhitespace || $0 == "," || $0 == ";" }
        for (word, next) in zip(words, words.dropFirst()) {
            guard ["from", "into", "update"].contains(word.lowercased()) else { continue }
            let name = next.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." || $0 == "\"" }
            let isCall = word.lowercased() == "from" && next.dropFirst(name.count).first == "("
            // `for update of`, `for update skip locked` and `on conflict … do update set` name no table here.
            guard !name.isEmpty, !isCall, !["of", "skip", "nowait", "set", "select"].contains(name.lowercased()) else {
                continue
            }
            return name.filter { $0 != "\"" }
        }
        return nil
    }
}

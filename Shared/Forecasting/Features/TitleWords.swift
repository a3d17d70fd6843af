/// What features see of a title: its different words in lower case, without marks, numbers and single letters.
enum TitleWords {
    /// Of longer titles the first so many count.
    static let most = 12

    static func words(in title: String) -> [String] {
        var words: [String] = []
        for part in title.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            // Numbers are of tickets, versions and dates, and hardly come again.
            guard part.count > 1, !part.allSatisfy(\.isNumber) else { continue }
            let word = String(part)
            if !words.contains(word) { words.append(word) }
            if words.count == most { break }
        }
        return words
    }
}

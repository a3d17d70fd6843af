import Foundation

// What counts as the same name (`docs/planning.md#names-and-skills`): one rule at every door, in Swift here and in SQL as the functions `tidied` and
// `folded` of migrations/tenant. A test holds both to one table of cases.

extension String {
    /// What is stored of a text: without blanks around it, in one Unicode form (NFC).
    public var tidied: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last]).precomposedStringWithCanonicalMapping
    }

    /// What names are compared by: letter case, blanks around and between words and Unicode forms make no difference.
    public var folded: String {
        var text = self
        if let plain = text.withUTF8(Self.foldedASCII) { return plain }
        let words = unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map(String.init)
        return words.joined(separator: " ").precomposedStringWithCanonicalMapping.lowercased()
            .precomposedStringWithCanonicalMapping
            // Lower-casing a whole word may give either of the two small sigmas.
            .replacing("\u{3C2}", with: "\u{3C3}")
    }

    /// The same for a text of ASCII alone, as nearly all names are, without looking characters up; nil for others.
    private static func foldedASCII(_ text: UnsafeBufferPointer<UInt8>) -> String? {
        var folded: [UInt8] = []
        folded.reserveCapacity(text.count)
        var isBetween = false
        for byte in text {
            switch byte {
            case 0x80...: return nil
            case 0x09...0x0D, 0x20: isBetween = true
            default:
                if isBetween, !folded.isEmpty { folded.append(0x20) }
                isBetween = false
                folded.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
            }
        }
        return String(decoding: folded, as: UTF8.self)
    }
}

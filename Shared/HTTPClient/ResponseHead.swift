/// The status line and header fields of a response.
struct ResponseHead: Sendable {
    var version: String
    var status: Int
    var headers: [(name: String, value: String)] = []

    /// Reads a status line such as `HTTP/1.1 200 OK`; `nil` if it is none.
    init?(statusLine: String) {
        guard statusLine.hasPrefix("HTTP/") else { return nil }
        let words = statusLine.dropFirst(5).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard words.count >= 2, words[1].utf8.count == 3, let status = Int(words[1]), (100...999).contains(status)
        else { return nil }
        self.version = String(words[0])
        self.status = status
    }

    /// Adds a header line; `false` if it is none. An obsolete folded line continues the value before it.
    mutating func append(line: String) -> Bool {
        if line.first == " " || line.first == "\t" {
            guard let last = headers.indices.last else { return false }
            headers[last].value += " " + line.trimmingBlanks
            return true
        }
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon != line.startIndex else { return false }
        headers.append((String(line[..<colon]), line[line.index(after: colon)...].trimmingBlanks))
        return true
    }

    func first(_ name: String) -> String? { headers.first { $0.name.caseInsensitivelyEquals(name) }?.value }
}

extension StringProtocol {
    /// Without the spaces, tabs and line ends on both sides.
    var trimmingBlanks: String {
        // By code unit: as a Character, CR LF is one.
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
        let start = utf8.drop(while: isBlank)
        return String(
            decoding: start.prefix(start.count - start.reversed().prefix(while: isBlank).count), as: UTF8.self)
    }
}

/// Lines of a newline-delimited JSON file, chunk by chunk. Blank lines are skipped.
struct NDJSONReader: Sendable {
    private var partial: [UInt8] = []
    private var line = 1

    /// A line of more bytes than this is refused, so that a file without line breaks cannot fill the memory.
    let maximumLineBytes = 1 << 20

    /// Some systems write it before UTF-8.
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    mutating func read(_ bytes: some Sequence<UInt8>) throws(ImportFileError) -> [(line: Int, bytes: [UInt8])] {
        var lines: [(line: Int, bytes: [UInt8])] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines += takeLine()
                line += 1
            } else if partial.count < maximumLineBytes {
                partial.append(byte)
            } else {
                throw ImportFileError(line: line, "the line is longer than \(maximumLineBytes) bytes")
            }
        }
        return lines
    }

    /// The last line, when the file does not end in a line break.
    mutating func finish() -> [(line: Int, bytes: [UInt8])] { takeLine() }

    private mutating func takeLine() -> [(line: Int, bytes: [UInt8])] {
        defer { partial.removeAll(keepingCapacity: true) }
        if line == 1, partial.starts(with: Self.byteOrderMark) { partial.removeFirst(Self.byteOrderMark.count) }
        let isBlank = partial.allSatisfy {
            $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t")
        }
        if isBlank { return [] }
        return [(line, partial)]
    }
}

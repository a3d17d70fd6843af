/// Cuts a dataset's lines into chunks at places that the lines themselves name, whatever stands before them: a history that has
/// grown, or in which some lines have changed, has nearly all its chunks in common with what it was.
public struct ChunkCutter: Sendable {
    /// One line in so many is an end.
    static let meanLines = 256
    /// Where no line is an end: a chunk is a small unit of memory and of network.
    static let maximumLines = 2_048
    static let maximumBytes = 1 << 20

    private var content: [UInt8] = []
    private var lineCount = 0

    public init() {}

    /// Puts lines behind the others.
    /// - Parameter lines: whole ones, each with its end.
    /// - Returns: the chunks that end in them.
    public mutating func take(_ lines: [UInt8]) -> [DatasetContent.Chunk] {
        var chunks: [DatasetContent.Chunk] = []
        var start = lines.startIndex
        while let end = lines[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let lineStart = content.count
            content += lines[start...end]
            start = end + 1
            if let chunk = endChunk(lineStart: lineStart) { chunks.append(chunk) }
        }
        return chunks
    }

    /// Lets `append` put the next line behind the others, until a chunk ends or `append` says that there is none.
    mutating func next(_ append: (inout [UInt8]) throws -> Bool) rethrows -> DatasetContent.Chunk? {
        while true {
            let lineStart = content.count
            guard try append(&content) else { return rest() }
            if let chunk = endChunk(lineStart: lineStart) { return chunk }
        }
    }

    /// What stands behind the last end; nil when there is nothing.
    public mutating func rest() -> DatasetContent.Chunk? {
        guard lineCount > 0 else { return nil }
        defer { (content, lineCount) = ([], 0) }
        return DatasetContent.Chunk(lineCount: lineCount, content: content)
    }

    private mutating func endChunk(lineStart: Int) -> DatasetContent.Chunk? {
        lineCount += 1
        let isEnd = content.withUnsafeBytes {
            Self.isEnd(UnsafeRawBufferPointer(rebasing: $0[lineStart...]))
        }
        return isEnd || lineCount == Self.maximumLines || content.count >= Self.maximumBytes ? rest() : nil
    }

    /// Whether a chunk ends at a line. Releases that differ in this share no chunks.
    private static func isEnd(_ line: UnsafeRawBufferPointer) -> Bool {
        var hash = UInt64(line.count)
        var place = 0
        while place + 8 <= line.count {
            hash = mixed(hash ^ UInt64(littleEndian: line.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            place += 8
        }
        while place < line.count {
            hash = mixed(hash ^ UInt64(line[place]))
            place += 1
        }
        return hash % UInt64(meanLines) == 0
    }

    /// A step of MurmurHash3's finalisation.
    private static func mixed(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 33
        return hash
    }
}

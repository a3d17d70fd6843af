import Foundation

/// A file's bytes in pieces of 64 KiB, read only as fast as they are taken.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let path: String
    /// The bytes of the file that are sent.
    let range: Range<Int>
    let sent: @Sendable (Int) -> Void

    func makeAsyncIterator() -> Iterator { Iterator(path: path, range: range, sent: sent) }

    struct Iterator: AsyncIteratorProtocol {
        let path: String
        let range: Range<Int>
        let sent: @Sendable (Int) -> Void
        private var handle: FileHandle?
        private var total = 0

        init(path: String, range: Range<Int>, sent: @escaping @Sendable (Int) -> Void) {
            self.path = path
            self.range = range
            self.sent = sent
        }

        mutating func next() async throws -> [UInt8]? {
            if handle == nil {
                handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
                try handle?.seek(toOffset: UInt64(range.lowerBound))
            }
            guard let data = try handle?.read(upToCount: Swift.min(64 << 10, range.count - total)), !data.isEmpty else {
                try handle?.close()
                return nil
            }
            total += data.count
            sent(total)
            return Array(data)
        }
    }
}

import Contracts
import NIOCore

/// A file's bytes turned into the lines of a COPY, chunk by chunk, with the bad rows left out and counted.
struct ImportCopyStream<Body: AsyncSequence>: AsyncSequence where Body.Element == ByteBuffer {
    typealias Element = [UInt8]

    let body: Body
    let kind: ImportKind
    let format: ImportFormat
    let tally: ImportTally

    func makeAsyncIterator() -> Iterator {
        Iterator(
            body: body.makeAsyncIterator(), reader: ImportRowReader(kind: kind, format: format),
            parser: ImportRowParser(kind: kind), tally: tally)
    }

    struct Iterator: AsyncIteratorProtocol {
        var body: Body.AsyncIterator
        var reader: ImportRowReader
        let parser: ImportRowParser
        let tally: ImportTally
        var isFinished = false

        /// - Throws: `ImportFileError` when nothing of the file can be trusted.
        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            while !isFinished {
                let rows: [ImportRow]
                if let buffer = try await body.next(isolation: actor) {
                    rows = try reader.read(buffer.readableBytesView)
                } else {
                    isFinished = true
                    rows = try reader.finish()
                }
                let copy = staged(rows)
                if !copy.isEmpty { return copy }
            }
            return nil
        }

        mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }

        private func staged(_ rows: [ImportRow]) -> [UInt8] {
            var copy: [UInt8] = []
            var errors: [ImportRowError] = []
            var rejected = 0
            for row in rows {
                let rowErrors = parser.append(row, to: &copy)
                if rowErrors.isEmpty { continue }
                rejected += 1
                if errors.count < ImportTally.maximumErrors { errors.append(contentsOf: rowErrors) }
            }
            tally.count(rows: rows.count, rejected: rejected, errors: errors, namedColumns: reader.namedColumns)
            return copy
        }
    }
}

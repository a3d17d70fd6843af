import Basics
import Contracts
import Crypto
import Foundation
import ServiceKit

/// An export's ZIP archive, written file by file in the memory of one piece.
struct ArchiveWriter {
    /// Pieces of about this size are handed on.
    private static let pieceBytes = 64 * 1024

    private var zip: ZipStream
    private var out: [UInt8] = []
    private var files: [ArchiveManifest.File] = []
    /// Of the file under way.
    private var (lines, count, hash) = ([UInt8](), 0, SHA256())

    init(at moment: Date) {
        let (year, month, day) = CivilDate(moment).components
        let seconds = Int(moment.timeIntervalSince(CivilDate(moment).startOfDay))
        zip = ZipStream(
            year: year, month: month, day: day, hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60)
    }

    /// A file of its own, which the manifest does not count and ``close()`` ends.
    mutating func open(_ name: String, _ value: some Encodable) throws {
        zip.begin(name, into: &out)
        zip.append(try WireJSON.encode(value), into: &out)
    }

    mutating func close() { zip.end(into: &out) }

    /// - Returns: bytes that add nothing to the file that is open, for a reader who would take silence for the end.
    mutating func pulse() -> [UInt8] {
        zip.pulse(into: &out)
        return take()
    }

    mutating func begin(_ name: String) { zip.begin(name, into: &out) }

    /// - Returns: what is to be written now, if anything.
    mutating func append(_ line: String) -> [UInt8]? {
        lines += line.utf8
        lines.append(UInt8(ascii: "\n"))
        count += 1
        guard lines.count >= Self.pieceBytes else { return nil }
        flush()
        return take()
    }

    mutating func end(_ name: String) {
        flush()
        zip.end(into: &out)
        files.append(ArchiveManifest.File(name: name, lines: count, sha256: hash.finalize().hex))
        (count, hash) = (0, SHA256())
    }

    /// The manifest and the archive's directory.
    mutating func finish() throws -> [UInt8] {
        try open("manifest.json", ArchiveManifest(files: files))
        close()
        zip.finish(into: &out)
        return take()
    }

    private mutating func flush() {
        hash.update(data: lines)
        zip.append(lines, into: &out)
        lines.removeAll(keepingCapacity: true)
    }

    /// What has been written since the last time.
    mutating func take() -> [UInt8] {
        defer { out = [] }
        return out
    }
}

import Basics
import Foundation

/// Lines in order, each thing's once, in memory or on disk.
struct SortedRun: Sendable {
    let lineCount: Int
    /// Fingerprints of the completed allocations' ids.
    let completed: [UInt64]
    /// Of the allocations: which label keys they have.
    let labelSets: Set<Int32>
    private let place: Place

    private enum Place {
        case memory([UInt8])
        case disk(SpillFile, SpillFile.Extent)
    }

    /// Before each entry: bytes of its key, then of its line.
    private typealias Counts = (UInt32, UInt32)

    /// Of the records of one partition.
    /// - Parameter target: where the run is put; nil to keep it in memory.
    init(of records: [UInt8], target: SpillFile?) throws(SpillError) {
        var (lineCount, completed, labelSets) = (0, [UInt64](), Set<Int32>())
        var sorted: [UInt8] = []
        sorted.reserveCapacity(records.count)
        records.withUnsafeBytes { records in
            let order = Self.lastOfEachThing(records)
                .map { (prefix: KeyOrder.prefix($0.key), record: $0) }
                .sorted { KeyOrder.precedes($0.prefix, $0.record.key, $1.prefix, $1.record.key) }
            for (_, record) in order {
                let counts: Counts = (UInt32(record.key.count), UInt32(record.line.count))
                withUnsafeBytes(of: counts) { sorted.append(contentsOf: $0) }
                sorted.append(contentsOf: record.key)
                sorted.append(contentsOf: record.line)
                if record.note.isCompleted { completed.append(record.fingerprint) }
                labelSets.insert(record.note.labels)
            }
            lineCount = order.count
        }
        (self.lineCount, self.completed, self.labelSets) = (lineCount, completed, labelSets)
        place = if let target { .disk(target, try target.append(sorted)) } else { .memory(sorted) }
    }

    /// The last records said of each thing, without those that say that it is gone.
    private static func lastOfEachThing(_ bytes: UnsafeRawBufferPointer) -> [LineRecord] {
        var records: [(fingerprint: UInt64, offset: Int)] = []
        var offset = 0
        while offset < bytes.count {
            let record = LineRecord(in: bytes, at: offset)
            records.append((record.fingerprint, offset))
            offset += record.byteCount
        }
        // Those of one thing lie together then, the last one first.
        records.sort { $0.fingerprint != $1.fingerprint ? $0.fingerprint < $1.fingerprint : $0.offset > $1.offset }
        var last: [LineRecord] = []
        last.reserveCapacity(records.count)
        var group = 0
        for (index, entry) in records.enumerated() {
            let record = LineRecord(in: bytes, at: entry.offset)
            if index == 0 || records[index - 1].fingerprint != entry.fingerprint { group = last.count }
            // More than one only when different things have one fingerprint.
            if !last[group...].contains(where: record.isOfSameThing) { last.append(record) }
        }
        last.removeAll { $0.line.isEmpty }
        return last
    }

    /// Reads a run from its start to its end, a small part in memory at a time.
    struct Reader {
        private static let blockBytes = 64 << 10
        private static let countsBytes = MemoryLayout<Counts>.size

        private var buffer: [UInt8]
        /// What has not been read from disk yet.
        private var rest: (file: SpillFile, extent: SpillFile.Extent)?
        /// Where the current entry begins in the buffer.
        private var start = 0
        private var keyBytes = 0
        private var lineBytes = 0
        /// Of the current entry's key.
        private(set) var prefix: UInt64 = 0

        init(_ run: SortedRun) {
            switch run.place {
            case .memory(let bytes): (buffer, rest) = (bytes, nil)
            case .disk(let file, let extent): (buffer, rest) = ([], (file, extent))
            }
        }

        /// Goes on to the next entry, at first to the first one.
        /// - Returns: false at the end.
        mutating func advance() throws(SpillError) -> Bool {
            if keyBytes > 0 { start += Self.countsBytes + keyBytes + lineBytes }
            guard try hold(Self.countsBytes) else { return false }
            let counts = buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Counts.self) }
            (keyBytes, lineBytes) = (Int(counts.0), Int(counts.1))
            guard try hold(Self.countsBytes + keyBytes + lineBytes) else { throw SpillError(code: EIO) }
            prefix = withKey(KeyOrder.prefix)
            return true
        }

        func withKey<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
            buffer.withUnsafeBytes {
                let keyStart = start + Self.countsBytes
                return body(UnsafeRawBufferPointer(rebasing: $0[keyStart..<keyStart + keyBytes]))
            }
        }

        /// Puts the current entry's line behind the others.
        func appendLine(to bytes: inout [UInt8]) {
            let lineStart = start + Self.countsBytes + keyBytes
            bytes.append(contentsOf: buffer[lineStart..<lineStart + lineBytes])
        }

        /// Makes sure that so many bytes from the current start are in the buffer; false when there are not so many left.
        private mutating func hold(_ count: Int) throws(SpillError) -> Bool {
            while buffer.count - start < count {
                guard let (file, extent) = rest, extent.count > 0 else { return false }
                buffer.removeSubrange(..<start)
                start = 0
                let block = SpillFile.Extent(offset: extent.offset, count: min(extent.count, Self.blockBytes))
                try file.read(block, to: &buffer)
                rest = (
                    file, SpillFile.Extent(offset: extent.offset + block.count, count: extent.count - block.count)
                )
            }
            return true
        }
    }
}

/// Compares keys byte by byte: first as numbers made of their first eight bytes, which is nearly always enough.
enum KeyOrder {
    static func prefix(_ key: UnsafeRawBufferPointer) -> UInt64 {
        guard key.count < 8 else { return UInt64(bigEndian: key.loadUnaligned(as: UInt64.self)) }
        return key.reduce(0) { $0 << 8 | UInt64($1) } << UInt64(8 * (8 - key.count))
    }

    static func precedes(
        _ aPrefix: UInt64, _ a: UnsafeRawBufferPointer, _ bPrefix: UInt64, _ b: UnsafeRawBufferPointer
    ) -> Bool {
        guard aPrefix == bPrefix else { return aPrefix < bPrefix }
        let order = memcmp(a.baseAddress!, b.baseAddress!, min(a.count, b.count))
        return order != 0 ? order < 0 : a.count < b.count
    }
}

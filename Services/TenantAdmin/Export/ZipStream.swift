/// A ZIP archive (APPNOTE 6.3) written from its beginning to its end in the memory of one chunk.
///
/// Nothing is compressed: entries are deflate streams of stored blocks, which, unlike stored entries, say themselves where
/// they end, so that readers without random access can read them too. All entries use ZIP64 and may be of any size.
struct ZipStream {
    private struct Entry {
        let name: [UInt8]
        let offset: UInt64
        var crc = CRC32()
        var size: UInt64 = 0
        var storedSize: UInt64 = 0
    }

    private var entries: [Entry] = []
    private var offset: UInt64 = 0
    /// The moment of the archive in MS-DOS's form, UTC: date in the upper, time in the lower half.
    private let stamp: UInt32

    /// - Parameters: the moment's civil parts, UTC; years before 1980 become 1980.
    init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let date = UInt32(min(max(year, 1980), 2107) - 1980) << 9 | UInt32(month) << 5 | UInt32(day)
        stamp = date << 16 | UInt32(hour) << 11 | UInt32(minute) << 5 | UInt32(second / 2)
    }

    /// Begins a file; the one before must have been ended.
    mutating func begin(_ name: String, into out: inout [UInt8]) {
        let entry = Entry(name: Array(name.utf8), offset: offset)
        entries.append(entry)
        var head = Bytes()
        head.append32(0x0403_4b50)
        head.appendCommon(stamp)
        head.append32(0)
        head.append32(.max)
        head.append32(.max)
        head.append16(UInt16(entry.name.count))
        head.append16(20)
        head.bytes += entry.name
        // ZIP64: both sizes follow the data.
        head.append16(1)
        head.append16(16)
        head.append64(0)
        head.append64(0)
        write(head, into: &out)
    }

    /// Bytes of the file begun last.
    mutating func append(_ bytes: some Collection<UInt8>, into out: inout [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            appendBlock(block, isLast: false, into: &out)
        }
    }

    /// An empty block of the file begun last, which adds nothing to it.
    mutating func pulse(into out: inout [UInt8]) { appendBlock(EmptyCollection(), isLast: false, into: &out) }

    mutating func end(into out: inout [UInt8]) {
        appendBlock(EmptyCollection(), isLast: true, into: &out)
        let entry = entries[entries.count - 1]
        var descriptor = Bytes()
        descriptor.append32(0x0807_4b50)
        descriptor.append32(entry.crc.value)
        descriptor.append64(entry.storedSize)
        descriptor.append64(entry.size)
        write(descriptor, into: &out)
    }

    /// The directory. Without it the archive is not whole, and readers say so.
    mutating func finish(into out: inout [UInt8]) {
        let start = offset
        for entry in entries {
            var record = Bytes()
            record.append32(0x0201_4b50)
            record.append16(45)
            record.appendCommon(stamp)
            record.append32(entry.crc.value)
            record.append32(.max)
            record.append32(.max)
            record.append16(UInt16(entry.name.count))
            record.append16(28)
            record.append16(0)
            record.append16(0)
            record.append16(0)
            record.append32(0)
            record.append32(.max)
            record.bytes += entry.name
            record.append16(1)
            record.append16(24)
            record.append64(entry.size)
            record.append64(entry.storedSize)
            record.append64(entry.offset)
            write(record, into: &out)
        }
        let (end, count) = (offset, UInt64(entries.count))
        var tail = Bytes()
        tail.append32(0x0606_4b50)
        tail.append64(44)
        tail.append16(45)
        tail.append16(45)
        tail.append32(0)
        tail.append32(0)
        tail.append64(count)
        tail.append64(count)
        tail.append64(end - start)
        tail.append64(start)
        tail.append32(0x0706_4b50)
        tail.append32(0)
        tail.append64(end)
        tail.append32(1)
        tail.append32(0x0605_4b50)
        tail.append16(0)
        tail.append16(0)
        tail.append16(.max)
        tail.append16(.max)
        tail.append32(.max)
        tail.append32(.max)
        tail.append16(0)
        write(tail, into: &out)
    }

    private mutating func appendBlock(_ block: some Collection<UInt8>, isLast: Bool, into out: inout [UInt8]) {
        let length = UInt16(block.count)
        out.append(isLast ? 1 : 0)
        out.append(contentsOf: [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)])
        out.append(contentsOf: block)
        offset += UInt64(block.count) + 5
        entries[entries.count - 1].crc.update(block)
        entries[entries.count - 1].size += UInt64(block.count)
        entries[entries.count - 1].storedSize += UInt64(block.count) + 5
    }

    private mutating func write(_ part: Bytes, into out: inout [UInt8]) {
        out += part.bytes
        offset += UInt64(part.bytes.count)
    }
}

/// Little-endian numbers in a row.
private struct Bytes {
    var bytes: [UInt8] = []

    mutating func append16(_ value: UInt16) { append(value) }
    mutating func append32(_ value: UInt32) { append(value) }
    mutating func append64(_ value: UInt64) { append(value) }

    /// What a local header and a directory record share: version 4.5, sizes after the data and names in UTF-8, deflate, time.
    mutating func appendCommon(_ stamp: UInt32) {
        append16(45)
        append16(0x0808)
        append16(8)
        append32(stamp)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

/// CRC-32 as ZIP and PNG use it (ISO 3309, reflected 0xEDB88320).
struct CRC32 {
    private var state: UInt32 = .max

    var value: UInt32 { ~state }

    mutating func update(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ state >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
}

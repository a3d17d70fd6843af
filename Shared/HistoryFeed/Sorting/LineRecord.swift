/// What a dataset's figures need to know of a line.
struct LineNote: Sendable {
    /// Whether it is an allocation completed inside the span: a training point.
    var isCompleted = false
    /// Which label keys an allocation has (``LabelSets``).
    var labels: Int32 = 0
}

/// A line with its key, in the bytes of a partition.
struct LineRecord {
    private struct Head {
        var fingerprint: UInt64
        var keyBytes: UInt32
        var lineBytes: UInt32
        var identityStart: UInt32
        var labels: Int32
        var isCompleted: Bool
    }

    private let head: Head
    let key: UnsafeRawBufferPointer
    /// Empty when the thing is gone.
    let line: UnsafeRawBufferPointer

    /// Puts a record behind the others.
    static func write(
        _ key: LineKey, _ line: DatasetLine?, fingerprint: UInt64, note: LineNote, to bytes: inout [UInt8]
    ) throws {
        let start = bytes.count
        withUnsafeBytes(
            of: Head(
                fingerprint: fingerprint, keyBytes: UInt32(key.bytes.count), lineBytes: 0,
                identityStart: UInt32(key.identityStart), labels: note.labels, isCompleted: note.isCompleted)
        ) { bytes.append(contentsOf: $0) }
        bytes += key.bytes
        let lineStart = bytes.count
        try line?.write(to: &bytes)
        let lineBytes = UInt32(bytes.count - lineStart)
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(
                of: lineBytes, toByteOffset: start + MemoryLayout<Head>.offset(of: \.lineBytes)!, as: UInt32.self)
        }
    }

    /// The record that begins at an offset.
    init(in bytes: UnsafeRawBufferPointer, at offset: Int) {
        head = bytes.loadUnaligned(fromByteOffset: offset, as: Head.self)
        let keyStart = offset + MemoryLayout<Head>.size
        let lineStart = keyStart + Int(head.keyBytes)
        key = UnsafeRawBufferPointer(rebasing: bytes[keyStart..<lineStart])
        line = UnsafeRawBufferPointer(rebasing: bytes[lineStart..<lineStart + Int(head.lineBytes)])
    }

    var byteCount: Int { MemoryLayout<Head>.size + key.count + line.count }
    var fingerprint: UInt64 { head.fingerprint }
    var note: LineNote { LineNote(isCompleted: head.isCompleted, labels: head.labels) }

    /// Whether both are said of one thing.
    func isOfSameThing(as other: LineRecord) -> Bool {
        key[0] == other.key[0]
            && key[Int(head.identityStart)...].elementsEqual(other.key[Int(other.head.identityStart)...])
    }
}

/// Writes the library's binary formats: little-endian, a four-letter mark and a version in front, a checksum at the end.
struct BinaryWriter {
    private(set) var bytes: [UInt8] = []

    init(mark: String, version: UInt16) {
        bytes.append(contentsOf: mark.utf8)
        write(version)
    }

    mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ value: Double) { write(value.bitPattern) }

    mutating func write(_ values: [Float]) {
        write(UInt32(values.count))
        for value in values { write(value.bitPattern) }
    }

    /// A value that may be absent: a byte 0 or 1, then the value.
    mutating func write<T>(optional value: T?, _ body: (inout BinaryWriter, T) -> Void) {
        write(UInt8(value == nil ? 0 : 1))
        if let value { body(&self, value) }
    }

    /// The bytes with their checksum.
    consuming func finished() -> [UInt8] {
        write(Checksum.fnv1a(bytes[...]))
        return bytes
    }
}

/// Reads what ``BinaryWriter`` wrote; every damaged or short input ends in an error, never in a trap.
struct BinaryReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Checks mark, version and checksum before anything else is believed.
    init(_ data: [UInt8], mark: String, version: UInt16, what: String) throws(NeuralNetworkError) {
        let header = mark.utf8.count + 2
        guard data.count >= header + 8, data.starts(with: mark.utf8) else {
            throw NeuralNetworkError(.corruptData, "These bytes are not \(what), or are cut short.")
        }
        bytes = data.dropLast(8)
        position = mark.utf8.count
        let found = try readInteger(UInt16.self)
        guard found <= version else {
            throw NeuralNetworkError(
                .unsupportedVersion, "This is \(what) of format \(found); this program reads up to \(version).")
        }
        let stored = data.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard stored == Checksum.fnv1a(bytes) else {
            throw NeuralNetworkError(.corruptData, "The bytes of \(what) are damaged: the checksum does not match.")
        }
    }

    mutating func readInteger<T: FixedWidthInteger>(_: T.Type = T.self) throws(NeuralNetworkError) -> T {
        let width = MemoryLayout<T>.size
        guard bytes.endIndex - position >= width else { throw Self.malformed }
        var value = T.zero
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes[position..<position + width]) }
        position += width
        return T(littleEndian: value)
    }

    mutating func readDouble() throws(NeuralNetworkError) -> Double {
        Double(bitPattern: try readInteger())
    }

    mutating func readFloats() throws(NeuralNetworkError) -> [Float] {
        let count = Int(try readInteger(UInt32.self))
        guard count <= (bytes.endIndex - position) / 4 else { throw Self.malformed }
        var values: [Float] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(Float(bitPattern: try readInteger())) }
        return values
    }

    mutating func readOptional<T>(
        _ body: (inout BinaryReader) throws(NeuralNetworkError) -> T
    ) throws(NeuralNetworkError) -> T? {
        switch try readInteger(UInt8.self) {
        case 0: return nil
        case 1: return try body(&self)
        default: throw Self.malformed
        }
    }

    /// Everything must have been read.
    func finish() throws(NeuralNetworkError) {
        if position != bytes.endIndex { throw Self.malformed }
    }

    static let malformed = NeuralNetworkError(
        .corruptData, "The bytes have a valid checksum but an impossible content.")
}

enum Checksum {
    /// FNV-1a, 64 bits: every change of one byte is detected, others but for one in 2⁶⁴.
    static func fnv1a(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}

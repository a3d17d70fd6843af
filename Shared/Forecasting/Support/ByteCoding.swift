/// Writes the artefact: little-endian, no padding, no dictionaries, so that equal models have equal bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []
    /// The artefact's own.
    var formatVersion: UInt16 = 0

    mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func write(_ value: Double) { write(value.bitPattern) }
    mutating func write(_ value: Float) { write(value.bitPattern) }
    mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    mutating func write(_ value: String) { write(Array(value.utf8)) }

    mutating func write(_ value: [UInt8]) {
        write(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func write<T>(_ values: [T], _ one: (inout ByteWriter, T) -> Void) {
        write(UInt32(values.count))
        for value in values { one(&self, value) }
    }

    mutating func write(_ values: [Double]) { write(values) { $0.write($1) } }
    mutating func write(_ values: [Float]) { write(values) { $0.write($1) } }
    mutating func write(_ values: [String]) { write(values) { $0.write($1) } }
}

/// The bytes are not what they should be: cut short, of another kind or version.
public struct ArtifactError: Error, CustomStringConvertible, Equatable {
    public let description: String
}

/// Reads what `ByteWriter` wrote; never traps on damaged bytes.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0
    /// The artefact's own, once it has been read.
    var formatVersion: UInt16 = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws -> T {
        let size = MemoryLayout<T>.size
        guard bytes.count - position >= size else { throw ArtifactError(description: "the artefact is cut short") }
        var value = T.zero
        withUnsafeMutableBytes(of: &value) { target in
            bytes.withUnsafeBytes { target.copyBytes(from: $0[position..<position + size]) }
        }
        position += size
        return T(littleEndian: value)
    }

    mutating func double() throws -> Double { Double(bitPattern: try integer()) }
    mutating func float() throws -> Float { Float(bitPattern: try integer()) }
    mutating func bool() throws -> Bool { try integer(UInt8.self) != 0 }

    mutating func byteArray() throws -> [UInt8] {
        let count = try length(elementSize: 1)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func string() throws -> String { String(decoding: try byteArray(), as: UTF8.self) }

    mutating func array<T>(elementSize: Int = 1, _ one: (inout ByteReader) throws -> T) throws -> [T] {
        let count = try length(elementSize: elementSize)
        var values: [T] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try one(&self)) }
        return values
    }

    mutating func doubles() throws -> [Double] { try array(elementSize: 8) { try $0.double() } }
    mutating func floats() throws -> [Float] { try array(elementSize: 4) { try $0.float() } }
    mutating func strings() throws -> [String] { try array(elementSize: 4) { try $0.string() } }

    /// A count that the remaining bytes can hold, so that a damaged count cannot ask for gigabytes.
    private mutating func length(elementSize: Int) throws -> Int {
        let count = Int(try integer(UInt32.self))
        guard count <= (bytes.count - position) / max(1, elementSize) else {
            throw ArtifactError(description: "the artefact is cut short")
        }
        return count
    }
}

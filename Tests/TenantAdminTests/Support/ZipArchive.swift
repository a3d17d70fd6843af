/// Reads what `ZipStream` writes by its directory alone, and checks every sum on the way.
struct ZipArchive {
    struct Broken: Error {
        let reason: String
    }

    private(set) var files: [String: [UInt8]] = [:]
    private(set) var names: [String] = []
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        let tail = bytes.count - 98
        guard tail >= 0, number(tail, 4) == 0x0606_4b50, number(tail + 56, 4) == 0x0706_4b50,
            number(tail + 76, 4) == 0x0605_4b50, number(tail + 64, 8) == tail
        else { throw Broken(reason: "no directory") }
        var position = number(tail + 48, 8)
        for _ in 0..<number(tail + 32, 8) {
            guard number(position, 4) == 0x0201_4b50 else { throw Broken(reason: "not a directory record") }
            let length = number(position + 28, 2)
            let extra = position + 46 + length
            let name = String(decoding: bytes[(position + 46)..<extra], as: UTF8.self)
            let content = try inflated(at: number(extra + 20, 8), storedSize: number(extra + 12, 8))
            var sum = ReferenceCRC32()
            sum.update(content)
            guard content.count == number(extra + 4, 8), sum.value == UInt32(number(position + 16, 4)) else {
                throw Broken(reason: "\(name) is damaged")
            }
            names.append(name)
            files[name] = content
            position = extra + 28
        }
        guard position == tail else { throw Broken(reason: "the directory's size") }
    }

    func text(_ name: String) -> String { String(decoding: files[name] ?? [], as: UTF8.self) }

    private func inflated(at offset: Int, storedSize: Int) throws -> [UInt8] {
        guard number(offset, 4) == 0x0403_4b50, number(offset + 8, 2) == 8 else { throw Broken(reason: "no entry") }
        var position = offset + 30 + number(offset + 26, 2) + number(offset + 28, 2)
        let end = position + storedSize
        var content: [UInt8] = []
        while position < end {
            let (kind, length) = (bytes[position], number(position + 1, 2))
            guard kind <= 1, length ^ number(position + 3, 2) == 0xffff else { throw Broken(reason: "no stored block") }
            content += bytes[(position + 5)..<(position + 5 + length)]
            position += 5 + length
            if kind == 1 { break }
        }
        guard position == end else { throw Broken(reason: "the entry's size") }
        return content
    }

    private func number(_ position: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[position + $1]) }
    }
}

/// CRC-32 bit by bit, straight from its definition.
struct ReferenceCRC32 {
    private var state: UInt32 = .max
    var value: UInt32 { ~state }

    mutating func update(_ bytes: [UInt8]) {
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xEDB8_8320 : state >> 1 }
        }
    }
}

/// PostgreSQL's text form of one-dimensional arrays: `{1,"a \"quoted\" text",NULL}`.
enum ArrayLiteral {
    static func text(of elements: [String?]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard let element else {
                bytes.append(contentsOf: "NULL".utf8)
                continue
            }
            // Always quoted: only so do "", "NULL" and blanks keep their meaning.
            bytes.append(UInt8(ascii: "\""))
            for byte in element.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    static func elements(of text: String) throws -> [String?] {
        var parser = Parser(bytes: Array(text.utf8))
        return try parser.parse()
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func parse() throws -> [String?] {
            skipBounds()
            try expect(UInt8(ascii: "{"))
            if peek == UInt8(ascii: "}") {
                position += 1
                try expectEnd()
                return []
            }
            var elements: [String?] = []
            while true {
                elements.append(try element())
                guard let separator = peek else { throw malformed }
                position += 1
                if separator == UInt8(ascii: "}") { break }
                guard separator == UInt8(ascii: ",") else { throw malformed }
            }
            try expectEnd()
            return elements
        }

        private var malformed: PostgresTextError { PostgresTextError("not a one-dimensional array") }
        private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        /// Arrays with unusual lower bounds are written `[0:2]={…}`.
        private mutating func skipBounds() {
            guard peek == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "=")) else { return }
            position = end + 1
        }

        private mutating func expect(_ byte: UInt8) throws {
            guard peek == byte else { throw malformed }
            position += 1
        }

        private func expectEnd() throws {
            guard position == bytes.count else { throw malformed }
        }

        private mutating func element() throws -> String? {
            if peek == UInt8(ascii: "\"") { return try quoted() }
            let start = position
            while let byte = peek, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
                guard byte != UInt8(ascii: "{") else { throw malformed }
                position += 1
            }
            let text = String(decoding: bytes[start..<position], as: UTF8.self)
            guard !text.isEmpty else { throw malformed }
            return text == "NULL" ? nil : text
        }

        private mutating func quoted() throws -> String {
            position += 1
            var content: [UInt8] = []
            while let byte = peek {
                position += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: content, as: UTF8.self) }
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = peek else { throw malformed }
                    position += 1
                    content.append(escaped)
                } else {
                    content.append(byte)
                }
            }
            throw malformed
        }
    }
}

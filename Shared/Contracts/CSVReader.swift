/// A comma-separated file (RFC 4180) read in chunks, so that a file of any size needs the memory of one row.
///
/// Fields may be quoted, quoted fields may hold commas, line breaks and doubled quotes. Lines end in LF or CRLF, a
/// byte-order mark at the start is skipped, blank lines are skipped. Each row knows the line it began on. Spreadsheets of
/// places that write 37,5 separate fields by semicolons or tabs: the first row can say which it is.
public struct CSVReader: Sendable {
    public struct Row: Sendable, Equatable {
        /// 1-based line of the file the row began on.
        public let line: Int
        public let fields: [String]
    }

    /// A file that is not CSV: nothing after this line can be trusted.
    public struct SyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
        public let line: Int
        public let reason: String
        public var description: String { "line \(line): \(reason)" }
    }

    public enum Delimiter: Sendable, CaseIterable {
        case comma, semicolon, tab

        var byte: UInt8 {
            switch self {
            case .comma: UInt8(ascii: ",")
            case .semicolon: UInt8(ascii: ";")
            case .tab: UInt8(ascii: "\t")
            }
        }
    }

    private enum State { case fieldStart, unquoted, quoted, quoteInQuoted, afterCR }

    private var state = State.fieldStart
    private var field: [UInt8] = []
    private var fields: [String] = []
    private var line = 1
    private var rowLine = 1
    private var offset = 0
    private var fieldWasQuoted = false
    private var rowBytes = 0

    /// A row of more bytes than this is refused, so that an unclosed quote cannot fill the memory.
    public let maximumRowBytes: Int
    /// nil until the first row has said it.
    public private(set) var delimiter: Delimiter?
    /// How often each delimiter stands in the first row.
    private var seenDelimiters: [Delimiter: Int] = [:]

    /// - Parameter delimiter: nil for the one that the first row has most of.
    public init(maximumRowBytes: Int = 1 << 20, delimiter: Delimiter? = .comma) {
        self.maximumRowBytes = maximumRowBytes
        self.delimiter = delimiter
    }

    /// All rows of a file that is in memory.
    public static func rows(of bytes: some Sequence<UInt8>) throws(SyntaxError) -> [Row] {
        var reader = CSVReader()
        var rows = try reader.read(bytes)
        rows += try reader.finish()
        return rows
    }

    /// The rows that these further bytes complete.
    public mutating func read(_ bytes: some Sequence<UInt8>) throws(SyntaxError) -> [Row] {
        var rows: [Row] = []
        for byte in bytes { try consume(byte, into: &rows) }
        return rows
    }

    /// The last row, when the file does not end in a line break.
    public mutating func finish() throws(SyntaxError) -> [Row] {
        if state == .quoted { throw SyntaxError(line: rowLine, reason: "a quoted field is never closed") }
        var rows: [Row] = []
        if state != .afterCR { try endRow(into: &rows) }
        return rows
    }

    private mutating func consume(_ byte: UInt8, into rows: inout [Row]) throws(SyntaxError) {
        defer { offset += 1 }
        if offset < 3, byte == [0xEF, 0xBB, 0xBF][offset], fields.isEmpty, field.isEmpty { return }
        rowBytes += 1
        if rowBytes > maximumRowBytes {
            throw SyntaxError(line: rowLine, reason: "the row is longer than \(maximumRowBytes) bytes")
        }
        switch (state, byte) {
        case (.afterCR, UInt8(ascii: "\n")):
            state = .fieldStart
            rowBytes = 0
        case (.quoted, UInt8(ascii: "\"")):
            state = .quoteInQuoted
        case (.quoted, _):
            if byte == UInt8(ascii: "\n") { line += 1 }
            field.append(byte)
        case (.quoteInQuoted, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (_, _) where endsField(byte):
            try endField()
        case (_, UInt8(ascii: "\n")):
            try endRow(into: &rows)
        case (_, UInt8(ascii: "\r")):
            try endRow(into: &rows)
            state = .afterCR
        case (.quoteInQuoted, _):
            throw SyntaxError(line: line, reason: "text after the closing quote of a field")
        case (.fieldStart, UInt8(ascii: "\"")), (.afterCR, UInt8(ascii: "\"")):
            fieldWasQuoted = true
            state = .quoted
        case (.unquoted, UInt8(ascii: "\"")):
            throw SyntaxError(line: line, reason: "a quote inside an unquoted field")
        default:
            field.append(byte)
            state = .unquoted
        }
    }

    private mutating func endsField(_ byte: UInt8) -> Bool {
        if let delimiter { return byte == delimiter.byte }
        guard let seen = Delimiter.allCases.first(where: { $0.byte == byte }) else { return false }
        seenDelimiters[seen, default: 0] += 1
        return true
    }

    private mutating func endField() throws(SyntaxError) {
        guard let text = String(validating: field, as: UTF8.self) else {
            throw SyntaxError(line: line, reason: "the text is not UTF-8")
        }
        fields.append(text)
        field.removeAll(keepingCapacity: true)
        fieldWasQuoted = false
        state = .fieldStart
    }

    private mutating func endRow(into rows: inout [Row]) throws(SyntaxError) {
        let isBlank = fields.isEmpty && field.isEmpty && !fieldWasQuoted
        try endField()
        if !isBlank {
            rows.append(Row(line: rowLine, fields: fields))
            if delimiter == nil { delimiter = seenDelimiters.max { $0.value < $1.value }?.key ?? .comma }
        }
        fields.removeAll(keepingCapacity: true)
        line += 1
        rowLine = line
        rowBytes = 0
    }
}

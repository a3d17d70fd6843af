import Contracts
import Foundation
import ServiceKit

/// A row of the file, its fields in the order of the kind's columns, and what is wrong with its form.
struct ImportRow: Sendable, Equatable {
    let line: Int
    var fields: [ImportField]
    var errors: [ImportRowError] = []
}

/// A file nothing of which can be trusted: its header is wrong or it is not of its format.
struct ImportFileError: Error, Equatable {
    let errors: [ImportRowError]

    init(_ errors: [ImportRowError]) { self.errors = errors }
    init(line: Int, column: String = "", _ reason: String) {
        errors = [ImportRowError(line: line, column: column, reason: reason)]
    }
}

enum ImportFormat: Sendable {
    case csv
    case ndjson
}

/// Cuts a file into rows, chunk by chunk, in the memory of the longest row.
struct ImportRowReader: Sendable {
    private enum Source {
        case csv(CSVReader, header: CSVHeader?)
        case ndjson(NDJSONReader)
    }

    private let kind: ImportKind
    private var source: Source
    /// The columns that the file names, so that an update leaves the others alone.
    private(set) var namedColumns: Set<String> = []

    init(kind: ImportKind, format: ImportFormat) {
        self.kind = kind
        source =
            switch format {
            case .csv: .csv(CSVReader(), header: nil)
            case .ndjson: .ndjson(NDJSONReader())
            }
    }

    /// The rows that these further bytes complete.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(ImportFileError) -> [ImportRow] {
        switch source {
        case .csv(var reader, let header):
            let rows = try Self.csv { () throws(CSVReader.SyntaxError) in try reader.read(bytes) }
            source = .csv(reader, header: header)
            return try fields(of: rows)
        case .ndjson(var reader):
            let lines = try reader.read(bytes)
            source = .ndjson(reader)
            return lines.map { object(at: $0.line, $0.bytes) }
        }
    }

    /// The last row, when the file does not end in a line break.
    mutating func finish() throws(ImportFileError) -> [ImportRow] {
        switch source {
        case .csv(var reader, _):
            let rows = try fields(of: Self.csv { () throws(CSVReader.SyntaxError) in try reader.finish() })
            if case .csv(_, header: nil) = source { throw ImportFileError(line: 1, "the file has no header row") }
            return rows
        case .ndjson(var reader):
            let last = reader.finish()
            if last.isEmpty, reader.isEmpty { throw ImportFileError(line: 1, "the file is empty") }
            return last.map { object(at: $0.line, $0.bytes) }
        }
    }

    private static func csv(
        _ body: () throws(CSVReader.SyntaxError) -> [CSVReader.Row]
    ) throws(ImportFileError) -> [CSVReader.Row] {
        do {
            return try body()
        } catch {
            throw ImportFileError(line: error.line, error.reason)
        }
    }

    private mutating func fields(of rows: [CSVReader.Row]) throws(ImportFileError) -> [ImportRow] {
        guard case .csv(let reader, var header) = source else { return [] }
        var result: [ImportRow] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            if let header {
                result.append(header.row(row))
            } else {
                let first = try CSVHeader(row, kind: kind)
                namedColumns = Set(row.fields.map(CSVHeader.name))
                header = first
                source = .csv(reader, header: first)
            }
        }
        return result
    }

    private mutating func object(at line: Int, _ bytes: [UInt8]) -> ImportRow {
        var row = ImportRow(line: line, fields: Array(repeating: .empty, count: kind.allColumns.count))
        let members: [String: JSONValue]
        do {
            members = try StrictJSON.decode(ImportObject.self, from: bytes).members
        } catch {
            row.errors = ImportObject.errors(error, line: line)
            return row
        }
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let index = kind.allColumns.firstIndex(of: key) else {
                row.errors.append(
                    ImportRowError(line: line, column: key, reason: "is not a column of \(kind.rawValue)"))
                continue
            }
            namedColumns.insert(key)
            guard let field = ImportField(value) else {
                row.errors.append(
                    ImportRowError(line: line, column: key, reason: "must not be \(value.kind) like this"))
                continue
            }
            row.fields[index] = field
        }
        return row
    }
}

/// A line of NDJSON, read as strictly as the body of a request: a name twice and a number beyond all bounds are errors.
private struct ImportObject: RequestPayload {
    let members: [String: JSONValue]

    init(from decoder: any Decoder) throws {
        members = try decoder.singleValueContainer().decode([String: JSONValue].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(members)
    }

    func validate(_ validation: inout Validation) {}

    static func errors(_ error: any Error, line: Int) -> [ImportRowError] {
        let problem = ProblemError(mapping: error)
        guard !problem.errors.isEmpty, !problem.errors.contains(where: { $0.field.isEmpty }) else {
            return [ImportRowError(line: line, column: "", reason: "must be one JSON object")]
        }
        return problem.errors.map { ImportRowError(line: line, column: $0.field, reason: $0.message) }
    }
}

extension ImportField {
    /// nil for arrays and objects of anything but strings.
    init?(_ value: JSONValue) {
        switch value {
        case .null: self = .empty
        case .string(let text): self = .text(text)
        case .integer(let number): self = .text(String(number))
        case .number(let number): self = .text(String(number))
        case .bool(let flag): self = .flag(flag)
        case .array(let entries):
            let texts = entries.compactMap(\.stringValue)
            guard texts.count == entries.count else { return nil }
            self = .list(texts)
        case .object(let members):
            let pairs = members.compactMapValues(\.stringValue)
            guard pairs.count == members.count else { return nil }
            self = .labels(pairs)
        }
    }
}

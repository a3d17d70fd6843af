import Contracts
import ServiceKit

/// A row of the file, its cells in the order of the kind's fields, and what is wrong with its form.
struct ImportRow: Sendable, Equatable {
    let line: Int
    var cells: [ImportCell]
    var errors: [ImportRowError] = []
}

/// A file that cannot be read: its header is wrong or it is not of its format.
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

    private let plan: ImportPlan
    private var source: Source
    /// The fields that the file names, so that an update leaves the others alone.
    private(set) var named: Set<String> = []

    init(plan: ImportPlan, format: ImportFormat) {
        self.plan = plan
        source =
            switch format {
            case .csv: .csv(CSVReader(delimiter: nil), header: nil)
            case .ndjson: .ndjson(NDJSONReader())
            }
    }

    /// How the file writes fractions.
    var decimals: DecimalSeparator {
        if case .csv(let reader, _) = source, let delimiter = reader.delimiter, delimiter != .comma {
            .comma
        } else {
            .point
        }
    }

    /// The rows that these further bytes complete.
    mutating func read(_ bytes: some Sequence<UInt8>) throws(ImportFileError) -> [ImportRow] {
        switch source {
        case .csv(var reader, let header):
            let rows = try Self.csv { () throws(CSVReader.SyntaxError) in try reader.read(bytes) }
            source = .csv(reader, header: header)
            return try importRows(of: rows)
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
            let rows = try importRows(of: Self.csv { () throws(CSVReader.SyntaxError) in try reader.finish() })
            if case .csv(_, header: nil) = source { throw ImportFileError(line: 1, "the file has no header row") }
            return rows
        case .ndjson(var reader):
            // No line is no row: so a tenant exports what it has none of.
            return reader.finish().map { object(at: $0.line, $0.bytes) }
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

    private mutating func importRows(of rows: [CSVReader.Row]) throws(ImportFileError) -> [ImportRow] {
        guard case .csv(let reader, var header) = source else { return [] }
        var result: [ImportRow] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            if let header {
                if let row = header.row(row) { result.append(row) }
            } else if row.fields.first != "sep=" {
                // Some spreadsheets write which separator follows into a line of its own.
                let first = try CSVHeader(row, plan: plan)
                named = first.named
                header = first
                source = .csv(reader, header: first)
            }
        }
        return result
    }

    private mutating func object(at line: Int, _ bytes: [UInt8]) -> ImportRow {
        var row = ImportRow(line: line, cells: Array(repeating: .empty, count: plan.fields.count))
        guard case .object(let members)? = try? JSONReader.read(bytes) else {
            row.errors = [ImportRowError(line: line, column: "", reason: "must be one JSON object")]
            return row
        }
        var seen: Set<String> = []
        // A line may have as many members as it has room for; nobody is told of more errors than these.
        for (name, value) in members where row.errors.count < ImportTally.maximumNotes {
            func reject(_ reason: String) {
                row.errors.append(ImportRowError(line: line, column: name, reason: reason))
            }
            guard let index = plan.fields.firstIndex(where: { $0.name == name }) else {
                reject("is not a column of \(plan.kind.rawValue)")
                continue
            }
            guard seen.insert(name).inserted else {
                reject("is a duplicate")
                continue
            }
            named.insert(name)
            do throws(ImportFieldError) {
                row.cells[index] = try ImportCell(value)
            } catch {
                reject(error.reason)
            }
        }
        return row
    }
}

extension ImportCell {
    /// Numbers stay as they are spelt: an id of digits is text, and no digit of it may change.
    init(_ value: JSONSyntax) throws(ImportFieldError) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .flag(flag)
        case .number(let spelling): self = .text(spelling)
        case .string(let text): self = .text(try Self.storable(text))
        case .array(let entries):
            var texts: [String] = []
            for entry in entries {
                guard case .string(let text) = entry else {
                    throw ImportFieldError(reason: "must not be an array of anything but strings")
                }
                texts.append(try Self.storable(text))
            }
            self = .list(texts)
        case .object(let members):
            var pairs: [String: String] = [:]
            for (name, value) in members {
                guard case .string(let text) = value else {
                    throw ImportFieldError(reason: "must not be an object of anything but strings")
                }
                guard pairs.updateValue(try Self.storable(text), forKey: try Self.storable(name)) == nil else {
                    throw ImportFieldError(reason: "names a label twice")
                }
            }
            self = .labels(pairs)
        }
    }

    private static func storable(_ text: String) throws(ImportFieldError) -> String {
        guard !text.utf8.contains(0) else {
            throw ImportFieldError(reason: "must not contain the character U+0000")
        }
        return text
    }
}

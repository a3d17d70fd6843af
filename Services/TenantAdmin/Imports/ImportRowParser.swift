import Contracts
import Foundation

/// Judges rows against the rules of their kind and writes the good ones as lines of a COPY.
struct ImportRowParser: Sendable {
    private let rules: [ImportColumn]
    private let orderedPairs: [(earlier: Int, later: Int)]

    init(kind: ImportKind) {
        rules = kind.rules
        let columns = kind.allColumns
        orderedPairs = kind.orderedPairs.compactMap { pair in
            guard let earlier = columns.firstIndex(of: pair.earlier), let later = columns.firstIndex(of: pair.later)
            else { return nil }
            return (earlier, later)
        }
    }

    /// Appends the row to `copy`, its line number first.
    /// - Returns: all that is wrong with it; nothing is appended unless that is empty.
    func append(_ row: ImportRow, to copy: inout [UInt8]) -> [ImportRowError] {
        guard row.errors.isEmpty else { return row.errors }
        var errors: [ImportRowError] = []
        var values: [ImportValue] = []
        values.reserveCapacity(rules.count)
        for (rule, field) in zip(rules, row.fields) {
            do throws(ImportFieldError) {
                values.append(try rule.value(of: field))
            } catch {
                errors.append(ImportRowError(line: row.line, column: rule.name, reason: error.reason))
                values.append(.unknown)
            }
        }
        for pair in orderedPairs where values[pair.earlier].isAfter(values[pair.later]) {
            let reason = "must not be before \(rules[pair.earlier].name)"
            errors.append(ImportRowError(line: row.line, column: rules[pair.later].name, reason: reason))
        }
        guard errors.isEmpty else { return errors }
        copy.append(contentsOf: String(row.line).utf8)
        for value in values {
            copy.append(UInt8(ascii: "\t"))
            CopyText.append(value, to: &copy)
        }
        copy.append(UInt8(ascii: "\n"))
        return []
    }
}

/// PostgreSQL's COPY text format.
enum CopyText {
    static func append(_ value: ImportValue, to copy: inout [UInt8]) {
        switch value {
        case .unknown: copy.append(contentsOf: "\\N".utf8)
        case .text(let text): appendEscaped(text, to: &copy)
        case .number(let number): copy.append(contentsOf: String(number).utf8)
        case .integer(let number): copy.append(contentsOf: String(number).utf8)
        case .date(let date): copy.append(contentsOf: date.description.utf8)
        case .time(let time): copy.append(contentsOf: WireJSON.timestamp(time).utf8)
        case .list(let entries):
            let quoted = entries.map { entry in
                "\"" + entry.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
            }
            appendEscaped("{" + quoted.joined(separator: ",") + "}", to: &copy)
        case .flag(let flag): copy.append(UInt8(ascii: flag ? "t" : "f"))
        case .labels(let pairs):
            appendEscaped(json(pairs), to: &copy)
        }
    }

    /// Encoding strings cannot fail.
    private static func json(_ pairs: [String: String]) -> String {
        (try? WireJSON.encode(pairs)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static func appendEscaped(_ text: String, to copy: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): copy.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): copy.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): copy.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): copy.append(contentsOf: "\\t".utf8)
            default: copy.append(byte)
            }
        }
    }
}

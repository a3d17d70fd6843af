import Contracts
import Foundation

/// Judges rows against the rules of their kind and writes the good ones as lines of a COPY.
struct ImportRowParser: Sendable {
    private let fields: [ImportField]
    private let orderedPairs: [(earlier: Int, later: Int)]

    init(plan: ImportPlan) {
        fields = plan.fields
        orderedPairs = plan.orderedPairs.compactMap { pair in
            guard let earlier = plan.fields.firstIndex(where: { $0.name == pair.earlier }),
                let later = plan.fields.firstIndex(where: { $0.name == pair.later })
            else { return nil }
            return (earlier, later)
        }
    }

    /// What became of a row.
    struct Outcome {
        /// All that is wrong with it; nothing is appended unless there is nothing.
        var errors: [ImportRowError] = []
        var warnings: [ImportRowError] = []
        /// The fields it clears.
        var cleared: [String] = []
    }

    /// Appends the row to `copy`: its line number, the fields it clears, its values.
    func append(_ row: ImportRow, decimals: DecimalSeparator, to copy: inout [UInt8]) -> Outcome {
        guard row.errors.isEmpty else { return Outcome(errors: row.errors) }
        var errors: [ImportRowError] = []
        var warnings: [ImportRowError] = []
        var values: [ImportValue] = []
        values.reserveCapacity(fields.count)
        for (field, cell) in zip(fields, row.cells) {
            do throws(ImportFieldError) {
                let value = try field.value(of: cell, decimals: decimals)
                values.append(value)
                if let oddity = field.rule.oddity(of: value) {
                    warnings.append(ImportRowError(line: row.line, column: field.name, reason: oddity))
                }
            } catch {
                errors.append(ImportRowError(line: row.line, column: field.name, reason: error.reason))
                values.append(.unknown)
            }
        }
        for pair in orderedPairs where values[pair.earlier].isAfter(values[pair.later]) {
            let reason = "must not be before \(fields[pair.earlier].name)"
            errors.append(ImportRowError(line: row.line, column: fields[pair.later].name, reason: reason))
        }
        guard errors.isEmpty else { return Outcome(errors: errors) }
        let names = values.indices.filter { values[$0] == .cleared }.map { fields[$0].name }
        copy.append(contentsOf: String(row.line).utf8)
        copy.append(UInt8(ascii: "\t"))
        CopyText.append(names.isEmpty ? .unknown : .list(names), to: &copy)
        for value in values {
            copy.append(UInt8(ascii: "\t"))
            CopyText.append(value, to: &copy)
        }
        copy.append(UInt8(ascii: "\n"))
        return Outcome(warnings: warnings, cleared: names)
    }
}

/// PostgreSQL's COPY text format.
enum CopyText {
    static func append(_ value: ImportValue, to copy: inout [UInt8]) {
        switch value {
        case .unknown, .cleared: copy.append(contentsOf: "\\N".utf8)
        case .text(let text): appendEscaped(text, to: &copy)
        case .number(let number): copy.append(contentsOf: String(number).utf8)
        case .integer(let number): copy.append(contentsOf: String(number).utf8)
        case .ever: copy.append(contentsOf: "-infinity".utf8)
        case .date(let date): copy.append(contentsOf: date.description.utf8)
        case .time(let time): appendTime(time, to: &copy)
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

    /// To the microsecond, as the database holds it: what an export gives comes back unchanged.
    private static func appendTime(_ time: Date, to copy: inout [UInt8]) {
        // Counted from 2001 as `Date` does; seconds since 1970 would already be rounded otherwise.
        let total = Int((time.timeIntervalSinceReferenceDate * 1_000_000).rounded()) + 978_307_200_000_000
        let rest = (total % 86_400_000_000 + 86_400_000_000) % 86_400_000_000
        let day = (total - rest) / 86_400_000_000
        copy.append(contentsOf: CivilDate(daysSinceEpoch: day).description.utf8)
        copy.append(UInt8(ascii: " "))
        for (number, width, separator) in [
            (rest / 3_600_000_000, 2, ":"), (rest / 60_000_000 % 60, 2, ":"), (rest / 1_000_000 % 60, 2, "."),
            (rest % 1_000_000, 6, "+00"),
        ] {
            let digits = String(number)
            copy.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: width - digits.utf8.count))
            copy.append(contentsOf: digits.utf8)
            copy.append(contentsOf: separator.utf8)
        }
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

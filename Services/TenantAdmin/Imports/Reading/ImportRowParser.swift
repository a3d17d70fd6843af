import Contracts
import Foundation

/// Judges rows against the rules of their kind and writes the good ones as lines of a COPY.
struct ImportRowParser: Sendable {
    private let fields: [ImportField]
    private let orderedPairs: [(earlier: Int, later: Int)]
    private let zone: TimeZone

    /// - Parameter zone: of the tenant, whose days the dates are.
    init(plan: ImportPlan, zone: TimeZone) {
        fields = plan.fields
        self.zone = zone
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
                let value = try field.value(of: cell, decimals: decimals, zone: zone)
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
        case .text(let text): append(text, to: &copy)
        case .number(let number): copy.append(contentsOf: String(number).utf8)
        case .integer(let number): copy.append(contentsOf: String(number).utf8)
        case .ever: copy.append(contentsOf: "-infinity".utf8)
        case .date(let date): append(date, to: &copy)
        case .time(let time): append(time, to: &copy)
        case .list(let entries):
            copy.append(UInt8(ascii: "{"))
            for (index, entry) in entries.enumerated() {
                if index > 0 { copy.append(UInt8(ascii: ",")) }
                appendQuoted(entry, to: &copy)
            }
            copy.append(UInt8(ascii: "}"))
        case .flag(let flag): copy.append(UInt8(ascii: flag ? "t" : "f"))
        case .labels(let pairs):
            copy.append(UInt8(ascii: "{"))
            for (index, pair) in pairs.enumerated() {
                if index > 0 { copy.append(UInt8(ascii: ",")) }
                appendQuoted(pair.key, to: &copy)
                copy.append(UInt8(ascii: ":"))
                appendQuoted(pair.value, to: &copy)
            }
            copy.append(UInt8(ascii: "}"))
        }
    }

    /// In double quotes, as arrays and JSON have them alike: quotes and backslashes after a backslash, which COPY doubles. No rule
    /// lets control characters into lists and labels.
    private static func appendQuoted(_ text: String, to copy: inout [UInt8]) {
        copy.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { copy.append(contentsOf: "\\\\".utf8) }
            append(byte, to: &copy)
        }
        copy.append(UInt8(ascii: "\""))
    }

    private static func append(_ date: CivilDate, to copy: inout [UInt8]) {
        let (year, month, day) = date.components
        append(year, width: 4, to: &copy)
        copy.append(UInt8(ascii: "-"))
        append(month, width: 2, to: &copy)
        copy.append(UInt8(ascii: "-"))
        append(day, width: 2, to: &copy)
    }

    /// To the microsecond, as the database holds it: what an export gives comes back unchanged.
    private static func append(_ time: Date, to copy: inout [UInt8]) {
        // Counted from 2001 as `Date` does; seconds since 1970 would already be rounded otherwise.
        let total = Int((time.timeIntervalSinceReferenceDate * 1_000_000).rounded()) + 978_307_200_000_000
        let rest = (total % 86_400_000_000 + 86_400_000_000) % 86_400_000_000
        append(CivilDate(daysSinceEpoch: (total - rest) / 86_400_000_000), to: &copy)
        copy.append(UInt8(ascii: " "))
        append(rest / 3_600_000_000, width: 2, to: &copy)
        copy.append(UInt8(ascii: ":"))
        append(rest / 60_000_000 % 60, width: 2, to: &copy)
        copy.append(UInt8(ascii: ":"))
        append(rest / 1_000_000 % 60, width: 2, to: &copy)
        copy.append(UInt8(ascii: "."))
        append(rest % 1_000_000, width: 6, to: &copy)
        copy.append(contentsOf: "+00".utf8)
    }

    /// With leading zeros.
    private static func append(_ number: Int, width: Int, to copy: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            copy.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    private static func append(_ text: String, to copy: inout [UInt8]) {
        for byte in text.utf8 { append(byte, to: &copy) }
    }

    private static func append(_ byte: UInt8, to copy: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\\"): copy.append(contentsOf: "\\\\".utf8)
        case UInt8(ascii: "\n"): copy.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\r"): copy.append(contentsOf: "\\r".utf8)
        case UInt8(ascii: "\t"): copy.append(contentsOf: "\\t".utf8)
        default: copy.append(byte)
        }
    }
}

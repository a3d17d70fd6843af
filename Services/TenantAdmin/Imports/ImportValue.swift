import Contracts
import Foundation

/// A field as the file gave it, before its column says what it must be.
enum ImportField: Sendable, Equatable {
    case empty
    case text(String)
    /// Only NDJSON can give these three outright.
    case list([String])
    case labels([String: String])
    case flag(Bool)
}

/// A field that fits its column.
enum ImportValue: Sendable, Equatable {
    case unknown
    case text(String)
    case number(Double)
    case integer(Int)
    case date(CivilDate)
    case time(Date)
    case list([String])
    case labels([String: String])
    case flag(Bool)

    /// Whether `self` lies after `other`; false when either is unknown.
    func isAfter(_ other: ImportValue) -> Bool {
        switch (self, other) {
        case (.date(let one), .date(let another)): one > another
        case (.time(let one), .time(let another)): one > another
        default: false
        }
    }
}

/// Why a field cannot be what its column asks for, in words that follow the column's name.
struct ImportFieldError: Error, Equatable {
    let reason: String
}

extension ImportColumn {
    /// The field's meaning. Text is taken without surrounding blanks; empty means unknown.
    func value(of field: ImportField) throws(ImportFieldError) -> ImportValue {
        var field = field
        if case .text(let text) = field {
            let trimmed = text.trimmingCharacters(in: .whitespaces)
            field = trimmed.isEmpty ? .empty : .text(trimmed)
        }
        switch field {
        case .empty:
            if isRequired { throw ImportFieldError(reason: "must not be empty") }
            return .unknown
        case .text(let text):
            return try value(ofText: text)
        case .list(let entries):
            guard case .list = rule else { throw ImportFieldError(reason: "must not be an array") }
            return try Self.list(entries)
        case .labels(let pairs):
            guard case .labels = rule else { throw ImportFieldError(reason: "must not be an object") }
            return try Self.labels(pairs)
        case .flag(let flag):
            guard case .flag = rule else { throw ImportFieldError(reason: "must not be true or false") }
            return .flag(flag)
        }
    }

    private func value(ofText text: String) throws(ImportFieldError) -> ImportValue {
        switch rule {
        case .text(let maximum):
            try Self.check { $0.text(text, "", maximum: maximum) }
            return .text(text)
        case .email:
            try Self.check { $0.email(text, "") }
            return .text(text)
        case .number(let range):
            return .number(try Self.number(text, in: range))
        case .integer(let range):
            guard let number = Int(text) else { throw Self.not("a whole number", text) }
            try Self.check { $0.range(number, range, "") }
            return .integer(number)
        case .date:
            guard let date = CivilDate(text) else { throw Self.not("a date like 2026-01-31", text) }
            return .date(date)
        case .time:
            // A day alone is its beginning in UTC.
            guard let time = CivilDate(text)?.startOfDay ?? WireJSON.date(text) else {
                throw Self.not("a time like 2026-01-31T12:00:00.000Z", text)
            }
            return .time(time)
        case .oneOf(let words):
            guard words.contains(text) else { throw Self.not("one of " + words.joined(separator: ", "), text) }
            return .text(text)
        case .list:
            return try Self.list(text.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) })
        case .labels:
            return try Self.labels(try Self.pairs(text))
        case .flag:
            guard text == "true" || text == "false" else { throw Self.not("true or false", text) }
            return .flag(text == "true")
        }
    }

    private static func number(_ text: String, in range: ClosedRange<Double>) throws(ImportFieldError) -> Double {
        // Swift would also read "nan", "infinity" and hexadecimal.
        let isDecimal = text.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
        guard isDecimal, let number = Double(text), number.isFinite else { throw not("a number", text) }
        if number < 0, range.lowerBound == 0 { throw ImportFieldError(reason: "must not be negative") }
        try check { $0.range(number, range, "") }
        return number
    }

    private static func list(_ entries: [String]) throws(ImportFieldError) -> ImportValue {
        let entries = entries.filter { !$0.isEmpty }
        try check { $0.tags(entries, "") }
        return entries.isEmpty ? .unknown : .list(entries)
    }

    private static func labels(_ pairs: [String: String]) throws(ImportFieldError) -> ImportValue {
        try check { $0.labels(pairs, "") }
        return pairs.isEmpty ? .unknown : .labels(pairs)
    }

    private static func pairs(_ text: String) throws(ImportFieldError) -> [String: String] {
        var pairs: [String: String] = [:]
        for part in text.split(separator: ";") where !part.allSatisfy(\.isWhitespace) {
            guard let equals = part.firstIndex(of: "=") else {
                throw ImportFieldError(reason: "must be key=value pairs separated by semicolons")
            }
            let key = part[..<equals].trimmingCharacters(in: .whitespaces)
            let value = part[part.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            guard !key.isEmpty, !value.isEmpty else {
                throw ImportFieldError(reason: "must be key=value pairs separated by semicolons")
            }
            guard pairs.updateValue(value, forKey: key) == nil else {
                throw ImportFieldError(reason: "names the label \(clipped(key)) twice")
            }
        }
        return pairs
    }

    /// The contract's own rules, so that an import and a POST refuse the same values in the same words.
    private static func check(_ rule: (inout Validation) -> Void) throws(ImportFieldError) {
        var validation = Validation()
        rule(&validation)
        if let error = validation.errors.first { throw ImportFieldError(reason: error.message) }
    }

    private static func not(_ wanted: String, _ text: String) -> ImportFieldError {
        ImportFieldError(reason: "must be \(wanted), not \"\(clipped(text))\"")
    }

    private static func clipped(_ text: String) -> String {
        text.count > 40 ? text.prefix(40) + "…" : text
    }
}

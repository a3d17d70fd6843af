import Contracts
import Foundation

/// A cell as the file gave it, before its field says what it must be.
enum ImportCell: Sendable, Equatable {
    /// Nothing is said: a row that is there keeps what it has.
    case empty
    /// JSON's `null`: takes away what is there where that is possible.
    case null
    /// Text, or a number of JSON's as it is spelt.
    case text(String)
    /// Only NDJSON can give these three outright.
    case list([String])
    case labels([String: String])
    case flag(Bool)
}

/// A cell that fits its field.
enum ImportValue: Sendable, Equatable {
    case unknown
    case cleared
    case text(String)
    case number(Double)
    case integer(Int)
    case date(CivilDate)
    /// Before every day.
    case ever
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

/// Why a cell cannot be what its field asks for, in words that follow the field's name.
struct ImportFieldError: Error, Equatable {
    let reason: String
}

extension ImportField {
    /// In a CSV, and as a string of NDJSON: take away what is there.
    static let clearing = "\\N"

    /// The cell's meaning. Text is taken without surrounding blanks.
    /// - Parameter zone: of the tenant, whose days the dates are.
    func value(
        of cell: ImportCell, decimals: DecimalSeparator, zone: TimeZone
    ) throws(ImportFieldError) -> ImportValue {
        switch cell {
        case .empty:
            return try absent()
        case .null:
            return canBeCleared ? .cleared : try absent()
        case .text(let text):
            let text = ImportText.tidied(text)
            if text.isEmpty { return try absent() }
            if text == Self.clearing {
                if canBeCleared { return .cleared }
                throw ImportFieldError(
                    reason: isRequired
                        ? "must not be empty" : "cannot be cleared; leave it empty to keep what is there")
            }
            return try rule.value(of: text, decimals: decimals, zone: zone)
        case .list(let entries):
            if entries.isEmpty, canBeCleared { return .cleared }
            switch rule {
            case .names: return try ImportRule.names(entries)
            case .skills: return try ImportRule.skills(entries)
            default: throw ImportFieldError(reason: "must not be an array")
            }
        case .labels(let pairs):
            guard case .labels = rule else { throw ImportFieldError(reason: "must not be an object") }
            return pairs.isEmpty && canBeCleared ? .cleared : try ImportRule.labels(pairs)
        case .flag(let flag):
            guard case .flag = rule else { throw ImportFieldError(reason: "must not be true or false") }
            return .flag(flag)
        }
    }

    private func absent() throws(ImportFieldError) -> ImportValue {
        if isRequired { throw ImportFieldError(reason: "must not be empty") }
        return .unknown
    }
}

/// How the file writes a fraction.
enum DecimalSeparator: Sendable {
    case point
    /// Spreadsheets of places that write 37,5 separate columns by semicolons or tabs. A point may separate thousands there.
    case comma
}

/// Text as it is stored, cheaply where it already is: most cells are plain ASCII, and there are millions of them.
enum ImportText {
    static func tidied(_ text: String) -> String {
        var text = text
        let isTidy = text.withUTF8 { utf8 in
            guard let first = utf8.first, let last = utf8.last else { return true }
            return first > 0x20 && last > 0x20 && utf8.allSatisfy { $0 < 0x7f }
        }
        return isTidy ? text : text.tidied
    }

    /// Whether the text is 1 to `maximum` printable ASCII characters without blanks around them, which no rule of text refuses.
    static func isPlain(_ text: String, maximum: Int) -> Bool {
        var text = text
        return text.withUTF8 { utf8 in
            guard let first = utf8.first, let last = utf8.last, utf8.count <= maximum else { return false }
            return first > 0x20 && last > 0x20 && utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
        }
    }
}

import Contracts
import Foundation

extension ImportRule {
    /// What a text means that is not empty and has no surrounding blanks.
    func value(
        of text: String, decimals: DecimalSeparator, zone: TimeZone
    ) throws(ImportFieldError) -> ImportValue {
        switch self {
        case .text(let maximum):
            if !ImportText.isPlain(text, maximum: maximum) {
                try Self.check { $0.text(text, "", maximum: maximum) }
            }
            return .text(text)
        case .prose(let maximum):
            try Self.check { $0.prose(text, "", maximum: maximum) }
            return .text(text)
        case .email:
            try Self.check { $0.email(text, "") }
            return .text(text)
        case .number(let range):
            return .number(try Self.number(text, decimals, in: range))
        case .percentage(let maximum):
            return .number(try Self.number(text, decimals, in: 0...maximum))
        case .weeklyHours:
            return .number(try Self.number(text, decimals, in: 0...168))
        case .dailyHours:
            return .number(try Self.number(text, decimals, in: 0...24))
        case .integer(let range):
            return .integer(try Self.integer(text, in: range))
        case .dayOrEver where text.lowercased() == "ever":
            return .ever
        case .date, .dayOrEver:
            guard let date = CivilDate(text) else { throw Self.not("a date like 2026-01-31", text) }
            return .date(date)
        case .time:
            // A day alone is its beginning where the tenant is.
            guard let time = CivilDate(text)?.startOfDay(in: zone) ?? WireJSON.date(text) else {
                throw Self.not("a time like 2026-01-31T12:00:00.000Z", text)
            }
            return .time(time)
        case .oneOf(let words):
            guard words.contains(text) else { throw Self.not("one of " + words.joined(separator: ", "), text) }
            return .text(text)
        case .skill:
            try Self.check { $0.skill(text, "") }
            return .text(text)
        case .names:
            return try Self.names(text.split(separator: ";").map(String.init))
        case .skills:
            return try Self.skills(text.split(separator: ";").map(String.init))
        case .labels:
            return try Self.labels(try Self.pairs(text))
        case .flag:
            // Spreadsheets write them in capitals.
            switch text.lowercased() {
            case "true": return .flag(true)
            case "false": return .flag(false)
            default: throw Self.not("true or false", text)
            }
        }
    }

    /// What is unusual about a value that fits: mostly a figure in another unit.
    func oddity(of value: ImportValue) -> String? {
        guard case .number(let number) = value else { return nil }
        switch self {
        case .percentage where number > 0 && number < 1:
            return "is less than one percent: write 50 for a half"
        case .weeklyHours where number > 0 && number < 5:
            return "is \(number) hours of a whole week"
        case .weeklyHours where number > 60: return "is more than 60 hours a week"
        case .dailyHours where number > 12: return "is more than 12 hours a day"
        default: return nil
        }
    }

    private static func number(
        _ text: String, _ decimals: DecimalSeparator, in range: ClosedRange<Double>
    ) throws(ImportFieldError) -> Double {
        let plain = decimals == .comma ? try withPoint(text) : text
        // Swift would also read "nan", "infinity" and hexadecimal.
        let isDecimal = plain.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
        guard isDecimal, let number = Double(plain) else { throw not("a number", text) }
        guard number.isFinite else { throw ImportFieldError(reason: "is too large a number") }
        if number < 0, range.lowerBound == 0 { throw ImportFieldError(reason: "must not be negative") }
        try check { $0.range(number, range, "") }
        return number
    }

    /// `1.234,5` as `1234.5`. `1.234` could be either.
    private static func withPoint(_ text: String) throws(ImportFieldError) -> String {
        let whole = text.prefix { $0 != "," }
        let groups = whole.split(separator: ".", omittingEmptySubsequences: false)
        let isGrouped =
            groups.count > 1 && !(groups[0] == "0" || groups[0].isEmpty || groups[0].count > 3)
            && groups.dropFirst().allSatisfy { $0.count == 3 && $0.allSatisfy(\.isNumber) }
        if whole.count < text.count {
            let fraction = text[whole.endIndex...].replacing(",", with: ".")
            return String((isGrouped ? whole.replacing(".", with: "") : whole) + fraction)
        }
        guard !isGrouped else {
            throw ImportFieldError(
                reason: "is ambiguous: write \(whole.replacing(".", with: "")) or \(whole.replacing(".", with: ","))")
        }
        return text
    }

    /// Spreadsheets write 4 as `4.0` too.
    private static func integer(_ text: String, in range: ClosedRange<Int>) throws(ImportFieldError) -> Int {
        let digits = text.utf8.lastIndex { $0 != UInt8(ascii: "0") }.flatMap { last in
            text.utf8[last] == UInt8(ascii: ".") || text.utf8[last] == UInt8(ascii: ",") ? text[..<last] : nil
        }
        guard let number = Int(digits ?? text[...]) else { throw not("a whole number", text) }
        try check { $0.range(number, range, "") }
        return number
    }

    /// Each name once, however it is spelt.
    static func names(_ entries: [String]) throws(ImportFieldError) -> ImportValue {
        var (names, known): ([String], Set<String>) = ([], [])
        for entry in entries.map(ImportText.tidied) where !entry.isEmpty && known.insert(entry.folded).inserted {
            names.append(entry)
        }
        try checkTags(names)
        return names.isEmpty ? .unknown : .list(names)
    }

    /// Each skill once, however it is spelt, with the highest of its least levels.
    static func skills(_ entries: [String]) throws(ImportFieldError) -> ImportValue {
        var skills: [(name: String, level: Int?)] = []
        var places: [String: Int] = [:]
        for entry in entries {
            let (name, level) = try requirement(ImportText.tidied(entry))
            if name.isEmpty { continue }
            let folded = name.folded
            guard let known = places[folded] else {
                places[folded] = skills.count
                skills.append((name, level))
                continue
            }
            skills[known].level = [skills[known].level, level].compactMap { $0 }.max()
        }
        try checkTags(skills.map(\.name))
        return skills.isEmpty ? .unknown : .list(skills.map { name, level in level.map { "\(name)>=\($0)" } ?? name })
    }

    /// `Swift`, or `Swift>=3`.
    private static func requirement(_ entry: String) throws(ImportFieldError) -> (name: String, level: Int?) {
        guard entry.utf8.contains(UInt8(ascii: ">")), let sign = entry.firstRange(of: ">=") else { return (entry, nil) }
        let name = ImportText.tidied(String(entry[..<sign.lowerBound]))
        guard let level = Int(ImportText.tidied(String(entry[sign.upperBound...]))), (1...5).contains(level),
            !name.isEmpty
        else { throw not("skills like Swift or Swift>=3, with a least level from 1 to 5", entry) }
        return (name, level)
    }

    private static func checkTags(_ names: [String]) throws(ImportFieldError) {
        if names.count <= 100, names.allSatisfy({ ImportText.isPlain($0, maximum: 100) && !$0.contains(">=") }) {
            return
        }
        try check { $0.skills(names, "") }
    }

    static func labels(_ pairs: [String: String]) throws(ImportFieldError) -> ImportValue {
        let arePlain =
            pairs.count <= 50
            && pairs.allSatisfy {
                ImportText.isPlain($0.key, maximum: 100) && ImportText.isPlain($0.value, maximum: 500)
            }
        if !arePlain { try check { $0.labels(pairs, "") } }
        return pairs.isEmpty ? .unknown : .labels(pairs)
    }

    private static func pairs(_ text: String) throws(ImportFieldError) -> [String: String] {
        var pairs: [String: String] = [:]
        for part in text.split(separator: ";") where !part.allSatisfy(\.isWhitespace) {
            guard let equals = part.firstIndex(of: "=") else {
                throw ImportFieldError(reason: "must be key=value pairs separated by semicolons")
            }
            let key = ImportText.tidied(String(part[..<equals]))
            let value = ImportText.tidied(String(part[part.index(after: equals)...]))
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

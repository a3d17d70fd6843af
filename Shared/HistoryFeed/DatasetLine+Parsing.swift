import Contracts
import Forecasting

extension DatasetLine {
    /// A line without its newline, as ``write(to:)`` or any other JSON writer gives it.
    ///
    /// Allocations and capacity days in the usual form are read by hand, some fifty times as fast; whatever is unusual, an
    /// escape in a string to begin with, goes through the JSON decoder.
    /// - Throws: `DecodingError`.
    public init(parsing line: some Collection<UInt8>) throws {
        let parsed = line.withContiguousStorageIfAvailable { Self.parse($0) }
        if let parsed, let found = parsed {
            self = found
        } else {
            self = try WireJSON.decode(from: line)
        }
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> DatasetLine? {
        var scanner = LineScanner(bytes: bytes)
        if scanner.take(#"{"allocation":{"#) { return scanner.allocation().map(DatasetLine.allocation) }
        if scanner.take(#"{"capacity":{"#) { return scanner.capacity().map(DatasetLine.capacity) }
        return nil
    }
}

/// Reads the lines that `LineWriter` writes; gives nil for everything else, valid or not.
private struct LineScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var hasFailed = false

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func allocation() -> Forecasting.Allocation? {
        let actualHours = number(after: #""actualHours":"#)
        let percent = number(after: #""allocationPercent":"#)
        let completedAt = number(after: #""completedAt":"#)
        let decidedAt = number(after: #""decidedAt":"#)
        let employee = string(after: #""employee":"#)
        let id = string(after: #""id":"#)
        let labels = labels()
        let plannedEnd = number(after: #""plannedEnd":"#)
        let plannedHours = number(after: #""plannedHours":"#)
        let project = string(after: #""project":"#)
        let skills = skills()
        let start = number(after: #""start":"#)
        guard isAtEnd, let decidedAt, let employee, let id, let labels, let plannedHours, let project, let skills else {
            return nil
        }
        return Forecasting.Allocation(
            id: id, employee: employee, project: project, skills: skills, labels: labels, plannedHours: plannedHours,
            allocationPercent: percent, actualHours: actualHours, start: start, plannedEnd: plannedEnd,
            decidedAt: decidedAt, completedAt: completedAt)
    }

    mutating func capacity() -> CapacityDay? {
        let day = number(after: #""day":"#)
        let employee = string(after: #""employee":"#)
        let utilisation = number(after: #""utilisation":"#)
        guard isAtEnd, let day, let employee, let utilisation else { return nil }
        return CapacityDay(employee: employee, day: day, utilisation: utilisation)
    }

    /// Whether the text comes next; it is behind then.
    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    private var isAtEnd: Bool {
        var copy = self
        return !hasFailed && copy.take("}}") && copy.position == bytes.count
    }

    private mutating func labels() -> [String: String]? {
        guard take(#""labels":{"#) else { return nil }
        var labels: [String: String] = [:]
        while !take("}") {
            if !labels.isEmpty, !take(",") { return nil }
            guard let key = string(), take(":"), let value = string() else { return nil }
            labels[key] = value
        }
        separate()
        return labels
    }

    private mutating func skills() -> [String]? {
        guard take(#""skills":["#) else { return nil }
        var skills: [String] = []
        while !take("]") {
            if !skills.isEmpty, !take(",") { return nil }
            guard let skill = string() else { return nil }
            skills.append(skill)
        }
        separate()
        return skills
    }

    private mutating func string(after key: StaticString) -> String? {
        guard take(key), let value = string() else { return nil }
        separate()
        return value
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        guard position < bytes.count else { return nil }
        position += 1
        return String(validating: UnsafeBufferPointer(rebasing: bytes[start..<position - 1]), as: UTF8.self)
    }

    /// nil also when the key does not come next: it is one that may be left out.
    private mutating func number(after key: StaticString) -> Double? {
        guard take(key) else { return nil }
        let start = position
        var isInteger = true
        while position < bytes.count, bytes[position] != UInt8(ascii: ","), bytes[position] != UInt8(ascii: "}") {
            if !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { isInteger = false }
            position += 1
        }
        let digits = bytes[start..<position]
        separate()
        if isInteger, (1...15).contains(digits.count) {
            return Double(digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
        }
        let value = Double(String(decoding: digits, as: UTF8.self))
        if value == nil { hasFailed = true }
        return value
    }

    private mutating func separate() { _ = take(",") }
}

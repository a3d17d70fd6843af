import Contracts
import Forecasting

extension DatasetLine {
    /// The line as `WireJSON` writes it, byte for byte, and its newline. A dataset has millions of lines, nearly all of them
    /// allocations and capacity days: these are written by hand, some fifty times as fast.
    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    public func write(to bytes: inout [UInt8]) throws {
        let start = bytes.count
        var writer = LineWriter(bytes: bytes)
        // Not held twice while it grows.
        bytes = []
        let isWritten =
            switch self {
            case .allocation(let allocation): writer.write(allocation)
            case .capacity(let day): writer.write(day)
            case .employee, .project: false
            }
        if !isWritten {
            writer.bytes.removeSubrange(start...)
            writer.bytes += try WireJSON.encode(self)
        }
        writer.bytes.append(UInt8(ascii: "\n"))
        bytes = writer.bytes
    }
}

/// Writes flat objects with their keys in order.
private struct LineWriter {
    var bytes: [UInt8]
    private var isFirst = true
    /// A number came that JSON cannot hold.
    private var hasFailed = false

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func write(_ allocation: Forecasting.Allocation) -> Bool {
        text(#"{"allocation":{"#)
        field("actualHours", allocation.actualHours)
        field("allocationPercent", allocation.allocationPercent)
        field("completedAt", allocation.completedAt)
        field("decidedAt", allocation.decidedAt)
        field("employee", allocation.employee)
        field("id", allocation.id)
        labels(allocation.labels)
        field("plannedEnd", allocation.plannedEnd)
        field("plannedHours", allocation.plannedHours)
        field("project", allocation.project)
        skills(allocation.skills)
        field("start", allocation.start)
        text("}}")
        return !hasFailed
    }

    mutating func write(_ day: CapacityDay) -> Bool {
        text(#"{"capacity":{"#)
        field("day", day.day)
        field("employee", day.employee)
        field("utilisation", day.utilisation)
        text("}}")
        return !hasFailed
    }

    private mutating func labels(_ labels: [String: String]) {
        name("labels")
        text("{")
        for (index, label) in labels.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }).enumerated() {
            if index > 0 { text(",") }
            string(label.key)
            text(":")
            string(label.value)
        }
        text("}")
    }

    private mutating func skills(_ skills: [String]) {
        name("skills")
        text("[")
        for (index, skill) in skills.enumerated() {
            if index > 0 { text(",") }
            string(skill)
        }
        text("]")
    }

    private mutating func field(_ key: StaticString, _ value: String) {
        name(key)
        string(value)
    }

    private mutating func field(_ key: StaticString, _ value: Double?) {
        guard let value else { return }
        name(key)
        if !value.isFinite { hasFailed = true }
        if value == value.rounded(), abs(value) < 1e15, value != 0 || value.sign == .plus {
            integer(Int(value))
        } else {
            let text = value.description
            bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
        }
    }

    private mutating func name(_ key: StaticString) {
        if !isFirst { text(",") }
        isFirst = false
        text("\"")
        text(key)
        text("\":")
    }

    private mutating func integer(_ value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private mutating func string(_ value: String) {
        var value = value
        bytes.append(UInt8(ascii: "\""))
        value.withUTF8 { utf8 in
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
                bytes.append(contentsOf: utf8)
            } else {
                for byte in utf8 { escaped(byte) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): text("\\\"")
        case UInt8(ascii: "\\"): text("\\\\")
        case 0x08: text("\\b")
        case 0x09: text("\\t")
        case 0x0A: text("\\n")
        case 0x0C: text("\\f")
        case 0x0D: text("\\r")
        case 0..<0x20:
            text("\\u00")
            for digit in [byte >> 4, byte & 15] {
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        default: bytes.append(byte)
        }
    }

    private mutating func text(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

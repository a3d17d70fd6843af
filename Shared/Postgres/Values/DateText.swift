import Basics
public import FoundationEssentials

/// `timestamptz` with microseconds. Also reads `timestamp` (taken as UTC) and `date` (midnight UTC).
extension Date: PostgresCodable {
    public var postgresText: String? {
        get throws {
            let microseconds = (timeIntervalSince1970 * 1_000_000).rounded(.toNearestOrEven)
            // 4713 BC to AD 294276 is what the server can hold; NaN fails both comparisons.
            guard microseconds > -2.1e17, microseconds < 9.2e18 else {
                throw PostgresTextError("a date the server cannot hold")
            }
            return TimestampText.text(microsecondsSince1970: Int(microseconds))
        }
    }

    public init(postgresText text: String) throws {
        let microseconds = try TimestampText.microsecondsSince1970(of: text)
        self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000)
    }
}

/// The server's ISO text form of times: `2024-02-29 12:30:00.123456+02`, `0044-03-15 00:00:00+00 BC`.
enum TimestampText {
    static func text(microsecondsSince1970 total: Int) -> String {
        let (days, inDay) = GregorianCalendar.flooredDivision(total, by: 86_400_000_000)
        let date = GregorianCalendar.date(daysSince1970: days)
        let seconds = inDay / 1_000_000
        let isBC = date.year <= 0
        let year = isBC ? 1 - date.year : date.year
        return padded(year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2)
            + " " + padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2)
            + "." + padded(inDay % 1_000_000, 6) + "+00" + (isBC ? " BC" : "")
    }

    static func microsecondsSince1970(of text: String) throws -> Int {
        var scanner = Scanner(bytes: Array(text.utf8))
        return try scanner.timestamp()
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func timestamp() throws -> Int {
            var year = try number()
            try skip("-")
            let month = try number()
            try skip("-")
            let day = try number()
            var microseconds = 0
            if take(" ") { microseconds = try timeOfDay() }
            microseconds -= try offset()
            if take(" ") {
                try skip("B")
                try skip("C")
                year = 1 - year
            }
            guard position == bytes.count, (1...12).contains(month), (1...31).contains(day) else { throw malformed }
            return GregorianCalendar.daysSince1970(year: year, month: month, day: day) * 86_400_000_000 + microseconds
        }

        private var malformed: PostgresTextError { PostgresTextError("not a valid timestamp") }

        private mutating func timeOfDay() throws -> Int {
            // A space may also begin " BC" of a plain date.
            guard position < bytes.count, bytes[position] != UInt8(ascii: "B") else {
                position -= 1
                return 0
            }
            var seconds = try number() * 3600
            try skip(":")
            seconds += try number() * 60
            try skip(":")
            seconds += try number()
            return seconds * 1_000_000 + (take(".") ? try fraction() : 0)
        }

        private mutating func fraction() throws -> Int {
            let start = position
            let digits = try number()
            guard position - start <= 6 else { throw malformed }
            return (position - start..<6).reduce(digits) { value, _ in value * 10 }
        }

        /// Microseconds east of UTC.
        private mutating func offset() throws -> Int {
            let sign = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0 else { return 0 }
            var seconds = try number() * 3600
            if take(":") { seconds += try number() * 60 }
            if take(":") { seconds += try number() }
            return sign * seconds * 1_000_000
        }

        private mutating func number() throws -> Int {
            let start = position
            var value = 0
            while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
                guard position - start < 9 else { throw malformed }
                value = value * 10 + Int(digit)
                position += 1
            }
            guard position > start else { throw malformed }
            return value
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        private mutating func skip(_ character: Unicode.Scalar) throws {
            guard take(character) else { throw malformed }
        }
    }
}

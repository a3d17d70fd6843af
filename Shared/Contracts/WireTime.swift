import Basics
import FoundationEssentials

/// Times on the wire: days of the proleptic Gregorian calendar, as ISO 8601 and Postgres count them. By hand, since
/// Foundation's formats count the days before 1582 by the Julian calendar, roll 30 February over to 2 March, overlook
/// what follows a time, and take many times as long.
enum WireTime {
    /// Milliseconds since 1970 of the years 0001 to 9999.
    private static let range = -62_135_596_800_000...253_402_300_799_999

    /// The UTC day, and the millisecond of it from 0. Rounded: a stored 0.1229999 must not come back a millisecond
    /// earlier. A time outside the years 0001 to 9999 becomes the first or last in them, one that is no number the first.
    static func dayAndMillisecond(of date: Date) -> (day: CivilDate, millisecond: Int) {
        let exact = (date.timeIntervalSince1970 * 1000).rounded()
        let total = Int(min(max(Double(range.lowerBound), exact), Double(range.upperBound)))
        let (days, rest) = GregorianCalendar.flooredDivision(total, by: 86_400_000)
        return (CivilDate(daysSinceEpoch: days), rest)
    }

    /// A time of the years 0001 to 9999 with `Z` or an offset (`+02:00`, `+0200`, `+02`), with or without a fraction of a
    /// second; nil for anything else. As RFC 3339 has it, letters may be small, and a month may end with a leap second, which is counted as
    /// POSIX and Postgres count it: as the first second of the next month.
    static func date(_ text: UnsafeBufferPointer<UInt8>) -> Date? {
        guard (20...40).contains(text.count), isLetter(text[10], "T"), text[13] == UInt8(ascii: ":"),
            text[16] == UInt8(ascii: ":"), let day = CivilDate(utf8: UnsafeBufferPointer(rebasing: text[..<10])),
            let hour = number(text, 11..<13), hour < 24, let minute = number(text, 14..<16), minute < 60,
            let second = number(text, 17..<19), second <= 60
        else { return nil }
        var (end, fraction) = (19, 0.0)
        if text[19] == UInt8(ascii: ".") {
            end = text[20...].firstIndex { !isDigit($0) } ?? text.count
            // Nanoseconds are finer than a `Date` is.
            let digits = 20..<min(end, 29)
            guard let value = number(text, digits), !digits.isEmpty else { return nil }
            fraction = Double(value) / powersOfTen[digits.count]
        }
        guard let offset = offset(UnsafeBufferPointer(rebasing: text[end...])) else { return nil }
        let seconds = day.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
        guard range.contains(seconds * 1000), second < 60 || isMonthsBegin(seconds) else { return nil }
        // Counted from 2001 as `Date` does, since adding the fraction to another whole number rounds it another way.
        return Date(timeIntervalSinceReferenceDate: Double(seconds - 978_307_200) + fraction)
    }

    /// Whether a month begins in UTC so many seconds after 1970.
    private static func isMonthsBegin(_ seconds: Int) -> Bool {
        let (days, rest) = GregorianCalendar.flooredDivision(seconds, by: 86_400)
        return rest == 0 && CivilDate(daysSinceEpoch: days).components.day == 1
    }

    private static let powersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    /// Seconds east of UTC.
    private static func offset(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let sign = text.first else { return nil }
        if isLetter(sign, "Z") { return text.count == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.count >= 3,
            let hours = number(text, 1..<3), hours < 24
        else { return nil }
        var minutes = 0
        if text.count > 3 {
            let start = text[3] == UInt8(ascii: ":") ? 4 : 3
            guard text.count == start + 2, let value = number(text, start..<text.count), value < 60 else { return nil }
            minutes = value
        }
        let seconds = hours * 3600 + minutes * 60
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    /// nil unless there are only digits in the range.
    static func number(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            guard isDigit(text[index]) else { return nil }
            value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
        }
        return value
    }

    /// - Parameter letter: a capital.
    private static func isLetter(_ byte: UInt8, _ letter: Unicode.Scalar) -> Bool {
        byte & ~0x20 == UInt8(ascii: letter)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

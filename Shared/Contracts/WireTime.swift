import FoundationEssentials

/// Times on the wire, by hand where they look as usual: Foundation's parser and formatter take many times as long.
enum WireTime {
    /// Milliseconds since 1970 of the years 1600 to 9999. Before, Foundation's calendar is the Julian one for some centuries.
    static let range = -11_676_096_000_000.0...253_402_300_799_999.0

    static func day(ofMilliseconds total: Int) -> (days: Int, milliseconds: Int) {
        let (days, rest) = total.quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? (days - 1, rest + 86_400_000) : (days, rest)
    }

    static func foundationText(milliseconds: Double) -> String {
        // A little more, since the format truncates.
        Date(timeIntervalSince1970: milliseconds / 1000 + 0.000_01)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The very value that Foundation gives; nil for everything but `2026-01-31T12:00:00Z` and `2026-01-31T12:00:00.000Z`.
    static func usualDate(_ text: UnsafeBufferPointer<UInt8>) -> Date? {
        guard text.count == 20 || text.count == 24, text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
            text[16] == UInt8(ascii: ":"), text[text.count - 1] == UInt8(ascii: "Z"),
            let day = CivilDate(utf8: UnsafeBufferPointer(rebasing: text[..<10])),
            let hour = number(text, 11..<13), hour < 24, let minute = number(text, 14..<16), minute < 60,
            let second = number(text, 17..<19), second < 60
        else { return nil }
        var milliseconds = 0
        if text.count == 24 {
            guard text[19] == UInt8(ascii: "."), let fraction = number(text, 20..<23) else { return nil }
            milliseconds = fraction
        }
        let seconds = day.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second
        guard range.contains(Double(seconds) * 1000) else { return nil }
        // Counted from 2001 as `Date` does, since adding the fraction to another whole number rounds it another way.
        return Date(timeIntervalSinceReferenceDate: Double(seconds - 978_307_200) + Double(milliseconds) / 1000)
    }

    /// nil unless there are only digits in the range.
    static func number(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}

import Basics
public import Foundation

/// A day of the proleptic Gregorian calendar without a time zone, `YYYY-MM-DD` on the wire; years 0001 to 9999.
public struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01; negative before it.
    public let daysSinceEpoch: Int

    static let range = -719_162...2_932_896

    public init(daysSinceEpoch: Int) {
        precondition(Self.range.contains(daysSinceEpoch), "a civil date has a year of 1 to 9999")
        self.daysSinceEpoch = daysSinceEpoch
    }

    /// The UTC day that `date` falls on; the first or last there is for what lies outside, the first for what is no number.
    public init(_ date: Date) {
        let days = (date.timeIntervalSince1970 / 86_400).rounded(.down)
        self.init(daysSinceEpoch: Int(min(max(Double(Self.range.lowerBound), days), Double(Self.range.upperBound))))
    }

    /// The day that `date` falls on in a time zone.
    public init(_ date: Date, in zone: TimeZone) {
        self.init(date.addingTimeInterval(Double(zone.secondsFromGMT(for: date))))
    }

    /// nil unless the three make a real day (no 30 February).
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= GregorianCalendar.daysIn(month: month, year: year)
        else { return nil }
        self.daysSinceEpoch = GregorianCalendar.daysSince1970(year: year, month: month, day: day)
    }

    /// nil unless `text` is exactly `YYYY-MM-DD` and a real day.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let date = text.withUTF8(CivilDate.init(utf8:)) else { return nil }
        self = date
    }

    init?(utf8 text: UnsafeBufferPointer<UInt8>) {
        guard text.count == 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            let year = WireTime.number(text, 0..<4), let month = WireTime.number(text, 5..<7),
            let day = WireTime.number(text, 8..<10)
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Midnight UTC at the start of the day.
    public var startOfDay: Date { Date(timeIntervalSince1970: Double(daysSinceEpoch) * 86_400) }

    /// The first moment of the day in a time zone, which is later than midnight where the clocks are put forward then.
    public func startOfDay(in zone: TimeZone) -> Date {
        let moments = [-1.0, 1.0].map { day in
            startOfDay.addingTimeInterval(
                -Double(zone.secondsFromGMT(for: startOfDay.addingTimeInterval(day * 86_400))))
        }.sorted()
        return moments.first { CivilDate($0, in: zone) == self } ?? moments[1]
    }

    /// Stops at the calendar's first and last day, since clients may send a date near either.
    public func adding(days: Int) -> CivilDate {
        let (sum, overflow) = daysSinceEpoch.addingReportingOverflow(days)
        let day = overflow ? (days > 0 ? Int.max : Int.min) : sum
        return CivilDate(daysSinceEpoch: min(max(day, Self.range.lowerBound), Self.range.upperBound))
    }

    public static func < (left: Self, right: Self) -> Bool { left.daysSinceEpoch < right.daysSinceEpoch }

    public var description: String {
        var writer = LineWriter()
        writer.append(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Year, month 1…12 and day 1…31.
    public var components: (year: Int, month: Int, day: Int) { GregorianCalendar.date(daysSince1970: daysSinceEpoch) }
}

extension CivilDate: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let date = CivilDate(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be a date like 2026-01-31")
        }
        self = date
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension CivilDate: DecodingPlaceholder {
    public static var decodingPlaceholder: CivilDate { CivilDate(daysSinceEpoch: 0) }
}

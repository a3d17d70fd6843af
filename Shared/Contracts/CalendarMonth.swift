public import Foundation

/// A calendar month in UTC.
public struct CalendarMonth: Hashable, Sendable, CustomStringConvertible {
    /// Months since the year 0.
    private let number: Int

    private init(number: Int) { self.number = number }

    /// The month that a moment falls in.
    public init(_ moment: Date) {
        let (year, month, _) = CivilDate(moment).components
        number = 12 * year + month - 1
    }

    /// Every month that has part of a span.
    public static func all(in span: Range<Date>) -> [CalendarMonth] {
        guard !span.isEmpty else { return [] }
        return (CalendarMonth(span.lowerBound).number...CalendarMonth(span.upperBound).number)
            .map(CalendarMonth.init(number:))
            .filter { $0.span.overlaps(span) }
    }

    /// From its first moment to that of the next month.
    public var span: Range<Date> { Self.start(of: number)..<Self.start(of: number + 1) }

    /// `YYYY-MM`.
    public var description: String { String(CivilDate(Self.start(of: number)).description.prefix(7)) }

    /// Later than any moment where the calendar has no such month.
    private static func start(of number: Int) -> Date {
        CivilDate(year: number / 12, month: number % 12 + 1, day: 1)?.startOfDay
            ?? Date(timeIntervalSince1970: .greatestFiniteMagnitude)
    }
}

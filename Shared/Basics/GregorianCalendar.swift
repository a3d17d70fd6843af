/// The proleptic Gregorian calendar in whole days; year 0 is 1 BC. After Howard Hinnant, "chrono-compatible low-level
/// date algorithms" (`civil_from_days`, `days_from_civil`).
public enum GregorianCalendar {
    /// - Parameter days: since 1970-01-01; negative before it.
    /// - Returns: month 1…12 and day 1…31.
    @inlinable
    public static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = flooredDivision(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// - Parameters:
    ///   - month: 1…12.
    ///   - day: 1…31; a day that the month does not have counts on into the next month.
    @inlinable
    public static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let (era, yearOfEra) = flooredDivision(month <= 2 ? year - 1 : year, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    public static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Rounds the quotient down, so that the remainder is 0 ..< divisor before 1970 as well.
    @inlinable
    public static func flooredDivision(_ value: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

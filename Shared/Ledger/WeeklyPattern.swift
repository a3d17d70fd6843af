/// Minutes of work agreed for each day of a week.
public struct WeeklyPattern: Hashable, Sendable {
    /// Monday first; the eighth lane is not used. A vector, so that a pattern needs no memory of its own.
    private let lanes: SIMD8<Int32>

    /// - Parameter minutes: Monday to Sunday; what is missing is 0, and each is kept within 0 and the most of a day.
    public init(mondayToSunday minutes: [Int]) {
        var lanes = SIMD8<Int32>(repeating: 0)
        for (weekday, minutes) in minutes.prefix(7).enumerated() {
            lanes[weekday] = Int32(min(max(0, minutes), Minutes.mostOfDay))
        }
        self.lanes = lanes
    }

    /// Five equal days, Monday to Friday, whose minutes add up to the week's.
    public init(weeklyHours: Double) {
        let week = min(Minutes.of(hours: weeklyHours), 5 * Minutes.mostOfDay)
        self.init(mondayToSunday: Apportionment.evenly(week, parts: 5))
    }

    public static let none = WeeklyPattern(mondayToSunday: [])

    /// - Parameter weekday: 0 for Monday to 6 for Sunday.
    public subscript(weekday: Int) -> Int { Int(lanes[weekday]) }

    public var mondayToSunday: [Int] { (0..<7).map { self[$0] } }
    public var weeklyMinutes: Int { mondayToSunday.reduce(0, +) }
}

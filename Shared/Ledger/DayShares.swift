/// Shares of a person's days that bookings take by percentage, summed up before they become whole minutes: rounded one by one, a quarter
/// and three quarters of an odd day would be more than the day. Place 0 is a window's first day.
struct DayShares: Sendable {
    /// In millionths of a minute: whole numbers, so that the order of the bookings does not matter.
    private var hard: [Int]
    private var soft: [Int]

    private static let parts = 1_000_000

    init(days: Int = 0) {
        hard = Array(repeating: 0, count: days)
        soft = hard
    }

    mutating func clear() {
        for place in hard.indices {
            hard[place] = 0
            soft[place] = 0
        }
    }

    /// Adds one booking's share of a day, in minutes.
    /// - Returns: by how many whole minutes the day's sum has grown, less than one away from the share.
    mutating func add(_ share: Double, at place: Int, isHard: Bool) -> Int {
        isHard ? Self.add(share, to: &hard[place]) : Self.add(share, to: &soft[place])
    }

    private static func add(_ share: Double, to sum: inout Int) -> Int {
        let before = whole(sum)
        sum += millionths(share)
        return whole(sum) - before
    }

    /// The whole minutes of a share that stands alone; halves count as a minute.
    static func minutes(_ share: Double) -> Int { whole(millionths(share)) }

    private static func millionths(_ share: Double) -> Int { Int((share * Double(parts)).rounded()) }
    private static func whole(_ millionths: Int) -> Int { (millionths + parts / 2) / parts }
}

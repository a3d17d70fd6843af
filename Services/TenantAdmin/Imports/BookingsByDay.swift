import Contracts
import Ledger

/// A person's bookings in order of their first days, so that those which may share a day with one are found without a look at all.
struct BookingsByDay {
    private let bookings: [Booking]
    /// Of each, the latest last day up to it.
    private let latest: [CivilDate]
    private let byID: [AllocationID: Booking]

    init(_ bookings: [Booking]) {
        self.bookings = bookings.sorted { $0.first < $1.first }
        var latest: [CivilDate] = []
        for booking in self.bookings {
            let last = Self.last(booking)
            latest.append(latest.last.map { max($0, last) } ?? last)
        }
        self.latest = latest
        byID = Dictionary(bookings.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    subscript(id: AllocationID) -> Booking? { byID[id] }

    /// Those that may share a day with the booking, which is one of them where it is among these.
    func meeting(_ booking: Booking) -> [Booking] {
        let last = Self.last(booking)
        var (low, high) = (0, bookings.count)
        while low < high {
            let middle = (low + high) / 2
            if bookings[middle].first <= last { low = middle + 1 } else { high = middle }
        }
        var found: [Booking] = []
        for place in stride(from: low - 1, through: 0, by: -1) {
            guard booking.first <= latest[place] else { break }
            if booking.first <= Self.last(bookings[place]) { found.append(bookings[place]) }
        }
        return found.reversed()
    }

    private static func last(_ booking: Booking) -> CivilDate { booking.last ?? PlanningWatch.lastDay }
}

import Contracts

/// The part of a booking that is outside the person's employment.
public struct Orphan: Hashable, Sendable {
    public let booking: Booking
    /// From the first to the last day with orphaned minutes.
    public let days: DayWindow
    public let minutes: Int

    /// nil when there is no such part in the window, or the booking does not count.
    public init?(_ booking: Booking, _ time: WorkingTime, in window: DayWindow) {
        guard booking.standing != nil, !time.spells.isEmpty else { return nil }
        var (minutes, first, last): (Int, CivilDate?, CivilDate?) = (0, nil, nil)
        time.forEachDay(of: booking, in: window) { day, _, share, fate in
            guard fate == .orphaned, share > 0 else { return }
            minutes += share
            first = first ?? day
            last = day
        }
        guard let first, let last else { return nil }
        self.booking = booking
        self.minutes = minutes
        days = DayWindow(first, last)
    }
}

import Contracts
import Foundation

/// One person's bookings, the unfinished apart: a question about today looks at those and not at all the person ever did.
struct PersonBookings: Sendable {
    private var open: [AllocationID: KnownBooking] = [:]
    private var finished: [AllocationID: KnownBooking] = [:]
    /// None in `finished` was completed, or reassigned to another person, later.
    private var lastCompletion = Date.distantPast
    /// None in `finished` was decided, or edited, later.
    private var lastDecision = Date.distantPast

    var count: Int { open.count + finished.count }

    subscript(id: AllocationID) -> KnownBooking? {
        get { open[id] ?? finished[id] }
        set {
            if let over = newValue?.overSince {
                open[id] = nil
                finished[id] = newValue
                lastCompletion = max(lastCompletion, over)
                lastDecision = max(lastDecision, newValue?.settledAt ?? .distantPast)
            } else {
                open[id] = newValue
                finished[id] = nil
            }
        }
    }

    /// After this moment every booking is known as it is now: decided, edited, and finished if it ever was.
    var settledAt: Date {
        max(open.values.map(\.settledAt).max() ?? .distantPast, lastDecision, lastCompletion)
    }

    /// The bookings that the person has finished, without those reassigned before their end.
    func forEachFinished(_ body: (KnownBooking, _ completedAt: Date) -> Void) {
        for booking in finished.values { if let finishedAt = booking.finishedAt { body(booking, finishedAt) } }
    }

    /// The person's bookings that are not finished, cancelled ones among them.
    var openIDs: some Collection<AllocationID> { open.keys }

    /// Whether the person had finished any by a moment.
    func hasFinished(by moment: Date) -> Bool {
        finished.values.contains { $0.finishedAt.map { $0 < moment } ?? false }
    }

    /// Calls `body` with all that may load the person from a day on, as known at a moment; some that does not may be among it.
    func forEach(at moment: Date, from day: CivilDate, _ body: (AllocationID, KnownBooking) -> Void) {
        for (id, booking) in open { body(id, booking) }
        // The completion day is loaded, and in some time zone it is still the day before.
        guard lastCompletion >= min(moment, day.adding(days: -1).startOfDay) else { return }
        for (id, booking) in finished { body(id, booking) }
    }
}

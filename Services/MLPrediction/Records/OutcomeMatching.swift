import Contracts
import Forecasting
import Foundation

/// A prediction whose outcome is not known yet, or known from a booking: person, project and plan as decided; as asked about when no decision is recorded.
struct OpenPrediction: Sendable {
    let id: PredictionID
    let employee: EmployeeID
    let project: ProjectID
    let plannedHours: Double?
    /// Whether that is not what was asked about, so that its outcome is none of the prediction's own.
    let isOtherWork: Bool
    /// The moment it was asked as of.
    let asOf: Date
    let createdAt: Date
    /// How many questions of the same request stand before it that ask about the same person, project and plan: each is about another
    /// piece of work.
    var place = 0
    /// What was taken from a booking before; nil where nothing was.
    var taken: BookingOutcome?
}

/// What a booking tells of a prediction.
struct BookingOutcome: Sendable {
    let booking: AllocationID
    /// When the work was decided on.
    let decidedAt: Date
    let actual: PredictionActual

    /// To the millisecond, in which moments are kept.
    static func areSame(_ one: BookingOutcome?, _ other: BookingOutcome?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return one.booking == other.booking && one.actual.actualHours == other.actual.actualHours
            && abs(one.actual.completedAt.timeIntervalSince(other.actual.completedAt)) < 0.001
    }
}

/// Finds the booking that a prediction was asked about, and what came of it.
///
/// A question names no booking, since it is asked before there is one. The booking is the first of the same person on the
/// same project that was decided at the question or up to thirty days after it, not finished when it was asked and, where the
/// question had a plan, planned the same; where there is none, the last that was decided up to a day before. An unfinished booking
/// is waited for: the outcome of a later one that took less time is not that of this one. Of equal questions of one request the
/// second has the second of these bookings, and so on.
enum OutcomeMatching {
    private static let before = 86_400.0
    /// Seconds from the question to the decision on the booking, at most.
    static let after = 30 * 86_400.0

    static func outcome(of prediction: OpenPrediction, in knowledge: TenantKnowledge) -> BookingOutcome? {
        let asked = prediction.asOf.timeIntervalSince1970
        let day = CivilDate(prediction.asOf, in: knowledge.zone).startOfDay(in: knowledge.zone).timeIntervalSince1970
        let candidates = bookings(of: prediction, in: knowledge).filter { booking in
            guard booking.decidedAt >= asked - before, booking.decidedAt <= asked + after,
                (booking.completedAt ?? .infinity) > asked
            else { return false }
            return prediction.plannedHours.map { abs($0 - booking.plannedHours) <= 0.01 * $0 } ?? true
        }.sorted { ($0.decidedAt, $0.id) < ($1.decidedAt, $1.id) }
        // Files may name the day of a decision only: on the day of the question it was no earlier than the question.
        let later = candidates.filter { $0.decidedAt >= asked || $0.decidedAt == day }
        let inOrder = later.isEmpty ? candidates.reversed() : later
        guard prediction.place < inOrder.count else { return nil }
        let booking = inOrder[prediction.place]
        guard let id = AllocationID(booking.id), let hours = booking.actualHours,
            let completed = booking.completedAt
        else { return nil }
        return BookingOutcome(
            booking: id, decidedAt: Date(timeIntervalSince1970: booking.decidedAt),
            actual: PredictionActual(actualHours: hours, completedAt: Date(timeIntervalSince1970: completed)))
    }

    /// Those of the person on the project that are finished with recorded hours, and those that may still be.
    private static func bookings(
        of prediction: OpenPrediction, in knowledge: TenantKnowledge
    ) -> [Forecasting.Allocation] {
        let (history, project) = (knowledge.history, prediction.project.description)
        let open = knowledge.bookings[prediction.employee]?.openIDs.compactMap { id in
            history.allocation(id: id.description).flatMap {
                $0.project == project && $0.cancelledAt == nil ? $0 : nil
            }
        }
        return history.finished(employee: prediction.employee.description, project: project) + (open ?? [])
    }
}

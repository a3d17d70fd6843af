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

/// Finds the finished booking that a prediction was asked about.
///
/// A question names no booking, since it is asked before there is one. The booking is the first of the same person on the
/// same project that was decided from a day before the question to thirty days after it, not finished when it was asked
/// and, where the question had a plan, planned the same.
enum OutcomeMatching {
    private static let before = 86_400.0
    /// Seconds from the question to the decision on the booking, at most.
    static let after = 30 * 86_400.0

    static func outcome(of prediction: OpenPrediction, in history: History) -> BookingOutcome? {
        let asked = prediction.asOf.timeIntervalSince1970
        let booking = history.finished(
            employee: prediction.employee.description, project: prediction.project.description
        ).filter { booking in
            guard booking.decidedAt >= asked - before, booking.decidedAt <= asked + after,
                let completed = booking.completedAt, completed > asked
            else { return false }
            return prediction.plannedHours.map { abs($0 - booking.plannedHours) <= 0.01 * $0 } ?? true
        }.min { ($0.decidedAt, $0.id) < ($1.decidedAt, $1.id) }
        guard let booking, let id = AllocationID(booking.id), let hours = booking.actualHours,
            let completed = booking.completedAt
        else { return nil }
        return BookingOutcome(
            booking: id, decidedAt: Date(timeIntervalSince1970: booking.decidedAt),
            actual: PredictionActual(actualHours: hours, completedAt: Date(timeIntervalSince1970: completed)))
    }
}

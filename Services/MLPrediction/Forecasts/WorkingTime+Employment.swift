import Contracts
import Ledger

// When a person can be given work.

extension WorkingTime {
    /// Why no work that begins on `first` can be planned with the person, after the field's name; nil when it can.
    ///
    /// Records state only for today whether a person is on hold, so for past moments employment decides.
    func refusal(from first: CivilDate, decidedOn day: CivilDate, today: CivilDate) -> String? {
        if !isEmployed(within: DayWindow(first, .latest)) {
            let last = spells.compactMap(\.to).max()
            return "has left" + (last.map { ": \($0) was the last day" } ?? "") + ", before the work would begin"
        }
        if isHeld(on: first), day >= today { return "is not active" }
        return nil
    }

    /// Whether the person is there for the whole of the window.
    func isAvailable(throughout window: DayWindow, decidedOn day: CivilDate, today: CivilDate) -> Bool {
        if isHeld(on: window.last), day >= today { return false }
        return isEmployed(throughout: window)
    }

    /// What a planner should know before giving the person work in the window.
    /// - Parameters:
    ///   - present: the days of it between which the person is there.
    ///   - gaps: the days between two spells of employment within `present`.
    ///   - heldFrom: the day from which the person is on hold.
    static func warnings(
        _ present: DayWindow?, gaps: [DayWindow] = [], in window: DayWindow, heldFrom: CivilDate? = nil
    ) -> [String] {
        guard let present else { return [] }
        var warnings: [String] = []
        if present.first > window.first {
            warnings.append("The person is hired on \(present.first), after the work begins on \(window.first).")
        }
        warnings += gaps.map { "The person is not employed from \($0.first) to \($0.last), while the work goes on." }
        if present.last < window.last {
            warnings.append("The person's last day is \(present.last), before the work ends on \(window.last).")
        }
        if let heldFrom, heldFrom > window.first, heldFrom <= present.last {
            warnings.append("The person is on hold from \(heldFrom), before the work ends on \(window.last).")
        }
        return warnings
    }
}

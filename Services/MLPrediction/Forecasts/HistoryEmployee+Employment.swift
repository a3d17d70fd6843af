import Contracts

// When a person can be given work. `leftOn` is the first day on which nobody is there any more.

extension HistoryEmployee {
    /// Why no work that begins on `first` can be planned with the person, after the field's name; nil when it can.
    ///
    /// Records say only of today whether somebody is active, so for past moments the dates decide.
    func refusal(from first: CivilDate, decidedOn day: CivilDate, today: CivilDate) -> String? {
        if let leftOn, leftOn <= first { return "has left on \(leftOn), before the work would begin" }
        if !isActive && day >= today { return "is not active" }
        return nil
    }

    /// Whether the person is there for the whole of the window.
    func isAvailable(throughout window: WorkWindow, decidedOn day: CivilDate, today: CivilDate) -> Bool {
        if let hiredOn, hiredOn > window.first { return false }
        if let leftOn, leftOn <= window.last { return false }
        return isActive || day < today
    }

    /// The part of the window in which the person is there; nil when there is none.
    func employed(in window: WorkWindow) -> WorkWindow? {
        let first = max(window.first, hiredOn ?? window.first)
        let last = min(window.last, leftOn?.adding(days: -1) ?? window.last)
        return first <= last ? WorkWindow(first: first, last: last) : nil
    }

    /// What a planner should know before giving the person work in the window.
    func warnings(in window: WorkWindow) -> [String] {
        var warnings: [String] = []
        if let hiredOn, hiredOn > window.first {
            warnings.append("The person is hired on \(hiredOn), after the work begins on \(window.first).")
        }
        if let leftOn, leftOn <= window.last {
            warnings.append("The person leaves on \(leftOn), before the work ends on \(window.last).")
        }
        return warnings
    }
}

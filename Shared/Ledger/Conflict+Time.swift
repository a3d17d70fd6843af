import Contracts

extension Booking {
    /// Employment, hold and leave on the days that are to be worked.
    func timeConflicts(_ time: WorkingTime, _ account: BookingAccount, _ days: DayWindow) -> [Conflict] {
        let checked = TimeOfDays(self, time, days)
        return checked.runs { $0 == .outside }.map { run in
            var conflict = Conflict(.outsideEmployment, run.days)
            conflict.minutes = run.minutes
            return conflict
        } + noTime(time, account, days) + (time.neverEnds(self) ? [Conflict(.hoursNeverEnd, days)] : [])
            + checked.runs { $0 == .onLeave }.map { Conflict(.onLeave, $0.days) }
            + held(time, days)
    }

    private func noTime(_ time: WorkingTime, _ account: BookingAccount, _ days: DayWindow) -> [Conflict] {
        guard account.workingMinutes == 0, effort.way != .nothing else { return [] }
        var conflict = Conflict(.noWorkingTime, days)
        if case .minutes(let minutes) = time.extent(of: self).way, minutes > 0 { conflict.minutes = minutes }
        return [conflict]
    }

    private func held(_ time: WorkingTime, _ days: DayWindow) -> [Conflict] {
        guard let held = time.heldFrom, held <= days.last else { return [] }
        return [Conflict(.personOnHold, DayWindow(max(held, days.first), days.last))]
    }
}

/// What each day of a booking is for the person.
private struct TimeOfDays {
    enum Kind {
        case working
        /// No working day by the pattern or the calendar.
        case idle
        case onLeave
        case outside
    }

    private let window: DayWindow
    private var kinds: [Kind] = []
    private var minutes: [Int] = []

    init(_ booking: Booking, _ time: WorkingTime, _ window: DayWindow) {
        self.window = window
        var withLeave = DayGrid()
        withLeave.fill(time, first: window.first.daysSinceEpoch, last: window.last.daysSinceEpoch)
        var without = DayGrid()
        without.fill(
            WorkingTime(spells: time.spells, contracts: time.contracts), first: window.first.daysSinceEpoch,
            last: window.last.daysSinceEpoch)
        kinds = (0..<window.count).map { place in
            if !withLeave.isEmployed[place] { return .outside }
            if withLeave.nominal[place] > 0 { return .working }
            return without.nominal[place] > 0 ? .onLeave : .idle
        }
        minutes = Array(repeating: 0, count: window.count)
        time.forEachDay(of: booking, in: window) { day, _, share, fate in
            if fate == .orphaned { minutes[window.index(of: day)] = share }
        }
    }

    /// Stretches of days of a kind; idle days within one do not part it.
    func runs(_ isWanted: (Kind) -> Bool) -> [(days: DayWindow, minutes: Int)] {
        var runs: [(days: DayWindow, minutes: Int)] = []
        var first: Int?
        var last = 0
        func close() {
            guard let start = first else { return }
            runs.append((DayWindow(window.day(start), window.day(last)), minutes[start...last].reduce(0, +)))
            first = nil
        }
        for (place, kind) in kinds.enumerated() {
            if isWanted(kind) {
                first = first ?? place
                last = place
            } else if kind != .idle {
                close()
            }
        }
        close()
        return runs
    }
}

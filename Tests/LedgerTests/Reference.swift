import Contracts
import Ledger

/// The definitions of `docs/planning.md` word by word, day by day, without any of the ledger's arrays.
struct Reference {
    let time: WorkingTime

    func isEmployed(_ day: CivilDate) -> Bool {
        time.spells.isEmpty
            || time.spells.contains { spell in
                spell.from.map { $0 <= day } ?? true && spell.to.map { day <= $0 } ?? true
            }
    }

    func capacity(_ day: CivilDate) -> Int { isEmployed(day) ? nominal(day) : 0 }

    /// The capacity as though the employment reached over the day.
    func nominal(_ day: CivilDate) -> Int {
        guard let contract = contract(nearestEmployed(day)) else { return 0 }
        var minutes = contract.pattern[(day.daysSinceEpoch % 7 + 7 + 3) % 7]
        for holiday in contract.calendar?.holidays ?? [] where holiday.date == day {
            minutes -= off(holiday.off)
        }
        for leave in time.leave where leave.isApproved && leave.days.contains(day) { minutes -= off(leave.off) }
        return max(0, minutes)
    }

    private func off(_ off: TimeOff) -> Int {
        switch off {
        case .wholeDay: 1_440
        case .minutes(let minutes): minutes
        }
    }

    private func contract(_ day: CivilDate) -> Contract? {
        time.contracts.last { $0.from.map { $0 <= day } ?? true } ?? time.contracts.first
    }

    /// The day itself, or the end of the spell before it or the start of the one after it, whichever is nearer.
    private func nearestEmployed(_ day: CivilDate) -> CivilDate {
        if isEmployed(day) { return day }
        let edges =
            time.spells.compactMap(\.to).filter { $0 < day } + time.spells.compactMap(\.from).filter { $0 > day }
        func distance(_ edge: CivilDate) -> Int { abs(edge.daysSinceEpoch - day.daysSinceEpoch) }
        return edges.min { (distance($0), $0) < (distance($1), $1) } ?? day
    }

    /// By the booking's own days; what is asked about does not come into it.
    func minutes(_ booking: Booking, last: CivilDate) -> [CivilDate: Int] {
        let days = (0...(last.daysSinceEpoch - booking.first.daysSinceEpoch)).map { booking.first.adding(days: $0) }
        let nominal = days.map(nominal)
        switch way(booking) {
        case .nothing: return [:]
        case .percentage(let percentage):
            return table(days, nominal.map { Int((Double($0) * (percentage / 100)).rounded()) })
        case .minutesPerDay(let minutes): return table(days, nominal.map { $0 > 0 ? minutes : 0 })
        case .minutes(let minutes):
            let whole = nominal.reduce(0, +)
            guard whole > 0 else { return [booking.first: minutes] }
            var shares = nominal.map { minutes * $0 / whole }
            let order = days.indices.sorted { left, right in
                let (a, b) = (minutes * nominal[left] % whole, minutes * nominal[right] % whole)
                return a == b ? left < right : a > b
            }
            for index in order.prefix(minutes - shares.reduce(0, +)) { shares[index] += 1 }
            return table(days, shares)
        }
    }

    /// As stated, but hours without an end that are not done in twenty years count at their pace.
    func way(_ booking: Booking) -> Effort.Way {
        guard case .minutes(let minutes) = booking.effort.way, booking.last == nil, minutes > 0 else {
            return booking.effort.way
        }
        let perDay = booking.effort.minutesPerDay.flatMap { $0 > 0 ? $0 : nil }
        let percentage = booking.effort.percentage.flatMap { $0 > 0 ? $0 : nil } ?? 100
        let worked = (0..<BookingLimits.longestDays).map { nominal(booking.first.adding(days: $0)) }.filter { $0 > 0 }
        let done = worked.reduce(0.0) { $0 + (perDay.map(Double.init) ?? Double($1) * percentage / 100) }
        guard !worked.isEmpty, done < Double(minutes) - 1e-3 else { return .minutes(minutes) }
        return perDay.map { .minutesPerDay($0) } ?? .percentage(percentage)
    }

    private func table(_ days: [CivilDate], _ minutes: [Int]) -> [CivilDate: Int] {
        Dictionary(uniqueKeysWithValues: zip(days, minutes))
    }
}

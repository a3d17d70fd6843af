public import Contracts

/// What is amiss with a booking: returned as a warning by every write.
public struct Conflict: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// This booking and the other `bookings` are more than the person's capacity, by `minutes`.
        case overCapacity = "over_capacity"
        /// The person is not employed on these days; `minutes` do not count as load.
        case outsideEmployment = "outside_employment"
        /// Approved leave leaves no time on these days.
        case onLeave = "on_leave"
        /// The whole booking has no working day; `minutes` of one stated in hours stand on its first day, other efforts take nothing.
        case noWorkingTime = "no_working_time"
        /// Hours without an end that are not worked off within the longest time that a booking may have: it counts at its pace.
        case hoursNeverEnd = "hours_never_end"
        /// No work should be planned with the person on these days.
        case personOnHold = "person_on_hold"
        /// The project is completed or cancelled.
        case projectClosed = "project_closed"
        /// These days are before the project's start or after its end.
        case outsideProject = "outside_project_dates"
        /// Another booking of the person is on the same project on these days.
        case sameProjectTwice = "same_project_twice"
        case skillMissing = "skill_missing"
        /// The person has the skill below `level`, or at an unknown level.
        case levelTooLow = "level_too_low"
        /// Hours, or hours a day, and another statement of the effort differ by more than a tenth; the hours count.
        case effortStatedTwice = "effort_stated_twice"
        /// No effort is stated, so that the booking takes nothing.
        case effortNotStated = "effort_not_stated"
    }

    public let kind: Kind
    public let from: CivilDate
    /// For a booking without an end the last day that was looked at.
    public let to: CivilDate
    /// Over, orphaned, standing on a day without working time, or what the other statement of the effort would mean.
    public var minutes: Int?
    /// `soft` when only soft bookings make it too much.
    public var commitment: Commitment?
    /// The bookings that take part, this one among them.
    public var bookings: [AllocationID] = []
    public var skill: SkillID?
    /// The required level.
    public var level: Int?

    init(_ kind: Kind, _ days: DayWindow) {
        self.kind = kind
        self.from = days.first
        self.to = days.last
    }
}

/// What is amiss with `booking` of `person`: the one function for writes, imports and reports. See `docs/planning.md#warnings-and-dry-runs`.
/// - Parameter others: the person's other bookings; those that do not meet this one, and this one as it was, do no harm.
/// - Returns: nothing for a cancelled booking, and for one that was completed before it began: it takes nothing of anybody.
public func conflicts(of booking: Booking, person: Person, others: [Booking]) -> [Conflict] {
    guard !booking.isCancelled, !booking.isCompletedBeforeStart else { return [] }
    let others = others.filter { $0.id != booking.id }
    let account = person.time.account(of: booking)
    let days = booking.daysToCheck(person.time)
    return booking.effortConflicts(account, days)
        + booking.timeConflicts(person.time, account, days)
        + booking.projectConflicts(days)
        + booking.overCapacityConflicts(person.time, others, booking.daysToLoad(person.time, others, days))
        + booking.sameProjectConflicts(person.time, others, days)
        + booking.skillConflicts(person, days)
}

extension WorkingTime {
    /// Whether no day of the booking is a day of employment: such a booking is refused.
    public func isWhollyOutside(_ booking: Booking) -> Bool {
        let extent = extent(of: booking)
        return !isEmployed(within: DayWindow(extent.first, extent.last ?? .latest))
    }
}

extension Booking {
    /// The days that it loads; of a booking without an end those of a year, of one longer than any that is taken today those of
    /// twenty years.
    fileprivate func daysToCheck(_ time: WorkingTime) -> DayWindow {
        let extent = time.extent(of: self)
        let last = extent.last ?? first.adding(days: WorkingTime.daysOfEndless - 1)
        return DayWindow(first, min(last, completed ?? .latest, first.adding(days: BookingLimits.longestDays - 1)))
    }

    /// As ``daysToCheck(_:)``; of a booking without an end also the days on which others begin or end, or another contract begins, after
    /// that year, so that what is booked in later years is heeded.
    fileprivate func daysToLoad(_ time: WorkingTime, _ others: [Booking], _ days: DayWindow) -> DayWindow {
        guard time.extent(of: self).last == nil else { return days }
        let changes = others.flatMap { [$0.first, time.extent(of: $0).last] } + time.contracts.map(\.from)
        // A week more, so that one week under the new conditions is among the days.
        let last = (changes.compactMap { $0 }.max() ?? days.last).adding(days: 6)
        return DayWindow(first, min(max(days.last, last), first.adding(days: BookingLimits.longestDays - 1)))
    }

    fileprivate func effortConflicts(_ account: BookingAccount, _ days: DayWindow) -> [Conflict] {
        if effort.way == .nothing { return [Conflict(.effortNotStated, days)] }
        let perDay = effort.minutesPerDay.map { Double($0 * account.workingDays) }
        let share = effort.percentage.map { Double(account.workingMinutes) * $0 / 100 }
        let (counted, others): (Double, [Double?]) =
            switch effort.way {
            // What a length was derived from cannot contradict it.
            case .minutes(let minutes): (Double(minutes), last == nil ? [] : [perDay, share])
            case .minutesPerDay: (perDay ?? 0, [share])
            case .percentage, .nothing: (0, [])
            }
        return others.compactMap { $0 }
            .filter { abs($0 - counted) > counted / 10 }.prefix(1)
            .map { other in
                var conflict = Conflict(.effortStatedTwice, days)
                conflict.minutes = Int(other.rounded())
                return conflict
            }
    }

    fileprivate func projectConflicts(_ days: DayWindow) -> [Conflict] {
        let isClosed = project.status == .cancelled || (project.status == .completed && completed == nil)
        var conflicts = isClosed ? [Conflict(.projectClosed, days)] : []
        if let start = project.first, days.first < start {
            conflicts.append(Conflict(.outsideProject, DayWindow(days.first, min(days.last, start.adding(days: -1)))))
        }
        if let end = project.last, days.last > end {
            conflicts.append(Conflict(.outsideProject, DayWindow(max(days.first, end.adding(days: 1)), days.last)))
        }
        return conflicts
    }

    /// A hard booking is judged by the hard ones, a soft one by all.
    fileprivate func overCapacityConflicts(
        _ time: WorkingTime, _ others: [Booking], _ window: DayWindow
    ) -> [Conflict] {
        guard let standing else { return [] }
        let all = others + [self]
        var days = PersonDays(window)
        days.reckon(time, all)
        let hard = days.overCapacity(all).filter { $0.bookings.contains(id) }
        let soft = standing == .soft ? days.overCapacity(all, withSoft: true).filter { $0.bookings.contains(id) } : []
        return (standing == .hard ? hard : soft).map { period in
            var conflict = Conflict(.overCapacity, DayWindow(period.from, period.to))
            conflict.minutes = period.over
            conflict.commitment = standing
            conflict.bookings = period.bookings
            return conflict
        }
    }

    fileprivate func sameProjectConflicts(
        _ time: WorkingTime, _ others: [Booking], _ days: DayWindow
    ) -> [Conflict] {
        guard standing != nil else { return [] }
        return others.compactMap { other in
            guard other.project.id == project.id, other.standing != nil, other.first <= days.last,
                !other.isCompletedBeforeStart,
                let common = other.daysToCheck(time).overlap(with: days)
            else { return nil }
            var conflict = Conflict(.sameProjectTwice, common)
            conflict.bookings = [other.id, id]
            return conflict
        }
    }

    /// Work begins with the skills that the person has by its first day.
    fileprivate func skillConflicts(_ person: Person, _ days: DayWindow) -> [Conflict] {
        requiredSkills.compactMap { required in
            let held = person.skills.filter { $0.skill == required.skill && $0.isHeld(on: first) }
            let isEnough = held.contains { held in required.level.map { (held.level ?? 0) >= $0 } ?? true }
            guard !isEnough else { return nil }
            var conflict = Conflict(held.isEmpty ? .skillMissing : .levelTooLow, days)
            conflict.skill = required.skill
            conflict.level = required.level
            return conflict
        }
    }
}

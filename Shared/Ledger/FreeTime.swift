extension PersonDays {
    /// Whether so many minutes are free on these days together.
    public func hasFree(minutes: Int, in places: Range<Int>) -> Bool { free(places) >= minutes }

    /// Whether this share of the capacity is free on every working day of these days, on all of which one may plan with the person.
    public func hasFree(percentage: Double, in places: Range<Int>) -> Bool {
        places.allSatisfy { isFree(percentage, at: $0) } && places.contains { capacity[$0] > 0 }
    }

    /// The earliest days of the window on which so many minutes are free: from the first that has free time until they are done.
    public func earliest(minutes: Int) -> DayWindow? {
        var first: Int?
        var left = minutes
        for place in capacity.indices {
            let free = free(at: place)
            guard free > 0 else { continue }
            first = first ?? place
            left -= free
            if left <= 0, let first { return DayWindow(window.day(first), window.day(place)) }
        }
        return nil
    }

    /// The earliest `days` days in a row for which ``hasFree(percentage:in:)`` holds, from a working day on.
    public func earliest(percentage: Double, days: Int) -> DayWindow? {
        var length = 0
        for place in capacity.indices {
            length = isFree(percentage, at: place) ? length + 1 : 0
            let first = place - days + 1
            if length >= days, capacity[first] > 0 { return DayWindow(window.day(first), window.day(place)) }
        }
        return nil
    }

    /// A minute less is enough: rounding may have taken it.
    private func isFree(_ percentage: Double, at place: Int) -> Bool {
        guard employed[place], plannable.contains(place) else { return false }
        return Double(free(at: place)) + 1 > Double(capacity[place]) * percentage / 100 || capacity[place] == 0
    }
}

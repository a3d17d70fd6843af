import Contracts
import Ledger

/// What share of the person to set aside, from the hours, the window and what is free.
struct Recommendation: Sendable, Equatable {
    /// Percent of the person's capacity over the window, never above what is free.
    let percent: Double
    /// Said when less is free than the hours need.
    let note: String?

    /// The recommendation for a person who is absent for the whole window.
    static let absent = Recommendation(
        percent: 0, note: "The person is not there in these days, so no share of them can be set aside.")

    private init(percent: Double, note: String?) {
        self.percent = percent
        self.note = note
    }

    /// - Parameters:
    ///   - window: the days between which the person is there.
    ///   - capacity: the person's hours in them.
    init(hours: Double, window: DayWindow, capacityHours capacity: Double, freePercent: Double) {
        let free = Self.tenth(freePercent, .down)
        guard capacity > 0 else {
            percent = 0
            note =
                "The person has no working time from \(window.first) to \(window.last), so no share of it can be set aside."
            return
        }
        let needed = hours / capacity * 100
        // Rounded up: rounding down would leave the work unfinished by a sliver.
        if Self.tenth(needed, .up) <= free {
            percent = Self.tenth(needed, .up)
            note = nil
        } else if needed <= free {
            percent = free
            note = nil
        } else {
            percent = free
            note =
                "The work needs \(Self.text(needed)) % of the person's capacity from \(window.first) to \(window.last), "
                + "but only \(Self.text(free)) % is free."
        }
    }

    static func tenth(_ value: Double, _ rule: FloatingPointRoundingRule) -> Double {
        (value * 10).rounded(rule) / 10
    }

    /// Rounded to a tenth.
    static func text(_ percent: Double) -> String {
        // A capacity next to nothing makes a percentage that no Int holds.
        let tenths = Int(min(percent * 10, 1e15).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

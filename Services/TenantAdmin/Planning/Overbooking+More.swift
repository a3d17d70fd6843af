import Contracts
import Ledger

extension Overbooking {
    /// Where hard bookings take more above the capacity than before: each stretch of days has to be no more than the stretches that it
    /// meets were together, so that a booking that is too much in one week does not become too much in another one.
    /// - Parameters:
    ///   - conflicts: of one booking as it is to be.
    ///   - before: of the booking as it was, for the same person; none for a new one.
    static func more(_ conflicts: [Conflict], than before: [Conflict]) -> [Conflict] {
        let known = before.filter(\.isHardOverCapacity)
        return conflicts.filter { conflict in
            let met = known.filter { $0.from <= conflict.to && conflict.from <= $0.to }
            return conflict.isHardOverCapacity && (conflict.minutes ?? 0) > met.reduce(0) { $0 + ($1.minutes ?? 0) }
        }
    }
}

extension Conflict {
    fileprivate var isHardOverCapacity: Bool { kind == .overCapacity && commitment == .hard }
}

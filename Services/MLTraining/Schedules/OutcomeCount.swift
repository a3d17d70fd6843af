import Forecasting
import Foundation
import HistoryFeed

/// Counts, line by line of a history feed, the outcomes that the next job would learn from and the latest model has not.
///
/// A feed has some rows twice and edited rows again: outcomes are therefore kept by allocation, not as a number.
struct OutcomeCount: Sendable, Equatable {
    /// What the latest model learned from; nil before the first model.
    struct Learned: Sendable, Equatable {
        let asOf: Date
        /// nil for a dataset stored before fingerprints were: then only what was completed since counts.
        let outcomes: OutcomeFingerprints?
    }

    let learned: Learned?
    /// Completed before this, an allocation is too old for the next job.
    let spanStart: Date
    let now: Date
    /// The most outcomes that are kept.
    let limit: Int
    /// Allocation ids.
    private(set) var found: Set<String>

    init(learned: Learned?, spanStart: Date, now: Date, limit: Int, found: Set<String> = []) {
        self.learned = learned
        self.spanStart = spanStart
        self.now = now
        self.limit = limit
        self.found = found
    }

    mutating func add(_ change: HistoryChange) {
        switch change {
        case .allocation(let allocation):
            if isNew(allocation) {
                if found.count < limit { found.insert(allocation.id) }
            } else {
                found.remove(allocation.id)
            }
        case .allocationRemoved(let id): found.remove(id)
        default: break
        }
    }

    private func isNew(_ allocation: Forecasting.Allocation) -> Bool {
        guard let seconds = allocation.completedAt else { return false }
        let completed = Date(timeIntervalSince1970: seconds)
        guard completed >= spanStart, completed < now else { return false }
        guard let learned else { return true }
        return learned.outcomes.map { !$0.contains(allocation.id) } ?? (completed >= learned.asOf)
    }
}

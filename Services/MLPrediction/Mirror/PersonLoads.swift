import Contracts
import Foundation

/// One person's allocations, the unfinished apart: a question about today looks at those only, not at all the person ever did.
struct PersonLoads: Sendable {
    private var open: [AllocationID: Load] = [:]
    private var finished: [AllocationID: Load] = [:]
    /// None in `finished` was completed later.
    private var lastCompletion = Date.distantPast

    var count: Int { open.count + finished.count }

    subscript(id: AllocationID) -> Load? {
        get { open[id] ?? finished[id] }
        set {
            if let completedAt = newValue?.completedAt {
                open[id] = nil
                finished[id] = newValue
                lastCompletion = max(lastCompletion, completedAt)
            } else {
                open[id] = newValue
                finished[id] = nil
            }
        }
    }

    /// What the person had not finished at that moment; some that they had may be among it.
    func unfinished(at moment: Date) -> [Load] {
        lastCompletion < moment ? Array(open.values) : Array(open.values) + finished.values
    }
}

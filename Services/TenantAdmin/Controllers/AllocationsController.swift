import Contracts
import ServiceKit

/// Who works on what.
struct AllocationsController: ResourceController {
    static let resource = Resource.allocations
    let store: Allocations
}

extension Allocations.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            externalID: query.string("externalId"), employee: query.identifier("employeeId"),
            project: query.identifier("projectId"), isCompleted: query.bool("isCompleted"))
    }
}

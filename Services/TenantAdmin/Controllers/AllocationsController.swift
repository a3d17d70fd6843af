import Contracts
import ServiceKit

/// Who works on what.
///
/// | method | path                | permission          |
/// | ------ | ------------------- | ------------------- |
/// | GET    | `/allocations`      | allocations: read   |
/// | POST   | `/allocations`      | allocations: write  |
/// | GET    | `/allocations/{id}` | allocations: read   |
/// | PATCH  | `/allocations/{id}` | allocations: update |
/// | DELETE | `/allocations/{id}` | allocations: delete |
struct AllocationsController: ResourceController {
    static let resource = Resource.allocations
    let store: Allocations

    func filter(_ query: inout QueryParameters) -> Allocations.Filter {
        Allocations.Filter(
            externalID: query.string("externalId"), employee: query.identifier("employeeId"),
            project: query.identifier("projectId"), isCompleted: query.bool("isCompleted"))
    }
}

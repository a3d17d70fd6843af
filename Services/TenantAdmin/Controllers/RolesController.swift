import Contracts
import ServiceKit

/// What users may be allowed to do.
struct RolesController: ResourceController {
    static let resource = Resource.roles
    let store: Roles
}

import Contracts
import ServiceKit

/// What users may be allowed to do.
///
/// | method | path          | permission    |
/// | ------ | ------------- | ------------- |
/// | GET    | `/roles`      | roles: read   |
/// | POST   | `/roles`      | roles: write  |
/// | GET    | `/roles/{id}` | roles: read   |
/// | PATCH  | `/roles/{id}` | roles: update |
/// | DELETE | `/roles/{id}` | roles: delete |
struct RolesController: ResourceController {
    static let resource = Resource.roles
    let store: Roles

    func filter(_ query: inout QueryParameters) -> Roles.Filter { Roles.Filter() }
}

import Contracts
import ServiceKit

/// What people work on.
///
/// | method | path             | permission       |
/// | ------ | ---------------- | ---------------- |
/// | GET    | `/projects`      | projects: read   |
/// | POST   | `/projects`      | projects: write  |
/// | GET    | `/projects/{id}` | projects: read   |
/// | PATCH  | `/projects/{id}` | projects: update |
/// | DELETE | `/projects/{id}` | projects: delete |
struct ProjectsController: ResourceController {
    static let resource = Resource.projects
    let store: Projects

    func filter(_ query: inout QueryParameters) -> Projects.Filter {
        Projects.Filter(externalID: query.string("externalId"), status: query.choice("status"))
    }
}

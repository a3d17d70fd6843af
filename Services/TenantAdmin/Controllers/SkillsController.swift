import Contracts
import ServiceKit

/// What people can do.
///
/// | method | path           | permission     |
/// | ------ | -------------- | -------------- |
/// | GET    | `/skills`      | skills: read   |
/// | POST   | `/skills`      | skills: write  |
/// | GET    | `/skills/{id}` | skills: read   |
/// | PATCH  | `/skills/{id}` | skills: update |
/// | DELETE | `/skills/{id}` | skills: delete |
struct SkillsController: ResourceController {
    static let resource = Resource.skills
    let store: Skills

    func filter(_ query: inout QueryParameters) -> Skills.Filter {
        Skills.Filter(
            name: query.string("name"), category: query.string("category"),
            updatedSince: query.date("updatedSince"))
    }
}

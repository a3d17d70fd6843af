import Contracts
import ServiceKit

/// What people can do.
struct SkillsController: ResourceController {
    static let resource = Resource.skills
    let store: Skills
}

extension Skills.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            name: query.string("name"), category: query.string("category"), updatedSince: query.date("updatedSince"))
    }
}

import Contracts
import ServiceKit

/// What people work on.
struct ProjectsController: ResourceController {
    static let resource = Resource.projects
    let store: Projects

    /// A project that goes on takes more of its people.
    static func addRoutes(to routes: inout RouteList<Self>) { addResourceRoutes(to: &routes, areUpdatesPlanned: true) }
}

extension Projects.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            ids: query.identifiers("id"), externalID: query.string("externalId"), name: query.string("name"),
            status: query.choice("status"),
            skill: query.string("skill"), updatedSince: query.date("updatedSince"))
    }
}

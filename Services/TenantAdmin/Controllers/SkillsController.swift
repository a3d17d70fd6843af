import Contracts
import ServiceKit

/// What people can do.
struct SkillsController: ResourceController {
    static let resource = Resource.skills
    let store: Skills

    static func addRoutes(to routes: inout RouteList<Self>) {
        addResourceRoutes(to: &routes)
        routes.on(
            .post, "skills/{id}/merge", "mergeSkill", .may(.delete, .skills), takes: [.ifMatch], use: merge)
    }

    /// The skill of the path becomes the one that the body names.
    private func merge(_ call: TenantCall, _ payload: MergeSkillRequest) async throws -> Tagged<Skill> {
        try Tagged(
            try await store.merge(try call.id("id"), into: payload.into, by: call.caller) { try call.checkIfMatch($0) })
    }
}

extension Skills.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            name: query.string("name"), category: query.string("category"), updatedSince: query.date("updatedSince"))
    }
}

import Contracts
import Testing

@Suite("Merged grants")
struct MergedPermissionsTests {
    @Test("merged grants allow what they allowed one by one, and nothing else")
    func same() {
        let grants = [
            Permission(resource: "employees", actions: ["read", "write"]), Permission(resource: "*", actions: ["read"]),
            Permission(resource: "employees", actions: ["update", "read"]), Permission(resource: "ml", actions: ["*"]),
            Permission(resource: "ml", actions: ["predict"]), Permission(resource: "roles", actions: ["read"]),
        ]
        for resource in Resource.insideTenant {
            for action in Action.allCases {
                #expect(grants.merged.allow(action, on: resource) == grants.allow(action, on: resource))
            }
        }
        #expect(
            grants.merged == [
                Permission(resource: "employees", actions: ["write", "update"]),
                Permission(resource: "*", actions: ["read"]), Permission(resource: "ml", actions: ["*"]),
            ])
    }

    @Test("the grants of twenty roles of a hundred entries each are no more than there is to grant")
    func bounded() {
        let all = Resource.insideTenant.map {
            Permission(resource: $0.rawValue, actions: Action.allCases.map(\.rawValue))
        }
        let many = Array(repeating: all, count: 120).flatMap(\.self)
        #expect(many.merged.count == Resource.insideTenant.count)
    }

    @Test("everything is one grant")
    func everything() {
        let grants = DefaultRole.allCases.flatMap(\.permissions)
        #expect(grants.merged == [Permission(resource: "*", actions: ["*"])])
    }
}

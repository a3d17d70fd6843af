import Basics
import Contracts
import Testing

@Suite("Compiled grants")
struct PermissionBitsTests {
    /// Resources and actions, wildcards and names that no role may speak of among them.
    private static let resources = Resource.insideTenant.map(\.rawValue) + ["*", "tenants", "unknown"]
    private static let actions = Action.allCases.map(\.rawValue) + ["*", "unknown"]

    @Test("compiled grants allow what the grants themselves allow, and nothing else")
    func same() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 1...2_000 {
            let grants = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                Permission(
                    resource: Self.resources.randomElement(using: &generator) ?? "*",
                    actions: (0..<Int.random(in: 0...3, using: &generator)).compactMap { _ in
                        Self.actions.randomElement(using: &generator)
                    })
            }
            let compiled = PermissionBits(grants)
            for resource in Resource.insideTenant {
                for action in Action.allCases {
                    let need = try #require(PermissionBits.Need(action, on: resource))
                    #expect(
                        compiled.allow(need) == grants.allow(action, on: resource),
                        "\(grants) \(action) \(resource)")
                }
            }
        }
    }

    @Test("a permission that no tenant role can hold cannot be required, and nothing is granted by default")
    func bounds() throws {
        #expect(PermissionBits.Need(.read, on: .tenants) == nil)
        #expect(Action(rawValue: "*") == nil && Resource(rawValue: "*") == nil, "a wildcard is granted, never needed")
        #expect(!PermissionBits().allow(try #require(PermissionBits.Need(.read, on: .users))))
        #expect(Resource.insideTenant.count <= 32 && Action.allCases.count <= 8, "the places of a set of bits")
    }
}

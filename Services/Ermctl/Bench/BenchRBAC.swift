import ArgumentParser
import Basics
import Contracts

/// `ermctl bench rbac`: what one permission check costs.
struct BenchRBACCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rbac",
        abstract: "Measure what a permission check costs, by how many grants there are.",
        discussion: """
            Asks as the gateway's authorising stage does (PermissionBits): once of a single holder of all grants, and once of many \
            holders chosen at random, whose grants together are as many. Beside it the same questions to grants that are not \
            compiled, and what compiling a holder's grants costs, which is paid when they have changed.
            """)

    @Option(help: "Grants, a grant being one action on one resource.") var grants = 100_000
    @Option(help: "Grants of each holder, where there are many holders.") var perHolder = 20
    @Option(help: "Checks of each measurement; the fastest of five measurements is printed.") var checks = 5_000_000

    func validate() throws {
        guard (1...10_000_000).contains(grants) else { throw ValidationError("--grants must be in 1…10000000.") }
        guard (1...grants).contains(perHolder) else { throw ValidationError("--per-holder must be in 1…--grants.") }
        guard (1_000...1_000_000_000).contains(checks) else {
            throw ValidationError("--checks must be in 1000…1000000000.")
        }
    }

    func run() throws {
        var generator = SeededGenerator(seed: 1)
        let needs = try Resource.insideTenant.flatMap { resource in
            try Action.allCases.map { action in
                guard let need = PermissionBits.Need(action, on: resource) else {
                    throw CommandFailure("\(resource.rawValue):\(action.rawValue) cannot be granted.")
                }
                return (action, resource, need)
            }
        }
        print("rbac_grants=\(grants)")
        let all = Self.grants(grants, &generator)
        try measure("one_holder", [all], needs, &generator)
        let holders = (0..<max(1, grants / perHolder)).map { _ in Self.grants(perHolder, &generator) }
        print("rbac_holders=\(holders.count)")
        try measure("many_holders", holders, needs, &generator)
    }

    private typealias Question = (action: Action, resource: Resource, need: PermissionBits.Need)

    private func measure(
        _ name: String, _ holders: [[Permission]], _ needs: [Question], _ generator: inout SeededGenerator
    ) throws {
        var compiled: [PermissionBits] = []
        let compiling = Self.fastest { compiled = holders.map { PermissionBits($0) } } / Double(holders.count)
        print("rbac_\(name)_compile_us=\((compiling * 1e6).fixed(2))")
        // Drawn before: a draw costs more than a check.
        let drawn = (0..<65_536).map { _ in
            (holder: Int(generator.next() % UInt64(holders.count)), need: Int(generator.next() % UInt64(needs.count)))
        }
        var allowed = 0
        let checking = Self.fastest {
            allowed = 0
            for number in 0..<checks {
                let (holder, need) = drawn[number & 65_535]
                if compiled[holder].allow(needs[need].need) { allowed += 1 }
            }
        }
        print("rbac_\(name)_check_ns=\((checking / Double(checks) * 1e9).fixed(2))")
        // Of these every one may look at all grants.
        let few = max(1, min(checks, 20_000_000 / (holders.first?.count ?? 1)))
        var allowedOneByOne = 0
        let searching = Self.fastest {
            allowedOneByOne = 0
            for number in 0..<few {
                let (holder, need) = drawn[number & 65_535]
                if holders[holder].allow(needs[need].action, on: needs[need].resource) { allowedOneByOne += 1 }
            }
        }
        print("rbac_\(name)_uncompiled_check_ns=\((searching / Double(few) * 1e9).fixed(1))")
        let same = (0..<few).count { number in
            let (holder, need) = drawn[number & 65_535]
            return compiled[holder].allow(needs[need].need)
        }
        guard same == allowedOneByOne else { throw CommandFailure("Compiled grants answer otherwise than the grants.") }
        print("rbac_\(name)_allowed_share=\((Double(allowed) / Double(checks)).fixed(3))")
    }

    /// Seconds of the fastest of five.
    private static func fastest(_ body: () -> Void) -> Double {
        (1...5).map { _ in secondsTaken(body) }.min() ?? 0
    }

    /// No wildcards: what is granted is found last, or not at all.
    private static func grants(_ count: Int, _ generator: inout SeededGenerator) -> [Permission] {
        (0..<count).map { _ in
            let resource = Resource.insideTenant[Int(generator.next() % UInt64(Resource.insideTenant.count))]
            let action = Action.allCases[Int(generator.next() % UInt64(Action.allCases.count))]
            return Permission(resource: resource.rawValue, actions: [action.rawValue])
        }
    }
}

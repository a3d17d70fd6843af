import Contracts
import ServiceKit
import Yams

extension GatewayConfiguration {
    /// What stands under `limits`, as far as it could be read.
    struct Limits {
        var plans: [Plan: Allowance] = [:]
        var address: Allowance?
        var userPlans: [Plan: Allowance] = [:]
        /// nil: it is not known which there are.
        var classes: [String: [Plan: Allowance]]? = [:]
        var inFlight = InFlightLimits.standard
        var uploads = BodyRate.standard
    }

    static func limits(_ node: Node, _ mistakes: inout Mistakes) -> Limits? {
        mistakes.mapping(node, "limits") { mapping, mistakes -> Limits? in
            var limits = Limits()
            if let node = mistakes.attempt({ () throws(RouteFileError) in try mapping.required("plans") }) {
                limits.plans = plans(node, "plans", &mistakes)
            }
            if let node = mapping.optional("users") { limits.userPlans = plans(node, "users", &mistakes) }
            if let node = mapping.optional("classes") { limits.classes = classes(node, &mistakes) }
            if let node = mistakes.attempt({ () throws(RouteFileError) in try mapping.required("address") }) {
                limits.address = allowance(node, "address", &mistakes)
            }
            if let node = mapping.optional("inFlight") { readInFlight(node, &limits.inFlight, &mistakes) }
            if let node = mapping.optional("streams"), let found = streams(node, &mistakes) {
                limits.inFlight.streams = found
            }
            if let node = mapping.optional("uploads"), let found = uploads(node, &mistakes) { limits.uploads = found }
            return limits
        }
    }

    /// Every class by its name, also one with mistakes: that its routes name it is none.
    private static func classes(_ node: Node, _ mistakes: inout Mistakes) -> [String: [Plan: Allowance]]? {
        guard let entries = mistakes.entries(node, "classes") else { return nil }
        var classes: [String: [Plan: Allowance]] = [:]
        for entry in entries {
            guard !entry.key.isEmpty, !entry.key.contains(":") else {
                mistakes.add(RouteFileError(entry.mark, "a class needs a name without colons"))
                continue
            }
            classes[entry.key] = plans(entry.value, entry.key, &mistakes)
        }
        return classes
    }

    private static func plans(_ node: Node, _ what: String, _ mistakes: inout Mistakes) -> [Plan: Allowance] {
        let plans = mistakes.mapping(node, what) { mapping, mistakes -> [Plan: Allowance]? in
            var plans: [Plan: Allowance] = [:]
            for plan in Plan.allCases {
                let node = mistakes.attempt { () throws(RouteFileError) in try mapping.required(plan.rawValue) }
                if let node { plans[plan] = allowance(node, plan.rawValue, &mistakes) }
            }
            return plans
        }
        return plans ?? [:]
    }

    private static func allowance(_ node: Node, _ what: String, _ mistakes: inout Mistakes) -> Allowance? {
        mistakes.mapping(node, what) { mapping, mistakes -> Allowance? in
            // A bucket that never holds a whole request refuses every one.
            let perSecond = mistakes.attempt { () throws(RouteFileError) in
                try mapping.number("perSecond", 0.001...1_000_000, "from 0.001 to 1000000")
            }
            let burst = mistakes.attempt { () throws(RouteFileError) in
                try mapping.number("burst", 1...1_000_000_000, "from 1 to 1000000000")
            }
            guard let perSecond, let burst else { return nil }
            return Allowance(perSecond: perSecond, burst: burst)
        }
    }

    private static func readInFlight(_ node: Node, _ limits: inout InFlightLimits, _ mistakes: inout Mistakes) {
        let found = mistakes.mapping(node, "inFlight") { mapping, mistakes -> (Int, InFlight.Limits)? in
            let most = mistakes.attempt { () throws(RouteFileError) in try mapping.count("node") }
            guard let brief = holders(&mapping, &mistakes), let most else { return nil }
            return (most, brief)
        }
        if let found { (limits.node, limits.brief) = found }
    }

    private static func streams(_ node: Node, _ mistakes: inout Mistakes) -> InFlight.Limits? {
        mistakes.mapping(node, "streams") { mapping, mistakes in holders(&mapping, &mistakes) }
    }

    private static func holders(_ mapping: inout YAMLMapping, _ mistakes: inout Mistakes) -> InFlight.Limits? {
        let tenant = mistakes.attempt { () throws(RouteFileError) in try mapping.count("tenant") }
        let user = mistakes.attempt { () throws(RouteFileError) in try mapping.count("user") }
        let address = mistakes.attempt { () throws(RouteFileError) in try mapping.count("address") }
        guard let tenant, let user, let address else { return nil }
        return InFlight.Limits(tenant: tenant, user: user, address: address)
    }

    private static func uploads(_ node: Node, _ mistakes: inout Mistakes) -> BodyRate? {
        mistakes.mapping(node, "uploads") { mapping, mistakes -> BodyRate? in
            let rate = mistakes.attempt { () throws(RouteFileError) in try mapping.count("bytesPerSecond") }
            let grace = mistakes.attempt { () throws(RouteFileError) in try mapping.duration("grace") }
            guard let rate, let grace else { return nil }
            return BodyRate(bytesPerSecond: rate, grace: grace)
        }
    }
}

import Contracts

/// What of a request counts against which allowance, as a configuration says; worked out once, not for each request.
struct LimitRules: Sendable {
    typealias Allowance = GatewayConfiguration.Allowance

    /// The allowances of one plan and one class of routes.
    struct Rule: Sendable {
        let plan: Allowance
        /// nil: a single user or key is not limited.
        let user: Allowance?
        /// nil: the route is of no class.
        let routeClass: Allowance?
        /// The field `RateLimit-Policy`.
        let policy: String
    }

    /// Of routes without a class under "".
    private let rules: [Plan: [String: Rule]]
    let address: Allowance

    init(_ configuration: GatewayConfiguration) {
        address = configuration.address
        rules = Dictionary(
            uniqueKeysWithValues: configuration.plans.map { plan, allowance in
                let user = configuration.userPlans[plan]
                func rule(_ routeClass: Allowance?) -> Rule {
                    Rule(
                        plan: allowance, user: user, routeClass: routeClass,
                        policy: Self.policy([("plan", allowance), ("user", user), ("class", routeClass)]))
                }
                return (plan, configuration.classes.mapValues { rule($0[plan]) }.merging(["": rule(nil)]) { $1 })
            })
    }

    /// nil for a plan without an allowance.
    func rule(_ plan: Plan, _ routeClass: String?) -> Rule? { rules[plan]?[routeClass ?? ""] }

    /// The policy's quota is the burst, its window the time in which an empty bucket fills.
    private static func policy(_ allowances: [(name: String, allowance: Allowance?)]) -> String {
        allowances.compactMap { name, allowance in
            allowance.map { allowance in
                let window = Int((allowance.burst / allowance.perSecond).rounded(.up))
                return "\"\(name)\";q=\(Int(allowance.burst));w=\(max(1, window))"
            }
        }.joined(separator: ", ")
    }
}

/// Whose requests are counted together.
enum LimitHolder: Sendable, Hashable {
    case tenant(TenantID)
    case user(UserID)
    case apiKey(APIKeyID)
    /// A tenant's requests to the routes of one class.
    case routeClass(TenantID, String)
    /// A client's network.
    case address(String)
}

/// The form in which nodes exchange holders.
extension LimitHolder: RawRepresentable {
    private static let addressPrefix = "address:"

    init?(rawValue: String) {
        if rawValue.hasPrefix(Self.addressPrefix), rawValue != Self.addressPrefix {
            self = .address(String(rawValue.dropFirst(Self.addressPrefix.count)))
            return
        }
        let parts = rawValue.split(separator: ":", maxSplits: 2).map(String.init)
        switch (parts.first, parts.count) {
        case ("tenant", 2): if let id = TenantID(parts[1]) { self = .tenant(id) } else { return nil }
        case ("user", 2): if let id = UserID(parts[1]) { self = .user(id) } else { return nil }
        case ("key", 2): if let id = APIKeyID(parts[1]) { self = .apiKey(id) } else { return nil }
        case ("class", 3): if let id = TenantID(parts[1]) { self = .routeClass(id, parts[2]) } else { return nil }
        default: return nil
        }
    }

    var rawValue: String {
        switch self {
        case .tenant(let id): "tenant:\(id)"
        case .user(let id): "user:\(id)"
        case .apiKey(let id): "key:\(id)"
        case .routeClass(let id, let name): "class:\(id):\(name)"
        case .address(let network): Self.addressPrefix + network
        }
    }
}

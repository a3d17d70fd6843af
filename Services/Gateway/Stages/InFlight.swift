import Contracts
import ServiceIdentity
import ServiceKit
import Synchronization

/// How many requests are under way for whom, as a plain value.
///
/// A rate does not bound what is under way: a request may last as long as its client likes. Without a bound one viewer, holding
/// as many requests open as there are connections to a service, would stop a node for all tenants.
struct InFlight: Sendable, Equatable {
    /// The most at a time, of one each.
    struct Limits: Sendable, Equatable {
        var tenant: Int
        var user: Int
        var address: Int
    }

    /// How long a request may last.
    enum Kind: Sendable, Hashable {
        case brief
        /// Streams of events, exports and uploads, which may take hours.
        case stream
    }

    enum Holder: Sendable, Hashable {
        case tenant(TenantID)
        /// A user or an API key.
        case user(String)
        case address(String)
    }

    private struct Key: Hashable, Sendable {
        let kind: Kind
        let holder: Holder
    }

    private var total = 0
    private var strangers = 0
    private var counts: [Key: Int] = [:]

    /// Takes a place of the holder's; false when none is left.
    mutating func enter(_ kind: Kind, _ holder: Holder, _ limits: Limits) -> Bool {
        let key = Key(kind: kind, holder: holder)
        let most =
            switch holder {
            case .tenant: limits.tenant
            case .user: limits.user
            case .address: limits.address
            }
        let count = counts[key] ?? 0
        guard count < most else { return false }
        counts[key] = count + 1
        return true
    }

    mutating func leave(_ kind: Kind, _ holder: Holder) {
        guard let index = counts.index(forKey: Key(kind: kind, holder: holder)) else { return }
        if counts.values[index] > 1 { counts.values[index] -= 1 } else { counts.remove(at: index) }
    }

    /// False when the whole node has no place left.
    ///
    /// - Parameter isStranger: nobody verifies who sends the request. A quarter of the places is kept for the others: clients that
    ///   withhold the bodies of logins must not keep out users who are logged in.
    mutating func enterNode(_ most: Int, isStranger: Bool) -> Bool {
        guard total < most, !isStranger || strangers < most - most / 4 else { return false }
        total += 1
        if isStranger { strangers += 1 }
        return true
    }

    mutating func leaveNode(isStranger: Bool) {
        total -= 1
        if isStranger { strangers -= 1 }
    }

    var isEmpty: Bool { total == 0 && counts.isEmpty }
}

/// Gives each request its places until it is over, the writing of its answer and all that is done for it included.
final class InFlightStage: Sendable {
    private let limits: Mutex<GatewayConfiguration.InFlightLimits>
    private let state = Mutex(InFlight())

    init(_ limits: GatewayConfiguration.InFlightLimits) { self.limits = Mutex(limits) }

    func update(_ limits: GatewayConfiguration.InFlightLimits) { self.limits.withLock { $0 = limits } }

    /// A place on this node, and one of the client's address: before anything is asked for the request.
    ///
    /// - Parameter isStranger: nobody verifies who sends the request.
    /// - Throws: ``ProblemError`` 503 when this node has no place left, 429 when the address has none.
    func enter(
        _ kind: InFlight.Kind, from address: ClientAddress, isStranger: Bool, _ record: RequestRecord
    ) throws {
        let limits = limits.withLock { $0 }
        let holder = InFlight.Holder.address(address.network)
        let (hasNode, hasOwn) = state.withLock { state in
            guard state.enterNode(limits.node, isStranger: isStranger) else { return (false, false) }
            return (true, state.enter(kind, holder, limits.of(kind)))
        }
        guard hasNode else {
            throw ProblemError.unavailable("This node serves as many requests as it can; try again in a moment.")
        }
        record.whenFinished {
            self.state.withLock { state in
                state.leaveNode(isStranger: isStranger)
                if hasOwn { state.leave(kind, holder) }
            }
        }
        guard hasOwn else { throw Self.full("Your address has too many requests under way.") }
    }

    /// - Throws: ``ProblemError`` 429 when the principal's tenant or the principal has no place left.
    func enter(_ kind: InFlight.Kind, _ principal: Principal, _ record: RequestRecord) throws {
        let limits = limits.withLock { $0.of(kind) }
        let tenant = principal.tenant.map(InFlight.Holder.tenant)
        let user = InFlight.Holder.user(principal.caller.subject ?? "")
        let (hasTenant, hasOwn) = state.withLock { state in
            if let tenant, !state.enter(kind, tenant, limits) { return (false, false) }
            return (true, state.enter(kind, user, limits))
        }
        guard hasTenant else { throw Self.full("Your organisation has too many requests under way.") }
        record.whenFinished {
            self.state.withLock { state in
                if let tenant { state.leave(kind, tenant) }
                if hasOwn { state.leave(kind, user) }
            }
        }
        guard hasOwn else { throw Self.full("You have too many requests under way.") }
    }

    private static func full(_ sentence: String) -> ProblemError {
        ProblemError.rateLimited("\(sentence) Wait until some have ended.", retryAfter: .seconds(1))
    }

    /// Whether no request is being served.
    var isIdle: Bool { state.withLock { $0.isEmpty } }
}

extension GatewayConfiguration.InFlightLimits {
    fileprivate func of(_ kind: InFlight.Kind) -> InFlight.Limits { kind == .brief ? brief : streams }
}

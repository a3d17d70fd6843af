import Contracts
import ServiceKit

/// `gateway.yaml`: the route table, how upstreams are judged, and how much each plan may ask.
struct GatewayConfiguration: Sendable {
    /// How much may be asked: `burst` at once, refilled at `perSecond`.
    struct Allowance: Sendable, Equatable {
        let perSecond: Double
        let burst: Double
    }

    /// When an upstream's node is left alone for a while.
    struct Health: Sendable, Equatable {
        /// Failures in a row after which the node is no longer asked.
        let failuresToOpen: Int
        /// How long it is left alone before one request tries it again.
        let openFor: Duration
        /// How long after a failure until a node gets its full share again.
        var slowStart = standardSlowStart
        /// How long a node that says it is going down gets nothing new, unless it says otherwise before.
        var drainFor = standardDrain

        static let standardSlowStart = Duration.seconds(10)
        static let standardDrain = Duration.seconds(10)
    }

    /// Requests under way at a time.
    struct InFlightLimits: Sendable, Equatable {
        /// On this node, of all clients together.
        var node: Int
        var brief: InFlight.Limits
        /// Streams of events, exports and uploads.
        var streams: InFlight.Limits

        static let standard = InFlightLimits(
            node: 1024, brief: .init(tenant: 256, user: 100, address: 256),
            streams: .init(tenant: 128, user: 32, address: 64))
    }

    let routes: [Route]
    let upstreams: [ServiceName: Health]
    /// Requests of a tenant, by its plan, to all nodes together.
    let plans: [Plan: Allowance]
    /// Requests of one client address to the routes that take credentials, and invalid credentials from it, to all nodes together.
    var address: Allowance
    /// Requests of one user or API key, by the tenant's plan, to all nodes together; a plan that is not here does not limit them.
    var userPlans: [Plan: Allowance] = [:]
    /// Requests of a tenant to the routes of one class, by its plan, to all nodes together.
    var classes: [String: [Plan: Allowance]] = [:]
    var inFlight = InFlightLimits.standard
    /// How slow a client may be with a body.
    var uploads = BodyRate.standard
    /// Fields of requests that go on to the services beside the standard ones, in lower case.
    var requestHeaders: Set<String> = []
    /// nil: no page of another origin may ask.
    var crossOrigin: CrossOrigin?
}

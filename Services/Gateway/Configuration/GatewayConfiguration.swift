import Contracts

/// `gateway.yaml`: the route table, how upstreams are judged, and how much each plan may ask.
struct GatewayConfiguration: Sendable {
    /// How much may be asked: `burst` at once, refilled at `perSecond`.
    struct Allowance: Sendable, Equatable {
        let perSecond: Double
        let burst: Double
    }

    /// When an upstream's address is left alone for a while.
    struct Health: Sendable, Equatable {
        /// Failures in a row after which the address is no longer asked.
        let failuresToOpen: Int
        /// How long it is left alone before one request tries it again.
        let openFor: Duration
    }

    let routes: [Route]
    let upstreams: [ServiceName: Health]
    /// Requests of a tenant, by its plan; each node counts for itself.
    let plans: [Plan: Allowance]
    /// Requests of one client address to the routes that take credentials.
    let address: Allowance
}

/// What is wrong with a configuration file, and where.
struct RouteFileError: Error, CustomStringConvertible, Equatable {
    /// 1-based.
    let line: Int
    let reason: String
    var description: String { "line \(line): \(reason)" }
}

import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Logging
import ServiceKit

/// The choice of nodes for one request, on both ways of sending it.
///
/// The next node is tried while the last one has certainly not received the request. A repeatable request that a node failed is
/// retried once, within the retry budget.
struct Attempts {
    let upstream: Upstream
    /// Whose request it is; nil: no tenant's.
    private let tenant: TenantID?
    private let isRepeatable: Bool
    /// The caller has been verified here: a node that says 401 has not the keys to verify the gateway.
    private let isVouched: Bool
    private let end: ContinuousClock.Instant
    /// Few: no more than there are nodes.
    private var tried: [String] = []
    private var isRetried = false
    private var lastError: HTTPClientError?

    /// No exchange lasts longer, streaming ones included.
    private static let longest = Duration.seconds(24 * 3600)

    init(
        _ upstream: Upstream, of tenant: TenantID?, isRepeatable: Bool, isVouched: Bool, within timeout: Duration
    ) {
        self.upstream = upstream
        self.tenant = tenant
        self.isRepeatable = isRepeatable
        self.isVouched = isVouched
        end = .now + timeout
        upstream.sent()
    }

    /// The node to ask, which then has one request more under way; nil when there is none to ask.
    mutating func next(_ record: RequestRecord) -> String? {
        guard let node = upstream.choose(excluding: tried, of: tenant, isTrial: isRepeatable) else { return nil }
        tried.append(node)
        record.note {
            $0.upstreamNode = node
            $0.attempts = ($0.attempts ?? 0) + 1
        }
        return node
    }

    /// The failure when no node has answered.
    var failure: any Error {
        lastError ?? ProblemError.unavailable("No instance of the service for this is reachable.")
    }

    /// How long the exchange may still take.
    func left(_ route: Route) -> Duration {
        route.isStreaming ? Self.longest : max(.milliseconds(1), ContinuousClock.now.duration(to: end))
    }

    /// How long the node may take to begin its answer: so that there is time for another attempt, should it not answer at all.
    func patience(_ route: Route) -> Duration {
        let left = left(route)
        return mayRetry && !route.isStreaming ? max(left / 3, min(left, .seconds(1))) : left
    }

    /// No further node is asked.
    mutating func endWithThis() { isRetried = true }

    /// The node has answered.
    ///
    /// - Parameter isWhole: false while only the head of the answer is there; its end, or what goes wrong before, is told as well then.
    /// - Returns: whether another is to be asked.
    mutating func answered(_ status: Int, _ node: String, isWhole: Bool = true) -> Bool {
        // The node could not answer now; another may.
        guard refuses(status) else {
            if isWhole { succeeded(node) }
            return false
        }
        upstream.failed(node, .refused, of: tenant)
        guard takeRetry() else { return false }
        upstream.ended(node)
        return true
    }

    func succeeded(_ node: String) { upstream.succeeded(node, of: tenant) }

    /// Whether the answer says that the node cannot answer.
    func refuses(_ status: Int) -> Bool { (502...504).contains(status) || mistrusts(status) }

    /// Whether the node takes the gateway for somebody else, which is no answer for a client.
    func mistrusts(_ status: Int) -> Bool { status == 401 && isVouched }

    static let mistrusted = ProblemError(
        status: .badGateway, code: .upstreamFailed, "The service for this does not trust the gateway at the moment.")

    /// A node whose answer is the last on its connection is going down. One that answers before it has all of the body may only refuse
    /// the rest, and one that refuses a head, as for being too long with what the gateway adds, reads nothing behind it: that ends the
    /// connection too and says nothing of the node.
    ///
    /// - Parameters:
    ///   - option: the answer's `Connection`.
    ///   - isSent: the node had all of the request when it answered.
    func noteConnection(_ option: String?, _ status: Int, of node: String, isSent: Bool) {
        if isSent, !(400..<500).contains(status), option?.lowercased() == "close" { upstream.draining(node) }
    }

    /// The node has not answered.
    ///
    /// - Parameters:
    ///   - isClientsTurn: the client owes the next piece of its body.
    ///   - isStarted: some of a body was sent that cannot be sent again.
    /// - Returns: whether another is to be asked.
    mutating func failed(
        _ error: HTTPClientError, _ node: String, isClientsTurn: Bool = false, isStarted: Bool = false, _ logger: Logger
    ) -> Bool {
        upstream.ended(node)
        guard error.isUpstreamsFault(isClientsTurn: isClientsTurn) else {
            upstream.undecided(node)
            return false
        }
        upstream.failed(node, error.upstreamsFailure, of: tenant)
        logger.warning(
            "Upstream request failed",
            metadata: [
                LogKey.upstream: "\(upstream.service.rawValue)", LogKey.upstreamAddress: "\(node)",
                LogKey.error: "\(LogText.of(error))",
            ])
        lastError = error
        if !error.requestMayHaveBeenProcessed, !isStarted { return true }
        return takeRetry()
    }

    /// The request ended without saying anything of the node.
    func abandoned(_ node: String) {
        upstream.ended(node)
        upstream.undecided(node)
    }

    private var mayRetry: Bool { isRepeatable && !isRetried && upstream.hasOther(than: tried) && end > .now }

    private mutating func takeRetry() -> Bool {
        guard mayRetry, upstream.mayRetry(of: tenant) else { return false }
        isRetried = true
        return true
    }
}

extension HTTPClientError {
    /// Whether the failure says something of the upstream's health. What goes wrong while the client owes the next piece of its body
    /// does not: the upstream had nothing to answer yet.
    func isUpstreamsFault(isClientsTurn: Bool) -> Bool {
        switch code {
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .tlsFailed: true
        case .timedOut, .reset, .badResponse, .responseTooLarge, .other: !isClientsTurn
        default: false
        }
    }

    /// What a failure that is the upstream's fault says of the node.
    var upstreamsFailure: Balancer.Failure { code == .timedOut ? .tooSlow : .noAnswer }

    /// The client's problem.
    func problem(isClientsTurn: Bool) -> any Error {
        switch code {
        case .timedOut where isClientsTurn:
            ProblemError.requestTimeout(cause: self)
        case .timedOut:
            ProblemError(
                status: .gatewayTimeout, code: .upstreamTimeout, "The service for this did not answer in time.",
                cause: self)
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .shutDown:
            ProblemError.unavailable("The service for this is not reachable at the moment.", cause: self)
        case .cancelled, .requestBodyFailed:
            CancellationError()
        default:
            ProblemError(
                status: .badGateway, code: .upstreamFailed, "The service for this gave no usable answer.", cause: self)
        }
    }
}

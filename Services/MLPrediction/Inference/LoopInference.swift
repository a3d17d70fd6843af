import Contracts
import HTTPTypes
import NIOCore
import ServiceIdentity
import ServiceKit
import Synchronization

/// Answers requests for inference of a few rows on the event loops of their connections: a network computes a row in less time than it
/// takes to hand the request to another thread.
///
/// A request stays on its loop when its caller is let in, and all that answers it is in memory and up to date. Any other goes on to the
/// router, whose handler asks, waits and refuses by the same functions.
final class LoopInference: LoopResponder {
    /// Some dozens of rows, which delay the loop's other connections by far less than a millisecond.
    let longestBodyBytes = 1_024

    private let callers: InternalCallers
    private let networks: TenantNetworks
    private let admission: Admission
    /// Requests that stayed on their loop.
    let answered = Atomic(0)

    init(callers: InternalCallers, networks: TenantNetworks, admission: Admission) {
        self.callers = callers
        self.networks = networks
        self.admission = admission
    }

    func take(_ exchange: LoopExchange, body: ByteBuffer?) -> Bool {
        let (request, access) = (exchange.request, InferenceController.access)
        guard let body, let target = InferenceTarget(request),
            let caller = try? callers.caller(request.headerFields, rule: access.rule),
            let tenant = try? access.tenant(of: caller), (try? admission.requireRoom()) != nil,
            let served = networks.networkAtHand(named: target.model, version: target.version, tenant: tenant),
            let answer = try? InferenceController.answer(
                InferenceBody.Sent(bytes: Array(body.readableBytesView), fields: request.headerFields), served)
        else { return false }
        exchange.route = target.route
        exchange.record.note(caller: caller)
        let content = answer.body
        var head = HTTPResponse(status: .ok, headerFields: answer.fields)
        head.headerFields[.contentLength] = "\(content.readableBytes)"
        exchange.begin(head)
        exchange.write(content)
        exchange.end()
        answered.add(1, ordering: .relaxed)
        return true
    }
}

/// What a request for inference names in its path.
private struct InferenceTarget {
    let model: String
    let version: String?

    /// nil for what is no such request, or is spelt in a way that the router understands.
    init?(_ request: HTTPRequest) {
        guard request.method == .post, let path = request.path, !path.utf8.contains(where: { "%?#".utf8.contains($0) })
        else { return nil }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5 || parts.count == 7, parts.starts(with: ["", "v2", "models"]), parts.last == "infer",
            !parts[3].isEmpty
        else { return nil }
        model = parts[3]
        guard parts.count == 7 else {
            version = nil
            return
        }
        guard parts[4] == "versions", !parts[5].isEmpty else { return nil }
        version = parts[5]
    }

    /// As it is declared.
    var route: String { version == nil ? "/v2/models/{model}/infer" : "/v2/models/{model}/versions/{version}/infer" }
}

import Contracts
import HTTPTypes
import Hummingbird
import ServiceIdentity
import ServiceKit

/// The line of stages that every request passes: route, tenant, authenticate, authorise, limit, rewrite, forward.
///
/// A request that a stage refuses goes no further. It is a middleware in front of an empty router, so that nothing is
/// reachable but what stands in the table.
struct GatewayLine: RouterMiddleware {
    typealias Context = ServiceRequestContext

    let route: RouteStage
    let tenant: TenantStage
    let proxies: TrustedProxies
    let authenticate: AuthenticateStage
    let authorise = AuthoriseStage()
    let limit: LimitStage
    let queue: LoginQueue
    let usage: UsageCounter
    let forward: ForwardStage
    let local: LocalRoutes
    let signer: AssertionSigner

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        let match = try route.match(method: request.method.rawValue, target: request.head.path ?? "")
        // Set first: a refusal by a later stage is counted under its route, too.
        context.coreContext.endpointPath.value = match.route.template
        let admission = try await admit(match, request, context)
        switch match.route.target {
        case .gateway:
            guard let endpoint = local.endpoint(for: match) else { throw ProblemError.notFound("Resource") }
            if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > match.route.bodyLimitBytes {
                throw ProblemError.payloadTooLarge(limit: match.route.bodyLimitBytes)
            }
            var context = context
            context.maxUploadSize = match.route.bodyLimitBytes
            context.caller = admission.caller
            context.admission = admission
            for (name, value) in match.parameters { context.coreContext.parameters[name[...]] = value[...] }
            return try await endpoint(request, context)
        case .upstream(let service):
            return try await forward.forward(request, try outgoing(request, admission, to: service, context))
        }
    }

    /// - Throws: ``ProblemError`` of the stage that refuses.
    private func admit(
        _ match: MatchedRoute, _ request: Request, _ context: ServiceRequestContext
    ) async throws -> Admission {
        // Ambiguous requests are refused before anybody's meaning is guessed, on public routes too.
        let credential = try Credential.presented(in: request.headers)
        let hints = try tenant.hints(headers: request.headers, host: request.head.authority)
        let peer = context.remoteAddress?.ipAddress.flatMap { ClientAddress($0) }
        let origin = proxies.origin(peer: peer, request.headers)
        if match.route.limitsAddress { try limit.admit(address: origin.address) }

        guard match.route.scope != .public else {
            let named = match.route.needsTenant ? try await tenant.require(hints) : nil
            return Admission(match: match, hints: hints, tenant: named, origin: origin)
        }
        guard let credential else {
            // Before any look-up: who shows no credential costs tenant-admin nothing.
            if match.route.scope == .tenant, hints.isEmpty { throw TenantStage.required }
            throw ProblemError.notAuthenticated("This resource needs a credential.")
        }
        let principal = try await authenticate.authenticate(credential, from: origin.address)
        var summary: TenantSummary?
        if let id = principal.tenant { summary = try await tenant.confirm(id, hints) }
        try authorise.authorise(match, principal)
        if let summary {
            try limit.admit(summary)
            usage.count(apiCalls: 1, of: summary.id)
        }
        var admission = Admission(match: match, hints: hints, tenant: summary, origin: origin)
        admission.principal = principal
        admission.recheck = { [authenticate, tenant, authorise] in
            let now = try await authenticate.reconfirm(principal, credential)
            if let id = now.tenant { _ = try await tenant.confirm(id, hints) }
            try authorise.authorise(match, now)
        }
        return admission
    }

    private func outgoing(
        _ request: Request, _ admission: Admission, to service: ServiceName, _ context: ServiceRequestContext
    ) throws -> ForwardStage.Outgoing {
        let vouched = RewriteStage.Vouched(
            assertion: try signer.assertion(for: service, caller: admission.caller), requestID: context.requestID,
            traceparent: context.traceparent, origin: admission.origin, host: request.head.authority)
        var outgoing = ForwardStage.Outgoing(
            match: admission.match, service: service, headers: forward.rewrite.request(request.headers, vouched),
            isHead: request.method == .head, recheck: admission.recheck, channel: context.channel,
            logger: context.logger)
        // Where credentials are taken a password is hashed, as at a login.
        if admission.match.route.limitsAddress, let tenant = admission.tenant {
            outgoing.turn = (queue, tenant.id, admission.origin.address)
        }
        return outgoing
    }
}

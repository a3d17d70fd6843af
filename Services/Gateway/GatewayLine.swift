import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Hummingbird
import Logging
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
    /// nil without logins (tests of the proxy alone).
    let sessions: Sessions?
    let inFlight: InFlightStage
    let queue: LoginQueue
    let usage: UsageCounter
    let forward: ForwardStage
    let local: LocalRoutes
    /// nil where there are none (tests of the proxy alone).
    let keys: APIKeys?
    let signer: AssertionSigner
    var crossOrigin: CrossOrigin?

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        guard let crossOrigin else { return try await answer(request, context) }
        let fields = crossOrigin.fields(for: request)
        do {
            var response =
                if let preflight = crossOrigin.preflight(request, methods: route.methods(at: request.head.path ?? "")) {
                    preflight
                } else {
                    try await answer(request, context)
                }
            for field in fields where response.headers[field.name] == nil { response.headers.append(field) }
            return response
        } catch {
            var problem = ProblemError(mapping: error)
            problem.headers.append(contentsOf: fields)
            throw problem
        }
    }

    private func answer(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        // A client that hangs up does not end what changes something: the request keeps its places until that has ended.
        let work = context.record.work()
        defer { work.end() }
        let match = try route.match(method: request.method.rawValue, target: request.head.path ?? "")
        // Set first: a refusal by a later stage is counted under its route, too.
        context.coreContext.endpointPath.value = match.route.template
        let peer = context.remoteAddress?.ipAddress.flatMap { ClientAddress($0) }
        let admission = try await admit(try asked(match, request.head, peer: peer), context.record)
        var response = try await serve(request, match, admission, context)
        if let left = admission.left { response.headers.append(contentsOf: left.fields) }
        return response
    }

    private func serve(
        _ request: Request, _ match: MatchedRoute, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        switch match.route.target {
        case .gateway:
            guard let endpoint = local.endpoint(for: match) else { throw ProblemError.notFound("Resource") }
            if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > match.route.bodyLimitBytes {
                throw ProblemError.payloadTooLarge(limit: match.route.bodyLimitBytes)
            }
            var context = context
            context.maxUploadSize = match.route.bodyLimitBytes
            context.bodyRate = forward.uploadRate
            context.caller = admission.caller
            context.admission = admission
            for (name, value) in match.parameters { context.coreContext.parameters[name[...]] = value[...] }
            return try await endpoint(request, context)
        case .upstream(let service):
            try await requireUnheldRole(admission)
            return try await forward.forward(request, try outgoing(request, admission, to: service, context))
        }
    }

    /// Only the gateway knows which roles API keys hold.
    private func requireUnheldRole(_ admission: Admission) async throws {
        guard Self.mayRemoveHeldRole(admission.match), let keys, let tenant = admission.tenant,
            let role = admission.match.parameters["id"].flatMap({ RoleID($0) })
        else { return }
        try await keys.requireUnheld(role, in: tenant.id)
    }

    static func mayRemoveHeldRole(_ match: MatchedRoute) -> Bool {
        match.method == "DELETE" && match.route.template == "/api/v1/roles/{id}"
    }

    /// The fields that go on to a service.
    func fields(
        of request: HTTPRequest, _ admission: Admission, to service: ServiceName, _ trace: TraceContext
    ) throws -> [(name: String, value: String)] {
        forward.rewrite.request(
            request.headerFields,
            RewriteStage.Vouched(
                assertion: try signer.assertion(for: service, caller: admission.caller), requestID: trace.requestID,
                traceparent: trace.traceparent, origin: admission.origin, host: request.authority))
    }

    private func outgoing(
        _ request: Request, _ admission: Admission, to service: ServiceName, _ context: ServiceRequestContext
    ) throws -> ForwardStage.Outgoing {
        var outgoing = ForwardStage.Outgoing(
            match: admission.match, service: service,
            headers: try fields(of: request.head, admission, to: service, context.trace),
            isHead: request.method == .head,
            isRepeatable: ForwardStage.isRepeatable(admission.match, request.headers),
            recheck: admission.recheck, channel: request.method.isSafe ? context.channel : nil,
            record: context.record, logger: context.logger)
        // Where credentials are taken a password is hashed, as at a login.
        if admission.match.route.limitsAddress, let tenant = admission.tenant {
            outgoing.turn = (queue, tenant.id, admission.origin.address)
            let client = LoginClient(origin: admission.origin, record: context.record)
            outgoing.answered = { [sessions, logger = context.logger] answer in
                guard let sessions, (200..<300).contains(answer.status), let text = answer[HeaderName.provenAccount],
                    let bytes = Base64URL.decode(text)
                else { return HTTPFields() }
                let email = String(decoding: bytes, as: UTF8.self)
                do {
                    return [.setCookie: try await sessions.restored(email, of: tenant.id, from: client)]
                } catch {
                    // What the answer says has happened; the account's delays end by themselves.
                    logger.warning("Unlocking an account failed", metadata: [LogKey.error: "\(LogText.of(error))"])
                    return HTTPFields()
                }
            }
        }
        return outgoing
    }
}

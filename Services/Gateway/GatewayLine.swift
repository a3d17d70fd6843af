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
///
/// A class, for every request takes it from the same place: a struct of so many parts would be copied, with a count to be raised in each,
/// by all event loops at once.
final class GatewayLine: RouterMiddleware {
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
    let crossOrigin: CrossOrigin?

    init(
        route: RouteStage, tenant: TenantStage, proxies: TrustedProxies, authenticate: AuthenticateStage,
        limit: LimitStage, sessions: Sessions?, inFlight: InFlightStage, queue: LoginQueue, usage: UsageCounter,
        forward: ForwardStage, local: LocalRoutes, keys: APIKeys?, signer: AssertionSigner, crossOrigin: CrossOrigin?
    ) {
        self.route = route
        self.tenant = tenant
        self.proxies = proxies
        self.authenticate = authenticate
        self.limit = limit
        self.sessions = sessions
        self.inFlight = inFlight
        self.queue = queue
        self.usage = usage
        self.forward = forward
        self.local = local
        self.keys = keys
        self.signer = signer
        self.crossOrigin = crossOrigin
    }

    func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            var response =
                if request.method == .options {
                    try options(request, context)
                } else {
                    try await answer(request, context)
                }
            crossOrigin?.complete(&response.headers, to: request.headers)
            return response
        } catch {
            noteClient(of: request, context)
            guard let crossOrigin else { throw error }
            var problem = ProblemError(mapping: error)
            crossOrigin.complete(&problem.headers, to: request.headers)
            throw problem
        }
    }

    /// What is answered before its origin was asked for, as a path that is not there, would be logged under the proxy's address: who looks for
    /// holes could not be told from anybody else.
    func noteClient(of request: Request, _ context: ServiceRequestContext) {
        guard let peer = context.remoteAddress?.ipAddress.flatMap({ ClientAddress($0) }) else { return }
        let address = proxies.origin(of: request.head, peer: peer).address
        context.record.note { $0.client = address.description }
    }

    /// What adds to an answer on the event loop what ``handle(_:context:next:)`` adds to the router's; nil: nothing.
    ///
    /// - Parameter left: nil for a request that was not counted.
    func completing(_ request: HTTPRequest, _ left: LimitStage.Left? = nil) -> ((inout HTTPFields) -> Void)? {
        guard crossOrigin != nil || left != nil else { return nil }
        return { [crossOrigin] fields in
            if let left { fields.append(contentsOf: left.fields) }
            crossOrigin?.complete(&fields, to: request.headerFields)
        }
    }

    /// What a path takes. Everybody may ask: the answer 405 says the same.
    private func options(_ request: Request, _ context: ServiceRequestContext) throws -> Response {
        let found = Result { try route.route(at: request.head.path ?? "") }
        let methods = (try? found.get())?.allowedMethods ?? []
        // A page may ask for what is not there, to be told so.
        if let fields = crossOrigin?.preflight(request.head, methods: methods, fields: forward.rewrite.accepted) {
            return Response(status: .noContent, headers: fields)
        }
        context.coreContext.endpointPath.value = try found.get().template
        return Response(status: .noContent, headers: [.allow: methods.joined(separator: ", ")])
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
        guard let left = admission.left else { return try await serve(request, match, admission, context) }
        do {
            var response = try await serve(request, match, admission, context)
            response.headers.append(contentsOf: left.fields)
            return response
        } catch {
            throw left.failed(with: error)
        }
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
            let outgoing = try outgoing(request, admission, to: service, context)
            guard let text = Self.removedRole(match), let role = RoleID(text), let keys, let tenant = admission.tenant
            else { return try await forward.forward(request, outgoing) }
            let removal = try await keys.beginRemoval(of: role, in: tenant.id)
            let response = try await forward.forward(request, outgoing)
            // What is not found may have been deleted by a first attempt whose answer was lost.
            if response.status.kind == .clientError, response.status != .notFound {
                await stays(removal, keys, context.logger)
            }
            return response
        }
    }

    /// A removal that cannot be withdrawn is over in a while.
    private func stays(_ removal: RoleRemoval, _ keys: APIKeys, _ logger: Logger) async {
        do {
            try await keys.stays(removal)
        } catch {
            logger.warning("Withdrawing a role's removal failed", metadata: [LogKey.error: "\(LogText.of(error))"])
        }
    }

    /// The id of the role that a request would remove; nil for any other request. By the path that tenant-admin is asked for, for a
    /// table may give the parameter another name.
    static func removedRole(_ match: MatchedRoute) -> String? {
        guard match.method == "DELETE" else { return nil }
        let segments = match.path.segments
        return segments.count == 4 && segments.starts(with: ["api", "v1", "roles"]) ? segments[3] : nil
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
            match: admission.match, service: service, tenant: admission.tenant?.id,
            headers: try fields(of: request.head, admission, to: service, context.trace),
            isHead: request.method == .head,
            isRepeatable: ForwardStage.isRepeatable(admission.match, request.headers),
            recheck: recheck(of: admission), channel: request.method.isSafe ? context.channel : nil,
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

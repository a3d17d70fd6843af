import Contracts
import HTTPTypes
import ServiceKit

/// Whether a request may pass. It may have to wait for an answer about who sends it, or be admitted at once, when all that must be known
/// is remembered: both ways ask the same questions in the same order.
extension GatewayLine {
    /// What a request claims, before authentication.
    struct Asked: Sendable {
        let match: MatchedRoute
        let credential: Credential?
        let hints: TenantStage.Hints
        let origin: TrustedProxies.Origin
        let kind: InFlight.Kind
    }

    /// Refuses ambiguous requests instead of guessing their meaning, on public routes too.
    ///
    /// - Throws: ``ProblemError`` of what is wrong with the request itself.
    func asked(_ match: MatchedRoute, _ request: HTTPRequest, peer: ClientAddress?) throws -> Asked {
        try Self.requireNoBody(request, match)
        try Self.requirePlainBody(request)
        try RewriteStage.requireDecisive(request.headerFields)
        let credential = try Credential.presented(in: request.headerFields)
        let hints = try tenant.hints(headers: request.headerFields, host: request.authority)
        let isStream = match.route.isStreaming || ForwardStage.streamsBody(request.headerFields, match.route)
        return Asked(
            match: match, credential: credential, hints: hints,
            origin: proxies.origin(of: request, peer: peer),
            kind: isStream ? .stream : .brief)
    }

    /// - Throws: ``ProblemError`` of the stage that refuses.
    func admit(_ asked: Asked, _ record: RequestRecord) async throws -> Admission {
        try enter(asked, record)
        guard asked.match.route.scope != .public else {
            let named = asked.match.route.needsTenant ? try await tenant.require(asked.hints) : nil
            if let named { record.note { $0.tenant = named.id.description } }
            return Admission(match: asked.match, hints: asked.hints, tenant: named, origin: asked.origin)
        }
        guard let credential = asked.credential else {
            // Before any look-up: who shows no credential costs tenant-admin nothing.
            throw ProblemError.notAuthenticated("This resource needs a credential.")
        }
        let principal = try await authenticate.authenticate(credential, from: asked.origin.address)
        try enter(asked, principal, record)
        var summary: TenantSummary?
        if let id = principal.tenant { summary = try await tenant.known(id) }
        return try admitted(asked, credential, principal, summary)
    }

    /// The same without waiting; nil, with no quota consumed, for a request that must wait or will be refused.
    ///
    /// - Throws: ``ProblemError`` when a limit has been reached.
    func admitWarm(_ asked: Asked, _ record: RequestRecord) throws -> Admission? {
        guard asked.match.route.scope != .public else {
            guard !asked.match.route.needsTenant else { return nil }
            try enter(asked, record)
            return Admission(match: asked.match, hints: asked.hints, tenant: nil, origin: asked.origin)
        }
        guard let credential = asked.credential, let principal = authenticate.warm(credential) else { return nil }
        var summary: TenantSummary?
        if let id = principal.tenant {
            guard let known = tenant.warm(id, asked.hints) else { return nil }
            summary = known
        }
        guard (try? authorise.authorise(asked.match, principal)) != nil else { return nil }
        try enter(asked, record)
        try enter(asked, principal, record)
        return try admitted(asked, credential, principal, summary)
    }

    /// A body of a GET or a DELETE has no meaning (RFC 9110 §9.3.1); reading one would only hold a connection.
    private static func requireNoBody(_ request: HTTPRequest, _ match: MatchedRoute) throws {
        guard match.method == "GET" || match.method == "DELETE" else { return }
        let length = request.headerFields[.contentLength].flatMap { Int($0) } ?? 0
        guard length == 0, !request.headerFields.contains(.transferEncoding) else {
            throw ProblemError.malformed("Send \(request.method.rawValue) without a body.")
        }
    }

    /// No service reads a compressed body: what stands compressed would be taken for what it says, and what is said to be compressed
    /// and is not would pass. Refused here, for all of them alike, before anything of it is read.
    private static func requirePlainBody(_ request: HTTPRequest) throws {
        guard request.headerFields.contains(.contentEncoding), [.post, .put, .patch].contains(request.method) else {
            return
        }
        let codings = request.headerFields[values: .contentEncoding]
        let isPlain = codings.allSatisfy { value in
            value.split(separator: ",").allSatisfy { coding in
                coding.filter { $0 != " " && $0 != "\t" }.lowercased() == "identity"
            }
        }
        guard isPlain else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "Send the body as it is, without Content-Encoding.", headers: [.acceptEncoding: "identity"])
        }
    }

    private func enter(_ asked: Asked, _ record: RequestRecord) throws {
        record.note { $0.client = asked.origin.address.description }
        try inFlight.enter(
            asked.kind, from: asked.origin.address, isStranger: asked.match.route.scope == .public, record)
        if asked.match.route.limitsAddress { try limit.admit(address: asked.origin.address) }
    }

    private func enter(_ asked: Asked, _ principal: Principal, _ record: RequestRecord) throws {
        record.note(caller: principal.caller)
        try inFlight.enter(asked.kind, principal, record)
    }

    private func admitted(
        _ asked: Asked, _ credential: Credential, _ principal: Principal, _ summary: TenantSummary?
    ) throws -> Admission {
        // Before anything forbids it: what is forbidden costs as much as what is allowed.
        let left = try summary.map { summary in
            try limit.admit(summary, by: principal.kind, in: asked.match.route.limitClass)
        }
        do {
            if let summary, let refusal = TenantStage.refusal(of: summary, asked.hints) { throw refusal }
            try authorise.authorise(asked.match, principal)
        } catch {
            throw left?.failed(with: error) ?? error
        }
        if let summary { usage.count(apiCalls: 1, of: summary.id) }
        var admission = Admission(match: asked.match, hints: asked.hints, tenant: summary, origin: asked.origin)
        admission.principal = principal
        admission.digest = credential.digest
        admission.left = left
        return admission
    }

    /// Runs the stages again during a long answer; throws a ``ProblemError`` when the request would be refused now, 503 when that
    /// cannot be checked. nil on public routes.
    func recheck(of admission: Admission) -> (@Sendable () async throws -> Void)? {
        guard let principal = admission.principal else { return nil }
        return { [authenticate, tenant, authorise] in
            let now = try await authenticate.reconfirm(principal, digest: admission.digest)
            if let id = now.tenant { _ = try await tenant.confirm(id, admission.hints) }
            try authorise.authorise(admission.match, now)
        }
    }
}

import Contracts
import HTTPTypes
import Hummingbird
import ServiceIdentity
import ServiceKit

/// Logging in and out.
struct AuthController: Controller {
    let sessions: Sessions

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "auth/login", "logIn", .namedTenant, fails: [.invalidCredentials, .lockedOut], use: logIn)
        // The refresh token itself says who it is: in the body, or in a browser's cookie where there is no body.
        routes.on(
            .post, "auth/refresh", "refreshTokens", .anyone, takes: [.sessionCookie], fails: [.invalidCredentials],
            use: refresh)
        routes.on(.post, "auth/logout", "logOut", .anyone, takes: [.sessionCookie], use: logOut)
        routes.on(.get, "auth/me", "getCurrentPrincipal", .signedIn, use: me)
        routes.on(.get, "/.well-known/jwks.json", "getPublicKeys", .anyone, use: publicKeys)
    }

    private func logIn(
        _ call: Call<TenantID>, _ query: SessionQuery, _ login: LoginRequest
    ) async throws -> SessionBegun {
        let admission = try call.admission
        guard let tenant = admission.tenant else { throw TenantStage.required }
        let client = LoginClient(
            origin: admission.origin, headers: call.request.headers, record: call.context.record)
        let (tokens, device) = try await sessions.logIn(
            login, tenant: tenant, from: client, in: try visit(call))
        var headers = HTTPFields.notStored
        headers[.setCookie] = device
        return query.session == .cookie
            ? try browserSession(tokens, call, headers: headers) : SessionBegun(tokens: tokens, headers: headers)
    }

    private func refresh(_ call: Call<Void>, _ payload: RefreshRequest?) async throws -> SessionBegun {
        let (hints, visit) = (try call.admission.hints, try self.visit(call))
        if let payload {
            let tokens = try await sessions.refresh(payload.refreshToken, hints: hints, from: visit)
            return SessionBegun(tokens: tokens, headers: .notStored)
        }
        let token = try SessionCookie.token(of: call.request)
        return try browserSession(try await sessions.refresh(token, hints: hints, from: visit), call)
    }

    private func logOut(_ call: Call<Void>, _ payload: RefreshRequest?) async throws -> SessionEnded {
        if let payload {
            try await sessions.logOut(payload.refreshToken, from: try visit(call))
            return SessionEnded(headers: [:])
        }
        try await sessions.logOut(try SessionCookie.token(of: call.request), from: try visit(call))
        return SessionEnded(headers: SessionCookie.clearing(scheme: try call.admission.origin.scheme))
    }

    /// The refresh token goes into the cookie, and nowhere a script could read it.
    private func browserSession<Who>(
        _ tokens: TokenResponse, _ call: Call<Who>, headers: HTTPFields = .notStored
    ) throws -> SessionBegun {
        let cookie = SessionCookie.setting(
            tokens.refreshToken, lifetime: sessions.lifetime, scheme: try call.admission.origin.scheme)
        return SessionBegun(tokens: tokens.withoutRefreshToken, headers: headers + cookie)
    }

    private func visit<Who: Sendable>(_ call: Call<Who>) throws -> Visit {
        Visit(
            address: try call.admission.origin.address, agent: call.request.headers[.userAgent],
            requestID: call.requestID)
    }

    private func me(_ call: Call<Author>) async throws -> OK<CurrentPrincipal> {
        let admission = try call.admission
        guard let principal = admission.principal else { throw ProblemError.notAuthenticated() }
        // Who somebody is can be told without it.
        let timeZone: String? =
            if let tenant = admission.tenant { try? await sessions.directory.timeZone(of: tenant.id) } else { nil }
        return OK(principal.current(tenant: admission.tenant, timeZone), headers: .notStored)
    }

    private func publicKeys(_ call: Call<Void>) async throws -> PublicKeys {
        PublicKeys(keys: try sessions.tokens.publicKeys)
    }
}

/// Where a login's refresh token goes.
struct SessionQuery: RouteQuery {
    enum Kind: String, CaseIterable {
        /// Into the answer.
        case token
        /// Into a cookie that no script can read: a browser's session.
        case cookie
    }

    let session: Kind

    init(_ query: inout QueryParameters) { session = query.choice("session", default: Kind.token) }
}

/// 200, the tokens of a login or a refresh; a browser's refresh token in a cookie.
struct SessionBegun: RouteAnswer {
    let tokens: TokenResponse
    let headers: HTTPFields

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.data(TokenResponse.self)], headers: [.setCookie])
    }

    func response(to request: Request) throws -> Response { try OK(tokens, headers: headers).response(to: request) }
}

/// 204; a browser's cookie is taken away.
struct SessionEnded: RouteAnswer {
    let headers: HTTPFields

    static var description: AnswerDescription { AnswerDescription(.noContent, headers: [.setCookie]) }

    func response(to request: Request) throws -> Response {
        try NoContent(headers: headers).response(to: request)
    }
}

/// Not in our envelope: readers of JWKS expect the set itself (RFC 7517 §5).
struct PublicKeys: RouteAnswer {
    let keys: PublicKeySet

    private static let mediaType = "application/jwk-set+json"

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.document(PublicKeySet.self, mediaType: mediaType)])
    }

    func response(to request: Request) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: Self.mediaType, .cacheControl: "public, max-age=300"],
            body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(keys))))
    }
}

extension Principal {
    fileprivate func current(tenant: TenantSummary?, _ timeZone: String?) -> CurrentPrincipal {
        let (kind, id) =
            switch kind {
            case .user(let id, _): ("user", Optional(id.rawValue))
            case .apiKey(let id): ("api_key", Optional(id.rawValue))
            case .platformOperator: ("platform_operator", nil)
            }
        return CurrentPrincipal(
            kind: kind, id: id, email: email, name: name, tenant: tenant, timeZone: timeZone, roles: roles,
            permissions: permissions)
    }
}

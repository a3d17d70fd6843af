import Contracts
import Hummingbird
import ServiceKit

/// Logging in and out.
///
/// | method | path | permission |
/// | --- | --- | --- |
/// | POST | /api/v1/auth/login | none; the tenant by subdomain or X-Tenant-ID |
/// | POST | /api/v1/auth/refresh | none; the refresh token itself |
/// | POST | /api/v1/auth/logout | none; the refresh token itself |
/// | GET | /api/v1/auth/me | any credential |
/// | GET | /.well-known/jwks.json | none |
struct AuthController: LocalController {
    let sessions: Sessions

    static let routes: [(LocalRoutes.Key, @Sendable (Self) -> LocalRoutes.Handler)] = [
        (.init("POST", "/api/v1/auth/login"), { $0.logIn }),
        (.init("POST", "/api/v1/auth/refresh"), { $0.refresh }),
        (.init("POST", "/api/v1/auth/logout"), { $0.logOut }),
        (.init("GET", "/api/v1/auth/me"), { $0.me }),
        (.init("GET", "/.well-known/jwks.json"), { $0.publicKeys }),
    ]

    @Sendable func logIn(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        guard let tenant = admission.tenant else { throw TenantStage.required }
        let login = try await request.payload(LoginRequest.self, context: context)
        return try unstored(
            try await sessions.logIn(login, tenant: tenant, address: admission.origin.address))
    }

    @Sendable func refresh(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        let payload = try await request.payload(RefreshRequest.self, context: context)
        return try unstored(try await sessions.refresh(payload.refreshToken, hints: admission.hints))
    }

    @Sendable func logOut(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        let payload = try await request.payload(RefreshRequest.self, context: context)
        try await sessions.logOut(payload.refreshToken)
        return Answer.noContent()
    }

    @Sendable func me(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        guard let principal = admission.principal else { throw ProblemError.notAuthenticated() }
        return try Answer.data(principal.current(tenant: admission.tenant), headers: [.cacheControl: "no-store"])
    }

    @Sendable func publicKeys(
        _ request: Request, _ admission: Admission, _ context: ServiceRequestContext
    ) async throws -> Response {
        try request.rejectQuery()
        // Not in our envelope: readers of JWKS expect the set itself (RFC 7517 §5).
        let bytes = try WireJSON.encode(sessions.tokens.publicKeys)
        return Response(
            status: .ok, headers: [.contentType: "application/jwk-set+json", .cacheControl: "public, max-age=300"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func unstored(_ tokens: TokenResponse) throws -> Response {
        try Answer.data(tokens, headers: [.cacheControl: "no-store"])
    }
}

extension Principal {
    fileprivate func current(tenant: TenantSummary?) -> CurrentPrincipal {
        let (kind, id) =
            switch kind {
            case .user(let id, _): ("user", Optional(id.rawValue))
            case .apiKey(let id): ("api_key", Optional(id.rawValue))
            case .platformOperator: ("platform_operator", nil)
            }
        return CurrentPrincipal(
            kind: kind, id: id, email: email, name: name, tenant: tenant, roles: roles, permissions: permissions)
    }
}

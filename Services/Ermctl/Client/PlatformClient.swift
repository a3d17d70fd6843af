import Contracts
import Foundation
import HTTPClient
import Logging

/// Speaks to the gateway for one person or machine and keeps their access token fresh.
actor PlatformClient {
    enum Credential: Sendable {
        case none
        /// The platform operator's key or an API key.
        case key(String)
        case session(Session, SessionStore)
    }

    private let http: HTTPClient
    nonisolated let url: String
    private var credential: Credential
    private let tenant: TenantID?
    private let patience: Patience

    /// - Parameters:
    ///   - tenant: sent as `X-Tenant-ID`: which tenant a login or an API key is for.
    ///   - patience: with everything but uploads.
    init(url: String, credential: Credential, tenant: TenantID? = nil, patience: Patience = .short) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.credential = credential
        self.tenant = tenant
        self.patience = patience
        var configuration = HTTPClientConfiguration()
        configuration.userAgent = "ermctl"
        http = HTTPClient(
            configuration: configuration, logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// The client of the stored session.
    static func loggedIn(
        _ store: SessionStore = SessionStore(), patience: Patience = .short
    ) throws -> PlatformClient {
        let session = try store.load()
        return PlatformClient(url: session.url, credential: .session(session, store), patience: patience)
    }

    func close() async { await http.shutdown() }

    func get<T: Codable & Sendable>(_ path: String, _ type: T.Type = T.self) async throws -> T {
        try await envelope("GET", path).data
    }

    /// Every item of a list, following its cursors.
    func list<T: Codable & Sendable>(_ path: String, of type: T.Type = T.self, atMost maximum: Int = .max) async throws
        -> [T]
    {
        var items: [T] = []
        var cursor: String?
        repeat {
            let limit = min(maximum - items.count, Page.maximumLimit)
            let separator = path.contains("?") ? "&" : "?"
            let next = cursor.map { "&cursor=\(Self.escaped($0))" } ?? ""
            let page: Success<[T]> = try await envelope("GET", "\(path)\(separator)limit=\(limit)\(next)")
            items += page.data
            cursor = page.page?.nextCursor
        } while cursor != nil && items.count < maximum
        return items
    }

    func post<T: Codable & Sendable>(_ path: String, _ payload: some Encodable & Sendable, _ type: T.Type = T.self)
        async throws -> T
    {
        // So that what is sent again after an answer got lost is not made twice.
        let once = (name: HeaderName.idempotencyKey, value: UUID().uuidString)
        return try await envelope(
            "POST", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json", headers: [once]
        ).data
    }

    func put<T: Codable & Sendable>(_ path: String, _ payload: some Encodable & Sendable, _ type: T.Type = T.self)
        async throws -> T
    {
        try await envelope("PUT", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json")
            .data
    }

    /// A write of people's time or of a booking, with what a planner should know of it.
    func write<T: Codable & Sendable>(
        _ method: String, _ path: String, _ payload: some Encodable & Sendable
    ) async throws -> Written<T> {
        let once = method == "POST" ? [(name: HeaderName.idempotencyKey, value: UUID().uuidString)] : []
        let answer: Success<T> = try await envelope(
            method, path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json", headers: once)
        return Written(data: answer.data, warnings: answer.warnings ?? [])
    }

    func patch<T: Codable & Sendable>(_ path: String, _ payload: some Encodable & Sendable) async throws -> T {
        try await envelope("PATCH", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json")
            .data
    }

    /// For what answers without a body.
    func postWithoutAnswer(_ path: String) async throws { _ = try await bytes("POST", path) }

    func postWithoutAnswer(_ path: String, _ payload: some Encodable & Sendable) async throws {
        _ = try await bytes(
            "POST", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json")
    }

    func delete(_ path: String) async throws { _ = try await bytes("DELETE", path) }

    /// Sends a file as it is read; calls `sent` with the number of bytes sent.
    /// - Parameter range: the bytes of it that are sent; nil for all.
    func upload<T: Codable & Sendable>(
        _ path: String, file: URL, range: Range<Int>? = nil, contentType: String,
        sent: @escaping @Sendable (Int) -> Void
    ) async throws -> T {
        let length = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
        let body = FileChunks(path: file.path, range: range ?? 0..<(length ?? .max), sent: sent)
        return try await envelope(
            "POST", path, body: .stream(length: range?.count ?? length, body), contentType: contentType
        ).data
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }

    private func envelope<T: Codable & Sendable>(
        _ method: String, _ path: String, body: HTTPClientRequestBody = .none, contentType: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> Success<T> {
        let answer = try await bytes(method, path, body: body, contentType: contentType, headers: headers)
        return try WireJSON.decode(from: answer)
    }

    /// The body of a successful answer.
    private func bytes(
        _ method: String, _ path: String, body: HTTPClientRequestBody = .none, contentType: String? = nil,
        headers: [(name: String, value: String)] = []
    ) async throws -> [UInt8] {
        try await patience.retrying {
            var headers = headers + [("Accept", "application/json")]
            if let contentType { headers.append(("Content-Type", contentType)) }
            if let token = try await bearer() { headers.append((HeaderName.authorization, "Bearer \(token)")) }
            if let tenant { headers.append((HeaderName.tenantID, tenant.description)) }
            return try await answer(
                HTTPClientRequest(
                    method: method, url: url + path, headers: headers, body: body, deadline: .seconds(3600)))
        }
    }

    /// One attempt.
    /// - Throws: ``TransientFailure`` where another may be made, else ``CommandFailure``.
    private func answer(_ request: HTTPClientRequest) async throws -> [UInt8] {
        let isReplayable = if case .stream = request.body { false } else { true }
        let response: HTTPClientResponse
        let bytes: [UInt8]
        do {
            response = try await http.execute(request)
            bytes = try await response.collect(upTo: 64 << 20)
        } catch let error as HTTPClientError {
            let failure = CommandFailure("\(url) did not answer: \(error)")
            guard isReplayable, error.isRetryable, request.isIdempotent || !error.requestMayHaveBeenProcessed else {
                throw failure
            }
            throw TransientFailure(failure: failure, retryAfter: nil)
        }
        guard !(200..<300).contains(response.status) else { return bytes }
        let problem = try? WireJSON.decode(Problem.self, from: bytes)
        let failure =
            problem.map(CommandFailure.init(problem:))
            ?? CommandFailure("\(url) answered with status \(response.status).")
        // What was refused with 503 was not carried out.
        guard isReplayable, response.status == 503 || (request.isIdempotent && [502, 504].contains(response.status))
        else { throw failure }
        throw TransientFailure(
            failure: failure, retryAfter: response["Retry-After"].flatMap(Int.init).map { .seconds(max(0, $0)) })
    }

    /// The token to show, refreshed when it has less than a minute left.
    func bearer() async throws -> String? {
        switch credential {
        case .none: return nil
        case .key(let key): return key
        case .session(var session, let store):
            if session.isFresh { return session.accessToken }
            // Another command of the same login may have refreshed it meanwhile. A refresh token that is used twice ends the session.
            if session.login != nil, let stored = try? store.load(), stored.login == session.login {
                session = stored
                credential = .session(session, store)
                if session.isFresh { return session.accessToken }
            }
            let answer = try await answer(
                HTTPClientRequest(
                    method: "POST", url: url + "/api/v1/auth/refresh",
                    headers: [
                        ("Content-Type", "application/json"), (HeaderName.tenantID, session.tenantID.description),
                    ],
                    body: .bytes(try WireJSON.encode(RefreshRequest(refreshToken: session.refreshToken))),
                    deadline: .seconds(30)))
            session.renew(with: try WireJSON.decode(Success<TokenResponse>.self, from: answer).data)
            try store.save(session)
            credential = .session(session, store)
            return session.accessToken
        }
    }
}

extension Session {
    init(url: String, subdomain: String?, tokens: TokenResponse) {
        self.init(
            url: url, tenantID: tokens.tenantId, subdomain: subdomain, accessToken: tokens.accessToken,
            refreshToken: tokens.refreshToken, expiresAt: Date(timeIntervalSinceNow: Double(tokens.expiresIn)),
            login: UUID())
    }

    mutating func renew(with tokens: TokenResponse) {
        accessToken = tokens.accessToken
        refreshToken = tokens.refreshToken
        expiresAt = Date(timeIntervalSinceNow: Double(tokens.expiresIn))
    }
}

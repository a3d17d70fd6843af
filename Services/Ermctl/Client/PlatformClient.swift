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

    /// - Parameter tenant: sent as `X-Tenant-ID`: which tenant a login or an API key is for.
    init(url: String, credential: Credential, tenant: TenantID? = nil) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.credential = credential
        self.tenant = tenant
        var configuration = HTTPClientConfiguration()
        configuration.userAgent = "ermctl"
        http = HTTPClient(
            configuration: configuration, logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// The client of the stored session.
    static func loggedIn(_ store: SessionStore = SessionStore()) throws -> PlatformClient {
        let session = try store.load()
        return PlatformClient(url: session.url, credential: .session(session, store))
    }

    func close() async { await http.shutdown() }

    func get<T: Codable & Sendable>(_ path: String, _ type: T.Type = T.self) async throws -> T {
        try await envelope("GET", path, body: .none, contentType: nil, retries: 3).data
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
            let page: Success<[T]> = try await envelope(
                "GET", "\(path)\(separator)limit=\(limit)\(next)", body: .none, contentType: nil, retries: 3)
            items += page.data
            cursor = page.page?.nextCursor
        } while cursor != nil && items.count < maximum
        return items
    }

    func post<T: Codable & Sendable>(_ path: String, _ payload: some Encodable & Sendable, _ type: T.Type = T.self)
        async throws -> T
    {
        try await envelope(
            "POST", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json", retries: 0
        ).data
    }

    func put<T: Codable & Sendable>(_ path: String, _ payload: some Encodable & Sendable, _ type: T.Type = T.self)
        async throws -> T
    {
        try await envelope(
            "PUT", path, body: .bytes(try WireJSON.encode(payload)), contentType: "application/json", retries: 0
        ).data
    }

    func delete(_ path: String) async throws {
        _ = try await answer(try await request("DELETE", path, body: .none, contentType: nil, retries: 0))
    }

    /// Sends a file as it is read; `sent` is told how many bytes have gone out.
    func upload<T: Codable & Sendable>(
        _ path: String, file: URL, contentType: String, sent: @escaping @Sendable (Int) -> Void
    ) async throws -> T {
        let length = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
        let body = FileChunks(path: file.path, sent: sent)
        return try await envelope(
            "POST", path, body: .stream(length: length, body), contentType: contentType, retries: 0
        ).data
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? ""
    }

    private func envelope<T: Codable & Sendable>(
        _ method: String, _ path: String, body: HTTPClientRequestBody, contentType: String?, retries: Int
    ) async throws -> Success<T> {
        try await exchange(
            try await request(method, path, body: body, contentType: contentType, retries: retries))
    }

    private func request(
        _ method: String, _ path: String, body: HTTPClientRequestBody, contentType: String?, retries: Int
    ) async throws -> HTTPClientRequest {
        var headers: [(name: String, value: String)] = [("Accept", "application/json")]
        if let contentType { headers.append(("Content-Type", contentType)) }
        if let token = try await bearer() { headers.append((HeaderName.authorization, "Bearer \(token)")) }
        if let tenant { headers.append((HeaderName.tenantID, tenant.description)) }
        return HTTPClientRequest(
            method: method, url: url + path, headers: headers, body: body, deadline: .seconds(3600), retries: retries)
    }

    private func exchange<T: Codable & Sendable>(_ request: HTTPClientRequest) async throws -> Success<T> {
        try WireJSON.decode(Success<T>.self, from: try await answer(request))
    }

    /// The body of a successful answer.
    private func answer(_ request: HTTPClientRequest) async throws -> [UInt8] {
        let response: HTTPClientResponse
        let bytes: [UInt8]
        do {
            response = try await http.execute(request)
            bytes = try await response.collect(upTo: 64 << 20)
        } catch let error as HTTPClientError {
            throw CommandFailure("\(url) did not answer: \(error)")
        }
        guard (200..<300).contains(response.status) else {
            if let problem = try? WireJSON.decode(Problem.self, from: bytes) { throw CommandFailure(problem: problem) }
            throw CommandFailure("\(url) answered with status \(response.status).")
        }
        return bytes
    }

    /// The token to show, refreshed when it has less than a minute left.
    private func bearer() async throws -> String? {
        switch credential {
        case .none: return nil
        case .key(let key): return key
        case .session(var session, let store):
            if session.expiresAt.timeIntervalSinceNow > 60 { return session.accessToken }
            let tokens: Success<TokenResponse> = try await exchange(
                HTTPClientRequest(
                    method: "POST", url: url + "/api/v1/auth/refresh",
                    headers: [
                        ("Content-Type", "application/json"), (HeaderName.tenantID, session.tenantID.description),
                    ],
                    body: .bytes(try WireJSON.encode(RefreshRequest(refreshToken: session.refreshToken))),
                    deadline: .seconds(30)))
            session.renew(with: tokens.data)
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
            refreshToken: tokens.refreshToken, expiresAt: Date(timeIntervalSinceNow: Double(tokens.expiresIn)))
    }

    mutating func renew(with tokens: TokenResponse) {
        accessToken = tokens.accessToken
        refreshToken = tokens.refreshToken
        expiresAt = Date(timeIntervalSinceNow: Double(tokens.expiresIn))
    }
}

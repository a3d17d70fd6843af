import Contracts
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Console, over live sockets", .timeLimit(.minutes(3)))
struct ConsoleTests {
    @Test("the start page and its modules come with a strict policy, compressed, and are revalidated")
    func files() async throws {
        try await RunningGateway.with { gateway async throws in
            let page = try await gateway.send("GET", "/")
            let module = try await gateway.send("GET", "/lib/api.js", headers: [("Accept-Encoding", "br, gzip")])
            let plain = try await gateway.send("GET", "/lib/api.js", headers: [("Accept-Encoding", "gzip;q=0")])
            let tag = try #require(module.header("ETag"))
            let again = try await gateway.send("GET", "/lib/api.js", headers: [("If-None-Match", tag)])

            #expect(page.status == 200)
            #expect(page.header("Content-Type") == "text/html; charset=utf-8")
            let policy = try #require(page.header("Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"))
            #expect(!policy.contains("unsafe") && !policy.contains("*"))
            #expect(module.header("Content-Encoding") == "gzip")
            #expect(Array(module.body.prefix(2)) == [0x1f, 0x8b])
            #expect(plain.header("Content-Encoding") == nil)
            #expect(String(decoding: plain.body, as: UTF8.self).contains("export class Api"))
            #expect(again.status == 304)
        }
    }

    @Test("behind a trusted proxy a file is logged with the client's address")
    func behindProxy() async throws {
        let lines = Mutex("")
        let folder = ServiceDatabases.repository.appendingPathComponent("Services/Console").path
        try await ProxyBench.with(
            upstreamPorts: [1], routes: [try ProxyBench.route("/x")],
            proxies: try #require(TrustedProxies(list: "127.0.0.0/8")), console: try ConsoleFiles(folder: folder),
            accessLines: { text in lines.withLock { $0 += text } }
        ) { bench in
            #expect(try await bench.send("GET", "/main.js", [("X-Forwarded-For", "192.0.2.9")]).status == 200)
            try await waitUntil("the request is logged") { lines.withLock { !$0.isEmpty } }
            #expect(lines.withLock { $0 }.contains("192.0.2.9"))
        }
    }

    @Test("only the console's own files are served, and only to be read")
    func nothingElse() async throws {
        try await RunningGateway.with { gateway async throws in
            for path in [
                "/../Package.swift", "/lib/..%2f..%2fPackage.swift", "/lib", "/Services/Console/main.js", "/nothing.js",
            ] {
                #expect(try await gateway.send("GET", path).status >= 400, "\(path)")
            }
            #expect(try await gateway.send("POST", "/main.js", json: ["a": 1]).status >= 400)
        }
    }

    @Test("a page names no other origin and holds no script or style of its own")
    func pageKeepsItsPolicy() throws {
        let folder = ServiceDatabases.repository.appendingPathComponent("Services/Console")
        let files = try #require(FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String])
        for name in files where name.hasSuffix(".html") || name.hasSuffix(".js") || name.hasSuffix(".css") {
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            let foreign = text.matches(of: /https?:\/\/[^"'` )]+/).map { String($0.output) }
                .filter { $0 != "http://www.w3.org/2000/svg" }
            #expect(foreign == [], "\(name)")
            #expect(!text.contains("innerHTML") && !text.contains("insertAdjacentHTML"), "\(name)")
            if name.hasSuffix(".html") {
                #expect(text.firstMatch(of: /<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=/) == nil)
            }
        }
    }
}

@Suite("Browser sessions, over live sockets and a real database", .timeLimit(.minutes(3)))
struct BrowserSessionTests {
    private static let password = "correct horse battery"

    /// A login that asked for a cookie: its answer, and the cookie as a browser sends it back.
    private func withLogin(
        _ body: @escaping @Sendable (RunningGateway, Reply, String) async throws -> Void
    ) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", Self.password, in: tenant.id)
            let login = try await gateway.send(
                "POST", "/api/v1/auth/login?session=cookie", tenant: tenant.id,
                json: LoginRequest(email: "ada@acme.example", password: Self.password))
            let cookie = try #require(login.sessionCookie?.split(separator: ";").first)
            try await body(gateway, login, String(cookie))
        }
    }

    private func origin(_ gateway: RunningGateway) -> (name: String, value: String) { ("Origin", gateway.urls[0]) }

    @Test("the refresh token goes into a cookie that no script can read, and not into the answer")
    func cookie() async throws {
        try await withLogin { gateway, login, cookie async throws in
            let header = try #require(login.sessionCookie)
            #expect(login.status == 200)
            #expect(try login.data(TokenResponse.self).refreshToken.isEmpty)
            for part in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] { #expect(header.contains(part)) }

            let renewed = try await gateway.send(
                "POST", "/api/v1/auth/refresh", headers: [("Cookie", cookie), origin(gateway)])
            #expect(renewed.status == 200)
            #expect(try renewed.data(TokenResponse.self).refreshToken.isEmpty)
            let next = try #require(renewed.sessionCookie?.split(separator: ";").first)
            #expect(String(next) != cookie)
        }
    }

    @Test("a request that no page of ours has sent gets nothing for the cookie")
    func foreignPages() async throws {
        try await withLogin { gateway, _, cookie async throws in
            let foreign: [[(name: String, value: String)]] = [
                [], [("Origin", "http://evil.example")], [("Origin", "null")],
                [origin(gateway), ("Origin", "http://evil.example")],
                [origin(gateway), ("Sec-Fetch-Site", "cross-site")],
            ]
            for path in ["/api/v1/auth/refresh", "/api/v1/auth/logout"] {
                for headers in foreign {
                    let reply = try await gateway.send("POST", path, headers: headers + [("Cookie", cookie)])
                    #expect(reply.status == 403, "\(path) \(headers)")
                }
            }
            let own = try await gateway.send(
                "POST", "/api/v1/auth/refresh", headers: [("Cookie", cookie), origin(gateway)])
            #expect(own.status == 200)
        }
    }

    @Test("logging out ends the session and takes the cookie away")
    func logOut() async throws {
        try await withLogin { gateway, _, cookie async throws in
            let out = try await gateway.send(
                "POST", "/api/v1/auth/logout", headers: [("Cookie", cookie), origin(gateway)])
            let after = try await gateway.send(
                "POST", "/api/v1/auth/refresh", headers: [("Cookie", cookie), origin(gateway)])

            #expect(out.status == 204)
            #expect(out.sessionCookie?.contains("Max-Age=0") == true)
            #expect(after.status == 401)
        }
    }

    @Test("without a cookie and without a token there is no session")
    func nothing() async throws {
        try await RunningGateway.with { gateway async throws in
            #expect(try await gateway.send("POST", "/api/v1/auth/refresh", headers: [origin(gateway)]).status == 401)
        }
    }
}

extension Reply {
    /// Of the cookies that the answer sets, the session's: a login sets another one, which knows the device again.
    fileprivate var sessionCookie: String? {
        headers.first { $0.name.lowercased() == "set-cookie" && $0.value.hasPrefix("\(SessionCookie.name)=") }?.value
    }
}

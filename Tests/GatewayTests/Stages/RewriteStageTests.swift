import HTTPTypes
import Testing

@testable import Gateway

@Suite("Rewrite stage")
struct RewriteStageTests {
    private func fields(_ pairs: [(String, String)]) throws -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in pairs { fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        return fields
    }

    private func rewritten(
        _ pairs: [(String, String)], address: String = "192.0.2.7", host: String? = "erm.example:8080",
        scheme: String = "http"
    ) throws
        -> [(name: String, value: String)]
    {
        RewriteStage().request(
            try fields(pairs),
            .init(
                assertion: "assertion", requestID: "request", traceparent: "trace",
                origin: .init(address: try #require(ClientAddress(address)), scheme: scheme), host: host))
    }

    private func names(_ headers: [(name: String, value: String)]) -> [String] { headers.map { $0.name.lowercased() } }

    @Test(
        "fields that state the caller, the tenant or the connection do not pass",
        arguments: [
            "Authorization", "X-API-Key", "Cookie", "X-Tenant-ID", "x-tenant-id", "X_Tenant_ID", "X-Tenant",
            "X-User-ID",
            "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP", "X-Original-URL",
            "X-HTTP-Method-Override",
            "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
            "Upgrade", "Content-Length", "Expect", "X-Request-ID", "traceparent", "X-ERM-Permissions", "X-Roles",
        ])
    func deleted(name: String) throws {
        let headers = try rewritten([(name, "smuggled"), ("Accept", "a")])
        #expect(!headers.contains { $0.value.contains("smuggled") })
        #expect(headers.contains { $0 == ("Accept", "a") })
    }

    @Test("a field that is not listed does not pass, one that the configuration lists does")
    func listed() throws {
        let request = try fields([("X-Anything", "1"), ("X-Listed", "2"), ("Idempotency-Key", "3")])
        let vouched = RewriteStage.Vouched(
            assertion: "assertion", requestID: "request", traceparent: "trace",
            origin: .init(address: .unknown, scheme: "http"), host: nil)
        let kept = names(RewriteStage(also: ["x-listed"]).request(request, vouched))
        #expect(kept.contains("x-listed") && kept.contains("idempotency-key") && !kept.contains("x-anything"))
    }

    @Test("fields that Connection names do not pass either")
    func connection() throws {
        let headers = try rewritten([
            ("Connection", "close, X-Secret"), ("Connection", "\tx-other "), ("X-Secret", "1"), ("X-Other", "2"),
            ("Connection", "accept-language"), ("Accept-Language", "de"), ("User-Agent", "me"),
        ])
        #expect(!names(headers).contains("x-secret"))
        #expect(!names(headers).contains("x-other"))
        #expect(!names(headers).contains("accept-language"))
        #expect(names(headers).contains("user-agent"))
    }

    @Test("naming the gateway's own headers in Connection does not take them away")
    func ownStay() throws {
        let headers = try rewritten([("Connection", "authorization, x-request-id, traceparent, forwarded")])
        #expect(headers.contains { $0 == ("Authorization", "Bearer assertion") })
        #expect(headers.contains { $0 == ("X-Request-ID", "request") })
        #expect(headers.contains { $0 == ("traceparent", "trace") })
        #expect(headers.contains { $0 == ("Forwarded", "for=192.0.2.7;host=\"erm.example:8080\";proto=http") })
    }

    @Test("the verified scheme of the client is passed on")
    func scheme() throws {
        let headers = try rewritten([("X-Forwarded-Proto", "smuggled")], scheme: "https")
        #expect(headers.contains { $0 == ("Forwarded", "for=192.0.2.7;host=\"erm.example:8080\";proto=https") })
    }

    @Test("each of the gateway's own headers is sent once")
    func once() throws {
        let headers = try rewritten([
            ("Authorization", "Bearer mine"), ("X-Request-ID", "a"), ("Forwarded", "for=evil"),
        ])
        for name in ["authorization", "x-request-id", "forwarded", "traceparent"] {
            #expect(names(headers).count { $0 == name } == 1)
        }
    }

    @Test("an IPv6 address is quoted, a host that could break out of its quotes is left out")
    func forwarded() throws {
        let headers = try rewritten([], address: "2001:db8::1", host: "a\";for=evil")
        #expect(headers.contains { $0 == ("Forwarded", "for=\"[2001:db8::1]\";proto=http") })
    }

    @Test("X-Forwarded-For, -Proto and -Host say what is verified, once each, and nothing of what the client writes")
    func olderFields() throws {
        let headers = try rewritten(
            [
                ("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-Proto", "http"),
                ("X-Forwarded-Host", "evil.example"),
                ("Connection", "x-forwarded-for, x-forwarded-host"),
            ], address: "2001:db8::1", scheme: "https")
        let older = headers.filter { $0.name.lowercased().hasPrefix("x-forwarded-") }
        #expect(older.map { $0.name } == ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"])
        #expect(older.map { $0.value } == ["2001:db8::1", "https", "erm.example:8080"])
        let unquotable = try rewritten([], host: "a\";for=evil")
        #expect(!unquotable.contains { $0.name == "X-Forwarded-Host" })
    }

    @Test("the answer's hop-by-hop fields end at the gateway, others come back in order")
    func response() {
        let answer: [(name: String, value: String)] = [
            ("Content-Type", "text/plain"), ("Connection", "x-hop"), ("X-Hop", "1"), ("Transfer-Encoding", "chunked"),
            ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Request-ID", "theirs"), ("ETag", "\"1\""),
            ("bad name", "x"),
        ]
        let fields = RewriteStage().response(answer)
        #expect(fields.map(\.name.canonicalName) == ["content-type", "set-cookie", "set-cookie", "etag"])
    }
}

import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit
import Testing

@testable import Gateway

@Suite("The scheme of a connection, where no proxy of ours says otherwise", .timeLimit(.minutes(3)))
struct ConnectionSchemeTests {
    private static let origin = HTTPField.Name("Origin")!

    @Test("a proxy is believed, and nobody else; who comes by TLS comes by https")
    func scheme() throws {
        let proxies = try #require(TrustedProxies(list: "10.0.0.1"))
        func scheme(_ connection: String, from peer: String, _ stated: String? = nil) -> String {
            var request = HTTPRequest(method: .get, scheme: connection, authority: "erm.example", path: "/")
            if let stated { request.headerFields[HTTPField.Name("X-Forwarded-Proto")!] = stated }
            return proxies.origin(of: request, peer: ClientAddress(peer)).scheme
        }
        #expect(scheme("https", from: "192.0.2.1") == "https")
        #expect(scheme("https", from: "192.0.2.1", "http") == "https")
        #expect(scheme("https", from: "10.0.0.1") == "https")
        #expect(scheme("https", from: "10.0.0.1", "http") == "http")
        #expect(scheme("http", from: "10.0.0.1", "https") == "https")
        #expect(scheme("http", from: "192.0.2.1", "https") == "http")
    }

    @Test("by TLS the session cookie is good only for pages that came by https")
    func ownOrigin() throws {
        func token(_ scheme: String, _ origin: String) throws -> String {
            var head = HTTPRequest(
                method: .post, scheme: scheme, authority: "erm.example", path: "/api/v1/auth/refresh")
            head.headerFields[.cookie] = "\(SessionCookie.name)=abc"
            head.headerFields[Self.origin] = origin
            return try SessionCookie.token(of: Request(head: head, body: RequestBody(buffer: ByteBuffer())))
        }
        #expect(try token("https", "https://erm.example") == "abc")
        #expect(throws: ProblemError.self) { try token("https", "http://erm.example") }
        #expect(throws: ProblemError.self) { try token("https", "https://other.example") }
        // Behind a proxy that takes TLS.
        #expect(try token("http", "https://erm.example") == "abc")
    }
}

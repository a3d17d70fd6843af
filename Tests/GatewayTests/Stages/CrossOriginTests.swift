import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import Gateway

@Suite("Pages of other origins")
struct CrossOriginTests {
    private let crossOrigin = CrossOrigin(origins: ["https://app.example"], maximumAge: .seconds(600))

    private func request(_ method: HTTPRequest.Method, _ headers: HTTPFields) -> Request {
        Request(
            head: HTTPRequest(method: method, scheme: "http", authority: "a", path: "/x", headerFields: headers),
            body: RequestBody(buffer: ByteBuffer()))
    }

    @Test("a page of an allowed origin may ask and read, one of another may not")
    func origins() {
        let own = crossOrigin.fields(for: request(.get, [.origin: "https://app.example"]))
        #expect(own[.accessControlAllowOrigin] == "https://app.example" && own[.vary] == "Origin")
        #expect(own[.accessControlAllowCredentials] == nil)
        // A cache must not give a page what was answered to a request without its origin.
        #expect(crossOrigin.fields(for: request(.get, [.origin: "https://evil.example"])) == [.vary: "Origin"])
        #expect(crossOrigin.fields(for: request(.get, [:])) == [.vary: "Origin"])
    }

    @Test("a preflight request gets the route's methods")
    func preflight() {
        let asks: HTTPFields = [.origin: "https://app.example", .accessControlRequestMethod: "PUT"]
        let answer = crossOrigin.preflight(request(.options, asks), methods: ["GET", "PUT"])
        #expect(answer?.status == .noContent)
        #expect(answer?.headers[.accessControlAllowMethods] == "GET, PUT")
        #expect(answer?.headers[.accessControlMaxAge] == "600")
        #expect(crossOrigin.preflight(request(.options, [.origin: "https://app.example"]), methods: []) == nil)
        #expect(crossOrigin.preflight(request(.get, asks), methods: []) == nil)
        let evil: HTTPFields = [.origin: "https://evil.example", .accessControlRequestMethod: "PUT"]
        #expect(crossOrigin.preflight(request(.options, evil), methods: []) == nil)
    }
}

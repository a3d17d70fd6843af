import HTTPTypes
import Testing

@testable import Gateway

@Suite("Pages of other origins")
struct CrossOriginTests {
    private let crossOrigin = CrossOrigin(origins: ["https://app.example"], maximumAge: .seconds(600))

    private func completed(_ answer: HTTPFields = [:], to request: HTTPFields) -> HTTPFields {
        var answer = answer
        crossOrigin.complete(&answer, to: request)
        return answer
    }

    @Test("a page of an allowed origin may ask and read, one of another may not")
    func origins() {
        let own = completed(to: [.origin: "https://app.example"])
        #expect(own[.accessControlAllowOrigin] == "https://app.example" && own[.vary] == "Origin")
        #expect(own[.accessControlAllowCredentials] == nil)
        // A cache must not give a page what was answered to a request without its origin.
        #expect(completed(to: [.origin: "https://evil.example"]) == [.vary: "Origin"])
        #expect(completed(to: [:]) == [.vary: "Origin"])
        #expect(completed([.vary: "Accept-Encoding"], to: [:])[values: .vary] == ["Accept-Encoding", "Origin"])
    }

    @Test("a preflight request gets the route's methods, and the fields that requests may bring")
    func preflight() {
        func answer(_ method: HTTPRequest.Method, _ fields: HTTPFields) -> HTTPFields? {
            let request = HTTPRequest(method: method, scheme: "http", authority: "a", path: "/x", headerFields: fields)
            return crossOrigin.preflight(request, methods: ["GET", "PUT"], fields: ["if-match", "x-feature"])
        }
        let asks: HTTPFields = [.origin: "https://app.example", .accessControlRequestMethod: "PUT"]
        let allowed = answer(.options, asks)
        #expect(allowed?[.accessControlAllowMethods] == "GET, PUT")
        #expect(allowed?[.accessControlAllowHeaders] == "if-match, x-feature")
        #expect(allowed?[.accessControlMaxAge] == "600")
        #expect(answer(.options, [.origin: "https://app.example"]) == nil)
        #expect(answer(.get, asks) == nil)
        let evil: HTTPFields = [.origin: "https://evil.example", .accessControlRequestMethod: "PUT"]
        #expect(answer(.options, evil) == nil)
    }
}

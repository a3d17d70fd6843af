import Contracts
import HTTPTypes
import ServiceIdentity
import ServiceKit
import Testing

@testable import Gateway

private struct Fixed: Authenticator {
    let verdict: Verdict
    func authenticate(_ credential: Credential) async throws -> Verdict { verdict }
}

private struct Unreachable: Authenticator {
    func authenticate(_ credential: Credential) async throws -> Verdict { throw ProblemError.unavailable("gone") }
}

@Suite("Authenticate stage")
struct AuthenticateStageTests {
    let credential = Credential(token: "x")

    @Test("a credential that one does not know is offered to the next")
    func notMine() async throws {
        let stage = AuthenticateStage(authenticators: [
            Fixed(verdict: .notMine), Fixed(verdict: .accepted(.platformOperator)),
        ])
        #expect(try await stage.authenticate(credential) == .platformOperator)
    }

    @Test("a denied credential is offered to nobody else")
    func denied() async throws {
        let denial = ProblemError.notAuthenticated("no", code: .tokenExpired)
        let stage = AuthenticateStage(authenticators: [
            Fixed(verdict: .denied(denial)), Fixed(verdict: .accepted(.platformOperator)),
        ])
        let problem = try await problem { try await stage.authenticate(credential) }
        #expect(problem.code == .tokenExpired)
    }

    @Test("no answer at all means denied")
    func nobody() async throws {
        for authenticators: [any Authenticator] in [[], [Fixed(verdict: .notMine)]] {
            let problem = try await problem {
                try await AuthenticateStage(authenticators: authenticators).authenticate(credential)
            }
            #expect(problem.status == .unauthorized)
        }
    }

    @Test("what cannot be found out is 503, not an acceptance by the next")
    func unreachable() async throws {
        let stage = AuthenticateStage(authenticators: [Unreachable(), Fixed(verdict: .accepted(.platformOperator))])
        let problem = try await problem { try await stage.authenticate(credential) }
        #expect(problem.status == .serviceUnavailable)
    }
}

@Suite("Credentials")
struct CredentialTests {
    @Test("bearer tokens and API key headers are found, whatever the scheme's case")
    func presented() throws {
        #expect(try Credential.presented(in: [.authorization: "Bearer abc.d-_"])?.token == "abc.d-_")
        #expect(try Credential.presented(in: [.authorization: "bEARER abc"])?.token == "abc")
        #expect(try Credential.presented(in: [.apiKey: "erm_ak_1"])?.token == "erm_ak_1")
        #expect(try Credential.presented(in: [:]) == nil)
    }

    @Test("two credentials are 400")
    func two() async throws {
        var twice = HTTPFields()
        twice.append(HTTPField(name: .authorization, value: "Bearer a"))
        twice.append(HTTPField(name: .authorization, value: "Bearer a"))
        for headers: HTTPFields in [twice, [.authorization: "Bearer a", .apiKey: "b"]] {
            let problem = try await problem { try Credential.presented(in: headers) }
            #expect(problem.status == .badRequest)
        }
    }

    @Test(
        "what is no bearer token is 401",
        arguments: ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "x"])
    func malformed(value: String) async throws {
        let problem = try await problem { try Credential.presented(in: [.authorization: value]) }
        #expect(problem.status == .unauthorized)
    }
}

@Suite("Operator key")
struct OperatorKeyTests {
    private func key(_ secret: String) throws -> OperatorKey {
        let hex = RandomToken.digest(secret).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return try #require(OperatorKey(contents: hex + "  operator.key\n"))
    }

    @Test("the key itself is the platform operator's")
    func accepted() async throws {
        guard
            case .accepted(let principal) = try await key("erm_op_secret").authenticate(
                Credential(token: "erm_op_secret"))
        else { return #expect(Bool(false), "not accepted") }
        #expect(principal.isPlatformOperator)
        #expect(principal.tenant == nil)
    }

    @Test("another operator key is denied")
    func denied() async throws {
        guard case .denied = try await key("erm_op_secret").authenticate(Credential(token: "erm_op_secreu")) else {
            return #expect(Bool(false), "not denied")
        }
    }

    @Test("another kind of credential is somebody else's, even the digest itself")
    func notMine() async throws {
        guard case .notMine = try await key("erm_op_secret").authenticate(Credential(token: "erm_ak_secret")) else {
            return #expect(Bool(false), "not left to others")
        }
    }

    @Test("a file without a digest is refused", arguments: ["", "abc", String(repeating: "g", count: 64)])
    func badFile(contents: String) { #expect(OperatorKey(contents: contents) == nil) }
}

import Basics
import Contracts
import HTTPTypes
import ServiceIdentity
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

private struct Fixed: Authenticator {
    let verdict: Verdict
    func authenticate(_ credential: Credential) async throws -> Verdict { verdict }
}

private struct Unreachable: Authenticator {
    func authenticate(_ credential: Credential) async throws -> Verdict { throw ProblemError.unavailable("gone") }
}

extension AuthenticateStage {
    fileprivate convenience init(authenticators: [any Authenticator], guesses: Double = 100) {
        self.init(
            authenticators: authenticators,
            limit: LimitStage(
                GatewayConfiguration(
                    routes: [], upstreams: [:], plans: [:], address: .init(perSecond: 0.001, burst: guesses))))
    }

    fileprivate func authenticate(_ credential: Credential) async throws -> Principal {
        try await authenticate(credential, from: .unknown)
    }
}

/// Knows one key.
private final class OneKey: Authenticator {
    let lookUps = Mutex(0)

    func authenticate(_ credential: Credential) async throws -> Verdict {
        lookUps.withLock { $0 += 1 }
        return credential.token == "right" ? .accepted(.platformOperator) : .guessed(.notAuthenticated("no"))
    }
}

@Suite("Authenticate stage")
struct AuthenticateStageTests {
    let credential = Credential(token: "x")

    @Test("a credential that one authenticator does not recognise is offered to the next")
    func notMine() async throws {
        let stage = AuthenticateStage(authenticators: [
            Fixed(verdict: .notMine), Fixed(verdict: .accepted(.platformOperator)),
        ])
        #expect(try await stage.authenticate(credential) == .platformOperator)
    }

    @Test("a denied credential is offered to no other authenticator")
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

    @Test("a credential that cannot be checked is 503, not left to the next authenticator")
    func unreachable() async throws {
        let stage = AuthenticateStage(authenticators: [Unreachable(), Fixed(verdict: .accepted(.platformOperator))])
        let problem = try await problem { try await stage.authenticate(credential) }
        #expect(problem.status == .serviceUnavailable)
    }
}

@Suite("Guesses")
struct GuessTests {
    private let address = ClientAddress("192.0.2.1") ?? .unknown

    @Test("an address that has guessed too often gets no more look-ups, but known callers behind it are still served")
    func exhausted() async throws {
        let keys = OneKey()
        let stage = AuthenticateStage(authenticators: [keys], guesses: 3)
        _ = try await stage.authenticate(Credential(token: "right"), from: address)
        for number in 1...3 {
            let refusal = try await problem {
                try await stage.authenticate(Credential(token: "\(number)"), from: address)
            }
            #expect(refusal.status == .unauthorized)
        }

        let refusal = try await problem { try await stage.authenticate(Credential(token: "4"), from: address) }
        #expect(refusal.status == .tooManyRequests)
        #expect(refusal.headers[.retryAfter] != nil)
        #expect(keys.lookUps.withLock { $0 } == 4)
        #expect(try await stage.authenticate(Credential(token: "right"), from: address) == .platformOperator)
        let elsewhere = try #require(ClientAddress("192.0.2.2"))
        let other = try await problem { try await stage.authenticate(Credential(token: "5"), from: elsewhere) }
        #expect(other.status == .unauthorized)
    }

    @Test("a token that bears our signature is let in where its address has guessed too often")
    func genuine() async throws {
        struct Signed: Authenticator {
            func authenticate(_ credential: Credential) async throws -> Verdict {
                isGenuine(credential) ? .accepted(.platformOperator) : .guessed(.notAuthenticated("no"))
            }
            func isGenuine(_ credential: Credential) -> Bool { credential.token == "signed" }
        }
        let stage = AuthenticateStage(authenticators: [Signed()], guesses: 1)
        _ = try await problem { try await stage.authenticate(Credential(token: "1"), from: address) }
        let refusal = try await problem { try await stage.authenticate(Credential(token: "2"), from: address) }
        #expect(refusal.status == .tooManyRequests)
        #expect(try await stage.authenticate(Credential(token: "signed"), from: address) == .platformOperator)
    }

    @Test("a credential that was good once is no guess")
    func expired() async throws {
        let stage = AuthenticateStage(
            authenticators: [Fixed(verdict: .denied(.notAuthenticated("expired", code: .tokenExpired)))], guesses: 3)
        for _ in 1...20 {
            let refusal = try await problem { try await stage.authenticate(Credential(token: "x"), from: address) }
            #expect(refusal.code == .tokenExpired)
        }
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
        "an invalid bearer token is 401",
        arguments: [
            "Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "x", "Bearer  a", "Bearer a\u{301}",
            "Bearer " + String(repeating: "a", count: Credential.maximumBytes + 1),
        ])
    func malformed(value: String) async throws {
        let problem = try await problem { try Credential.presented(in: [.authorization: value]) }
        #expect(problem.status == .unauthorized)
    }

    @Test("a token has the characters of RFC 6750 and no others")
    func characters() throws {
        let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
        #expect(try Credential.presented(in: [.apiKey: allowed])?.token == allowed)
        for byte in UInt8(0x21)...0x7e {
            let text = "a\(UnicodeScalar(byte))a"
            let token = try? Credential.presented(in: [.apiKey: text])?.token
            #expect(token == (allowed.utf8.contains(byte) ? text : nil), "\(text)")
        }
    }
}

@Suite("Operator key")
struct OperatorKeyTests {
    private func key(_ secret: String) throws -> OperatorKey {
        return try #require(OperatorKey(contents: RandomToken.digest(secret).hex + "  operator.key\n"))
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

    @Test("another operator key is denied, as a guess")
    func denied() async throws {
        guard case .guessed = try await key("erm_op_secret").authenticate(Credential(token: "erm_op_secreu")) else {
            return #expect(Bool(false), "not denied")
        }
    }

    @Test("another kind of credential is left to other authenticators, even the digest itself")
    func notMine() async throws {
        guard case .notMine = try await key("erm_op_secret").authenticate(Credential(token: "erm_ak_secret")) else {
            return #expect(Bool(false), "not left to others")
        }
    }

    @Test("a file without a digest is refused", arguments: ["", "abc", String(repeating: "g", count: 64)])
    func badFile(contents: String) { #expect(OperatorKey(contents: contents) == nil) }
}

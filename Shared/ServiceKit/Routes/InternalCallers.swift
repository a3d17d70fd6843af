import Basics
import Contracts
public import HTTPTypes
public import Hummingbird
import Logging
public import ServiceIdentity

/// Lets only requests through that carry a valid assertion of a service that may call (docs/architecture.md#internal-identity).
public struct InternalCallers: Sendable {
    private let verifier: AssertionVerifier

    public init(verifier: AssertionVerifier) { self.verifier = verifier }

    /// - Returns: the context with its caller.
    /// - Throws: 401.
    public func verified(
        _ request: Request, _ context: ServiceRequestContext, rule: AccessRule
    ) throws -> ServiceRequestContext {
        var context = context
        do {
            context.caller = try caller(request.headers, rule: rule)
        } catch let error as IdentityError {
            context.logger.notice("Internal assertion refused", metadata: [LogKey.reason: "\(error)"])
            throw error
        }
        context.record.note(caller: context.caller)
        // Trusted only now: before the assertion is verified, these headers could come from any client.
        context.origin = RequestOrigin(request.headers)
        return context
    }

    /// Whom the assertion among a request's fields names.
    /// - Throws: 401, which is `IdentityError` where the assertion is not valid.
    public func caller(_ fields: HTTPFields, rule: AccessRule) throws -> Caller {
        let values = fields[values: .authorization]
        // Scheme names have no case (RFC 9110 §11.1). Two credentials count as none.
        guard values.count == 1, values[0].prefix(7).lowercased() == "bearer " else {
            throw ProblemError.notAuthenticated("The internal assertion is missing or not valid.")
        }
        return try verifier.verify(String(values[0].dropFirst(7)), accepting: rule.issuers)
    }
}

extension RequestRecord {
    /// Records the caller that the assertion names.
    public func note(caller: Caller?) {
        guard let caller else { return }
        note {
            $0.tenant = caller.tenant?.description
            $0.subject = caller.subject ?? (caller.isPlatformOperator ? "platform-operator" : caller.issuer.rawValue)
        }
    }
}

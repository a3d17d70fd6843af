public import Contracts
import HTTPTypes
public import Hummingbird
import Logging
public import ServiceIdentity

/// Lets only the listed services through: each request must carry a valid assertion of one of them (DESIGN §4).
///
/// Add it to a group before its routes; Hummingbird gives a middleware only to the routes added after it.
public struct InternalCallers: RouterMiddleware {
    public typealias Context = ServiceRequestContext

    private let accepting: Set<ServiceName>
    private let verifier: AssertionVerifier

    public init(accepting: Set<ServiceName>, verifier: AssertionVerifier) {
        self.accepting = accepting
        self.verifier = verifier
    }

    public func handle(
        _ request: Request, context: ServiceRequestContext,
        next: (Request, ServiceRequestContext) async throws -> Response
    ) async throws -> Response {
        let values = request.headers[values: .authorization]
        // Scheme names have no case (RFC 9110 §11.1). Two credentials are none.
        guard values.count == 1, values[0].prefix(7).lowercased() == "bearer " else {
            throw ProblemError.notAuthenticated("The internal assertion is missing or not valid.")
        }
        var context = context
        do {
            context.caller = try verifier.verify(String(values[0].dropFirst(7)), accepting: accepting)
        } catch {
            context.logger.notice("internal assertion refused", metadata: ["reason": "\(error)"])
            throw error
        }
        return try await next(request, context)
    }
}

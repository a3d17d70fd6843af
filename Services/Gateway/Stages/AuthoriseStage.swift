import Contracts
import ServiceKit

/// Fourth stage: whether this principal may ask for this route. Whatever is not allowed by a rule below is denied.
struct AuthoriseStage: Sendable {
    /// - Parameter principal: nil for a request without a credential.
    /// - Throws: ``ProblemError`` 401 without a principal where one is needed, 403.
    func authorise(_ match: MatchedRoute, _ principal: Principal?) throws {
        if match.route.scope == .public { return }
        guard let principal else { throw ProblemError.notAuthenticated("This resource needs a credential.") }
        switch match.route.scope {
        case .public, .signedIn:
            return
        case .platform:
            // By what the principal is, never by what it was granted: "*" inside a tenant ends at the tenant's walls.
            guard principal.isPlatformOperator else {
                throw ProblemError.permissionDenied("Only the platform operator may do this.")
            }
        case .tenant:
            guard !principal.isPlatformOperator, principal.tenant != nil else {
                throw ProblemError.permissionDenied("The platform operator has no access to what belongs to a tenant.")
            }
            guard let need = match.requirement?.need, principal.granted.allow(need) else {
                throw ProblemError.permissionDenied(Self.sentence(for: match.requirement))
            }
        }
    }

    private static func sentence(for requirement: Route.Requirement?) -> String {
        guard let requirement else { return "This needs a permission that you do not have." }
        return "This needs the permission \(requirement.resource.rawValue):\(requirement.action.rawValue)."
    }
}

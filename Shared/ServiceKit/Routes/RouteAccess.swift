public import Contracts
import HTTPTypes
import Hummingbird
public import ServiceIdentity

/// Whom a route lets in, and whom its handler is handed.
public protocol RouteAccess: Sendable {
    /// The caller as the handler knows it.
    associatedtype Who: Sendable

    var rule: AccessRule { get }

    /// - Throws: ``ProblemError`` 401 or 403. Fails closed: the gateway has checked before, and the callee does not rely
    ///   on it.
    func admit(_ context: ServiceRequestContext) throws -> Who
}

/// ``RouteAccess`` as a value, for the route table of the gateway and for the API's description.
public enum AccessRule: Sendable, Hashable {
    /// Anybody, without a credential.
    case anyone
    /// Anybody, for the tenant that the subdomain or `X-Tenant-ID` names.
    case namedTenant
    /// Any valid credential.
    case signedIn
    /// A tenant's user or API key with this permission; never the platform operator.
    case permission(Resource, Action)
    /// The platform operator alone; `*` inside a tenant does not open it.
    case platformOperator
    /// Services by their own assertion; never reachable through the gateway.
    case services(Set<ServiceName>)

    /// The services whose assertion opens the route.
    public var issuers: Set<ServiceName> { if case .services(let names) = self { names } else { [.gateway] } }

    public var isInternal: Bool { if case .services = self { true } else { false } }
}

/// For everybody.
public struct AnyoneAccess: RouteAccess {
    public var rule: AccessRule { .anyone }
    public func admit(_ context: ServiceRequestContext) throws {}
}

/// For everybody, inside the tenant that the request names; the gateway has found it.
public struct NamedTenantAccess: RouteAccess {
    public var rule: AccessRule { .namedTenant }

    public func admit(_ context: ServiceRequestContext) throws -> TenantID {
        guard let tenant = try context.requireCaller().tenant else { throw ProblemError.tenantRequired }
        return tenant
    }
}

/// For every valid credential.
public struct SignedInAccess: RouteAccess {
    public var rule: AccessRule { .signedIn }
    public func admit(_ context: ServiceRequestContext) throws -> Author { try context.requireCaller().author(context) }
}

/// For a tenant's users and API keys with one permission.
public struct PermissionAccess: RouteAccess {
    let resource: Resource
    let action: Action

    public var rule: AccessRule { .permission(resource, action) }

    public func admit(_ context: ServiceRequestContext) throws -> TenantCaller {
        let caller = try context.requireCaller()
        return TenantCaller(
            tenant: try tenant(of: caller), author: caller.author(context), permissions: caller.permissions)
    }

    /// Inside of which a caller may do this.
    /// - Throws: 403.
    public func tenant(of caller: Caller) throws -> TenantID {
        guard let tenant = caller.tenant, caller.subject != nil, !caller.isPlatformOperator else {
            throw ProblemError.permissionDenied("This needs a user or an API key of a tenant.")
        }
        guard caller.permissions.allow(action, on: resource) else {
            throw ProblemError.permissionDenied(
                "This needs the permission \(resource.rawValue):\(action.rawValue).")
        }
        return tenant
    }
}

/// For the platform operator alone.
public struct PlatformOperatorAccess: RouteAccess {
    public var rule: AccessRule { .platformOperator }

    public func admit(_ context: ServiceRequestContext) throws -> Author {
        let caller = try context.requireCaller()
        guard caller.isPlatformOperator else {
            throw ProblemError.permissionDenied("This is for the platform operator only.")
        }
        return caller.author(context)
    }
}

/// For other services.
public struct ServicesAccess: RouteAccess {
    let names: Set<ServiceName>

    public var rule: AccessRule { .services(names) }

    public func admit(_ context: ServiceRequestContext) throws -> Caller {
        let caller = try context.requireCaller()
        guard names.contains(caller.issuer) else { throw ProblemError.permissionDenied() }
        return caller
    }
}

/// For other services, about the tenant in the path. An assertion made for a tenant's user opens no other tenant.
public struct ServicesTenantAccess: RouteAccess {
    let services: ServicesAccess
    let parameter: String

    public var rule: AccessRule { services.rule }

    public func admit(_ context: ServiceRequestContext) throws -> TenantID {
        let caller = try services.admit(context)
        let tenant: TenantID = try context.identifier(parameter)
        if let own = caller.tenant, own != tenant {
            throw ProblemError.permissionDenied("The assertion is for another tenant.", code: .tenantMismatch)
        }
        return tenant
    }
}

extension RouteAccess where Self == AnyoneAccess {
    public static var anyone: Self { Self() }
}

extension RouteAccess where Self == NamedTenantAccess {
    public static var namedTenant: Self { Self() }
}

extension RouteAccess where Self == SignedInAccess {
    public static var signedIn: Self { Self() }
}

extension RouteAccess where Self == PermissionAccess {
    public static func may(_ action: Action, _ resource: Resource) -> Self { Self(resource: resource, action: action) }
}

extension RouteAccess where Self == PlatformOperatorAccess {
    public static var platformOperator: Self { Self() }
}

extension RouteAccess where Self == ServicesAccess {
    public static func services(_ names: ServiceName...) -> Self { Self(names: Set(names)) }
}

extension RouteAccess where Self == ServicesTenantAccess {
    /// - Parameter parameter: the tenant's name in the path.
    public static func services(_ names: ServiceName..., tenant parameter: String) -> Self {
        Self(services: ServicesAccess(names: Set(names)), parameter: parameter)
    }
}

extension ServiceRequestContext {
    /// - Throws: 401 when no caller was authenticated.
    fileprivate func requireCaller() throws -> Caller {
        guard let caller else { throw ProblemError.notAuthenticated() }
        return caller
    }
}

extension Caller {
    fileprivate func author(_ context: ServiceRequestContext) -> Author {
        Author(name: subject ?? issuer.rawValue, requestID: context.requestID, origin: context.origin)
    }
}

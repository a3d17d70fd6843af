public import Contracts
import Foundation
public import Hummingbird
public import NIOCore
public import ServiceIdentity

/// What every handler knows of the request it serves.
public struct ServiceRequestContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The request's id and place in its trace.
    public var trace: TraceContext
    /// Who sent the request; nil until ``InternalCallers`` has verified it.
    public var caller: Caller?
    /// Largest request body in bytes, where a route sets no other limit.
    public var maxUploadSize: Int
    /// The peer's address, port included; nil when requests come without a socket (tests).
    public let remoteAddress: SocketAddress?
    /// The connection, for a handler that must notice its end; headers and bodies are the server's business.
    public let channel: any Channel

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        trace = TraceContext()
        maxUploadSize = 1_048_576
        remoteAddress = source.channel.remoteAddress
        channel = source.channel
    }

    public var requestID: String { trace.requestID }
    public var traceparent: String { trace.traceparent }
}

/// A caller who acts inside a tenant.
public struct TenantCaller: Sendable {
    public let tenant: TenantID
    /// A user's id or `api-key:<id>`.
    public let subject: String
    public let permissions: [Permission]

    public init(tenant: TenantID, subject: String, permissions: [Permission]) {
        self.tenant = tenant
        self.subject = subject
        self.permissions = permissions
    }

    /// The user, when it is one and not an API key.
    public var userID: UserID? { UserID(subject) }
}

extension ServiceRequestContext {
    /// - Throws: 401 when nobody was authenticated.
    public func requireCaller() throws -> Caller {
        guard let caller else { throw ProblemError.notAuthenticated() }
        return caller
    }

    /// - Throws: 401 when nobody was authenticated, 403 when the caller acts in no tenant.
    public func requireTenant() throws -> TenantCaller {
        let caller = try requireCaller()
        guard let tenant = caller.tenant, let subject = caller.subject, !caller.isPlatformOperator else {
            throw ProblemError.permissionDenied("This needs a user or an API key of a tenant.")
        }
        return TenantCaller(tenant: tenant, subject: subject, permissions: caller.permissions)
    }

    /// Fails closed: the gateway has checked before, and the callee does not rely on it.
    /// - Throws: 401, or 403 unless one of the caller's permissions allows it.
    public func authorise(_ action: Action, on resource: Resource) throws -> TenantCaller {
        let caller = try requireTenant()
        guard caller.permissions.allow(action, on: resource) else { throw ProblemError.permissionDenied() }
        return caller
    }

    /// - Throws: 401, or 403 for everybody but the platform operator, a tenant's `*` included.
    public func requirePlatformOperator() throws {
        guard try requireCaller().isPlatformOperator else {
            throw ProblemError.permissionDenied("This is for the platform operator only.")
        }
    }

    /// An id in the path.
    /// - Throws: 422 naming the parameter when it is not a UUID.
    public func identifier<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) throws -> Identifier<Entity> {
        guard let id = Identifier<Entity>(try parameter(name)) else {
            throw ProblemError.validation(name, "must be a UUID")
        }
        return id
    }

    /// A text in the path.
    public func parameter(_ name: String) throws -> String {
        let text = try parameters.require(name)
        guard let decoded = text.removingPercentEncoding, !decoded.contains("\0") else {
            throw ProblemError.validation(name, "is not valid")
        }
        return decoded
    }
}

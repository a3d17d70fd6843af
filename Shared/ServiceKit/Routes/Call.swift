public import Contracts
public import Hummingbird
public import ServiceIdentity

/// A request that a route has let in, as its handler gets it.
public struct Call<Who: Sendable>: Sendable {
    /// Whom the route's access hands on.
    public let caller: Who
    public let request: Request
    public let context: ServiceRequestContext
    let headers: Set<RouteHeader>

    init(_ caller: Who, _ request: Request, _ context: ServiceRequestContext, _ headers: Set<RouteHeader>) {
        self.caller = caller
        self.request = request
        self.context = context
        self.headers = headers
    }

    public var requestID: String { context.requestID }

    /// An id in the path.
    public func id<Entity>(_ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self) throws
        -> Identifier<Entity>
    {
        try context.identifier(name)
    }

    /// A date in the path.
    public func date(_ name: String) throws -> CivilDate {
        guard let date = CivilDate(try context.parameter(name)) else {
            throw ProblemError.validation(name, "must be a date like 2026-01-31")
        }
        return date
    }

    /// A text in the path.
    public func text(_ name: String) throws -> String { try context.parameter(name) }

    /// Holds the request to its `If-Match`.
    /// - Parameter current: the resource as it is; nil when there is none yet, which no tag matches.
    /// - Throws: 412.
    public func checkIfMatch(_ current: (some Encodable)?) throws {
        try checkIfMatch(tag: try current.map { try EntityTag(of: $0) })
    }

    /// The same for a resource whose tag is not that of its content.
    public func checkIfMatch(tag: EntityTag?) throws {
        try require(.ifMatch)
        if let tag { return try tag.checkIfMatch(request) }
        guard request.headers[values: .ifMatch].isEmpty else { throw ProblemError.preconditionFailed() }
    }

    /// What a handler reads must be declared, or no client would know of it.
    public func require(_ header: RouteHeader) throws {
        guard headers.contains(header) else {
            throw ProblemError.internalError(cause: UndeclaredHeader(header: header))
        }
    }
}

/// A handler reads a header that its route does not declare.
struct UndeclaredHeader: Error {
    let header: RouteHeader
}

public typealias TenantCall = Call<TenantCaller>
public typealias OperatorCall = Call<Author>
public typealias ServiceCall = Call<Caller>

extension Call where Who == TenantCaller {
    public var tenant: TenantID { caller.tenant }
    public var author: Author { caller.author }
}

extension Call where Who == TenantID {
    public var tenant: TenantID { caller }
}

extension Call where Who == Author {
    public var author: Author { caller }
}

extension Call where Who == Caller {
    /// The calling service, for requests that it makes for itself; a user's request that the gateway relays is refused.
    /// - Throws: 403.
    public func service() throws -> ServiceName {
        guard caller.tenant == nil, caller.subject == nil, !caller.isPlatformOperator else {
            throw ProblemError.permissionDenied()
        }
        return caller.issuer
    }
}

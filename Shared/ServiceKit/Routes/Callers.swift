public import Contracts

/// Who changes something, in which request; as named in the audit log.
public struct Author: Sendable {
    /// A user's id, `api-key:<id>`, `platform-operator`, or a service's name.
    public let name: String
    public let requestID: String
    public let origin: RequestOrigin

    public init(name: String, requestID: String, origin: RequestOrigin = RequestOrigin()) {
        self.name = name
        self.requestID = requestID
        self.origin = origin
    }
}

/// A user or an API key that acts inside a tenant, and what it may do there.
public struct TenantCaller: Sendable {
    public let tenant: TenantID
    public let author: Author
    public let permissions: [Permission]

    public init(tenant: TenantID, author: Author, permissions: [Permission]) {
        self.tenant = tenant
        self.author = author
        self.permissions = permissions
    }

    /// A user's id or `api-key:<id>`.
    public var subject: String { author.name }
}

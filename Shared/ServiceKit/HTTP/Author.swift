import Contracts
import ServiceIdentity

/// Who changes something, in which request; as named in the audit log.
public struct Author: Sendable {
    /// A user's id, `api-key:<id>`, `platform-operator`, or a service's name.
    public let name: String
    public let requestID: String

    public init(name: String, requestID: String) {
        self.name = name
        self.requestID = requestID
    }
}

extension ServiceRequestContext {
    /// Who is to be named in the audit log.
    /// - Throws: 401 when nobody was authenticated.
    public func author() throws -> Author {
        let caller = try requireCaller()
        return Author(name: caller.subject ?? caller.issuer.rawValue, requestID: requestID)
    }
}

import Contracts
import HTTPTypes
import Hummingbird
import ServiceIdentity
import ServiceKit
import ServiceStorage

extension ServiceRequestContext {
    /// The caller as the author of a change that is limited by what he may do himself.
    func editor(_ caller: TenantCaller) throws -> Editor {
        Editor(tenant: caller.tenant, author: try author(), permissions: caller.permissions)
    }

    /// The tenant that a public route is asked for; the gateway has found it by subdomain or header.
    func namedTenant() throws -> TenantID {
        guard let tenant = try requireCaller().tenant else {
            throw ProblemError(status: .badRequest, code: .tenantRequired, "Tenant identification required.")
        }
        return tenant
    }

    /// The tenant in the path of an internal route. An assertion made for a tenant's user opens no other tenant.
    func pathTenant() throws -> TenantID {
        let tenant: TenantID = try identifier("id")
        if let own = try requireCaller().tenant, own != tenant {
            throw ProblemError.permissionDenied("The assertion is for another tenant.", code: .tenantMismatch)
        }
        return tenant
    }
}

extension Request {
    /// Holds the request to its `If-Match` where the resource may not be there yet, which no tag matches.
    /// - Throws: 412.
    func checkIfMatch(_ current: (some Encodable)?) throws {
        if let current { return try EntityTag(of: current).checkIfMatch(self) }
        guard headers[values: .ifMatch].isEmpty else { throw ProblemError.preconditionFailed() }
    }
}

extension PageQuery {
    /// What the last row of the page before was sorted by; nil on the first page.
    /// - Throws: 422 naming `cursor` when it was not made by this list.
    func position<Position>(_ names: [String], _ make: ([String]) -> Position?) throws -> Position? {
        guard let cursor else { return nil }
        let keys = try RowCursor.decode(cursor, count: names.count)
        guard let position = make(keys) else { throw ProblemError.validation("cursor", "is not a cursor of this list") }
        return position
    }

    /// The same for a list sorted by one text.
    func position() throws -> String? { try position(["key"]) { $0[0] } }

    /// One page of `found`, which holds one row more than asked for when the list goes on.
    func answer<Item: Codable & Sendable>(_ found: [Item], _ keys: (Item) -> [String]) throws -> Response {
        let items = Array(found.prefix(limit))
        let next = found.count > limit ? items.last.map { RowCursor.encode(keys($0)) } : nil
        return try Answer.list(items, nextCursor: next)
    }
}

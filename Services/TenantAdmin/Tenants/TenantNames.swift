import Basics
import Contracts
import ServiceIdentity

/// What a tenant's schema and role are called.
struct TenantNames: Sendable, Equatable {
    /// Holds the tenant's rows; derived from the subdomain, always to be quoted as an identifier.
    let schema: String
    /// Owns the schema; derived from the id by `erm_provisioning.create_tenant_role`.
    let role: String

    init(schema: String, role: String) {
        self.schema = schema
        self.role = role
    }

    init(subdomain: Subdomain, id: TenantID) {
        self.init(schema: Self.schema(for: subdomain.rawValue), role: Self.role(of: id))
    }

    /// As `erm_provisioning.create_tenant_role` names it.
    static func role(of id: TenantID) -> String { "tenant_" + id.description.filter { $0 != "-" } }

    /// Different for different subdomains, and at most 63 bytes, PostgreSQL's limit: `_` and `-` are escaped as `_u` and
    /// `_h`, and what is then too long ends in `_x`, which no escape gives, and 128 bits of its SHA-256.
    static func schema(for subdomain: String) -> String {
        let escaped = subdomain.map { character in
            switch character {
            case "_": "_u"
            case "-": "_h"
            default: String(character)
            }
        }
        let whole = "tenant_" + escaped.joined()
        if whole.utf8.count <= 63 { return whole }
        return "tenant_" + escaped.prefix(10).joined() + "_x" + RandomToken.digest(subdomain).prefix(16).hex
    }

    /// Made by the same migrations as every tenant's schema; a reserved subdomain, so never a tenant's.
    static let template = "tenant_template"
}

import Contracts
import Foundation
import HTTPTypes
import ServiceKit

/// Second stage: which tenant a request is for (docs/architecture.md#identity-and-access).
///
/// The verified credential, the subdomain of the base domain and `X-Tenant-ID` may each name one; those that do must agree.
/// A name alone grants nothing.
struct TenantStage: Sendable {
    /// What a request claims about its tenant, before authentication.
    struct Hints: Sendable, Equatable {
        /// In lower case; it may be one that no tenant can have.
        var subdomain: String?
        var header: TenantID?

        var isEmpty: Bool { subdomain == nil && header == nil }
    }

    /// `erm.example` when `acme.erm.example` names the tenant `acme`; nil: host names name no tenants.
    let baseDomain: String?
    let directory: any TenantDirectory

    /// - Throws: ``ProblemError`` 400 for two headers of a kind, no host or an id that is not a UUID.
    func hints(headers: HTTPFields, host: String?) throws -> Hints {
        let values = headers[values: .tenantID]
        guard values.count <= 1 else { throw ProblemError.malformed("Send X-Tenant-ID only once.") }
        guard let host, !host.isEmpty else { throw ProblemError.malformed("Send Host.") }
        // The first is `host`; only further ones are left among the headers.
        guard !headers.contains(.furtherHost) else { throw ProblemError.malformed("Send Host only once.") }
        guard HostField.isValid(host) else {
            throw ProblemError.malformed("Host must be a name or an address, with a port if any.")
        }
        var hints = Hints()
        if let value = values.first {
            guard let id = TenantID(value) else { throw ProblemError.malformed("X-Tenant-ID must be one UUID.") }
            hints.header = id
        }
        hints.subdomain = subdomain(of: host)
        return hints
    }

    private func subdomain(of host: String) -> String? {
        guard let baseDomain else { return nil }
        var name = host.lowercased().split(separator: ":", maxSplits: 1).first.map(String.init) ?? ""
        // A name may be written with the dot of the root at its end (RFC 1034 §3.1).
        if name.hasSuffix(".") { name.removeLast() }
        let suffix = "." + baseDomain.lowercased()
        return name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : nil
    }

    /// The one active tenant that all hints name; nil without hints.
    ///
    /// - Throws: ``ProblemError`` 403 when they disagree or the tenant is unknown or inactive; 503 when it cannot be asked.
    func resolve(_ hints: Hints) async throws -> TenantSummary? {
        if let name = hints.subdomain {
            guard let subdomain = Subdomain(rawValue: name) else { throw Self.unknown }
            let tenant = try active(try await directory.tenant(subdomain: subdomain))
            guard hints.header == nil || hints.header == tenant.id else { throw Self.mismatch }
            return tenant
        }
        guard let id = hints.header else { return nil }
        return try active(try await directory.tenant(id))
    }

    /// The tenant that the hints name, for a route that cannot do without.
    ///
    /// - Throws: as ``resolve(_:)``, and 400 without hints.
    func require(_ hints: Hints) async throws -> TenantSummary {
        guard let tenant = try await resolve(hints) else { throw Self.required }
        return tenant
    }

    /// The tenant of a verified credential, if the hints do not say otherwise.
    ///
    /// - Throws: as ``resolve(_:)``.
    func confirm(_ id: TenantID, _ hints: Hints) async throws -> TenantSummary {
        let tenant = try await known(id)
        if let refusal = Self.refusal(of: tenant, hints) { throw refusal }
        return tenant
    }

    /// The tenant of a verified credential, active or not.
    ///
    /// - Throws: ``ProblemError`` 403 when there is none, 503 when it cannot be asked.
    func known(_ id: TenantID) async throws -> TenantSummary {
        guard let tenant = try await directory.tenant(id) else { throw Self.unknown }
        return tenant
    }

    /// As ``confirm(_:_:)`` without waiting: the tenant, when all that is to be known is remembered, still holds and agrees; nil:
    /// confirm it, which may also say why not.
    func warm(_ id: TenantID, _ hints: Hints) -> TenantSummary? {
        guard let tenant = directory.warm(tenant: id), Self.refusal(of: tenant, hints) == nil else { return nil }
        return tenant
    }

    /// Why a credential of the tenant does not do for a request with these hints; nil when it does. Nothing is looked up: a tenant
    /// says itself what its subdomain is, and names that strangers make up cost nothing.
    static func refusal(of tenant: TenantSummary, _ hints: Hints) -> ProblemError? {
        guard hints.header == nil || hints.header == tenant.id,
            hints.subdomain == nil || hints.subdomain == tenant.subdomain
        else { return mismatch }
        return tenant.isActive ? nil : unknown
    }

    private func active(_ tenant: TenantSummary?) throws -> TenantSummary {
        guard let tenant, tenant.isActive else { throw Self.unknown }
        return tenant
    }

    /// One sentence for unknown and inactive tenants: an unauthenticated client must not learn which of the two it is.
    static let unknown = ProblemError.permissionDenied("The tenant is unknown or not active.", code: .tenantUnavailable)
    static let mismatch = ProblemError.permissionDenied(
        "The credential, the host name and X-Tenant-ID name different tenants.", code: .tenantMismatch)
    static let required = ProblemError.tenantRequired
}

/// Who knows the tenants.
protocol TenantDirectory: Sendable {
    /// nil when there is no such tenant. Throws a ``ProblemError`` 503 when that cannot be found out.
    func tenant(_ id: TenantID) async throws -> TenantSummary?
    func tenant(subdomain: Subdomain) async throws -> TenantSummary?
    /// As ``tenant(_:)``, when that is remembered and still holds; nil: ask.
    func warm(tenant id: TenantID) -> TenantSummary?
}

extension TenantDirectory {
    func warm(tenant id: TenantID) -> TenantSummary? { nil }
}

extension HTTPField.Name {
    fileprivate static let furtherHost = Self("Host")!
}

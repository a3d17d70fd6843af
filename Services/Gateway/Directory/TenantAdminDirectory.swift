import Contracts
import HTTPTypes
import ServiceKit

/// Asks tenant-admin. Whatever is neither a yes nor a clear no is 503; a tenant that is not active is 403.
struct TenantAdminDirectory: TenantDirectory, PrincipalDirectory {
    private let client: ServiceClient
    /// For passwords.
    private let patient: ServiceClient

    /// - Parameters:
    ///   - deadline: of each question. Requests of people wait for it; a tenant-admin that takes longer is as good as away.
    ///   - hashing: of the check of a password, a computation that waits for its turn: who gives it up has to have it done again. With the
    ///     wait for a slot (``LoginQueue``) less than ``Lockout/longestAttempt``.
    init(_ client: ServiceClient, deadline: Duration = .seconds(5), hashing: Duration = .seconds(20)) {
        var (client, patient) = (client, client)
        client.deadline = deadline
        patient.deadline = hashing
        (self.client, self.patient) = (client, patient)
    }

    func tenant(_ id: TenantID) async throws -> TenantSummary? {
        try await found { try await client.get("/internal/v1/tenants/\(id)", trace: TraceContext()) }
    }

    func tenant(subdomain: Subdomain) async throws -> TenantSummary? {
        try await found {
            try await client.get("/internal/v1/tenants/by-subdomain/\(subdomain)", trace: TraceContext())
        }
    }

    func principal(_ user: UserID, in tenant: TenantID) async throws -> UserGrants? {
        try await found {
            try await client.get("/internal/v1/tenants/\(tenant)/principals/\(user)", trace: TraceContext())
        }
    }

    func roles(of tenant: TenantID) async throws -> [RoleGrants] {
        try await found { try await client.get("/internal/v1/tenants/\(tenant)/roles", trace: TraceContext()) } ?? []
    }

    func verify(_ login: LoginRequest, in tenant: TenantID) async throws -> UserGrants? {
        try await found {
            try await patient.post(
                "/internal/v1/tenants/\(tenant)/credentials/verify", login, trace: TraceContext())
        }
    }

    func owner(of email: String, in tenant: TenantID) async throws -> UserID? {
        let owner: AddressOwner? = try await found {
            try await client.post(
                "/internal/v1/tenants/\(tenant)/credentials/owner", AddressOwnerRequest(email: email),
                trace: TraceContext())
        }
        return owner?.userId
    }

    func timeZone(of tenant: TenantID) async throws -> String? {
        let zone: TenantTimeZone? = try await found {
            try await client.get("/internal/v1/tenants/\(tenant)/time-zone", trace: TraceContext())
        }
        return zone?.timeZone
    }

    /// nil for a 404 and for refused credentials: those are answers, as is a suspended or deleted tenant. A cancelled query stays a
    /// cancellation: its client has hung up.
    private func found<Answer>(_ ask: () async throws -> Answer) async throws -> Answer? {
        do {
            return try await ask()
        } catch let problem as ProblemError where problem.status == .notFound && problem.code == .notFound {
            return nil
        } catch let problem as ProblemError where problem.code == .invalidCredentials {
            return nil
        } catch let problem as ProblemError where problem.code == .tenantUnavailable {
            throw TenantStage.unknown
        } catch let cancellation as CancellationError {
            throw cancellation
        } catch {
            throw ProblemError.permissionsUnavailable(cause: error)
        }
    }
}

extension ProblemError {
    /// tenant-admin does not answer, so that permissions are unknown.
    static func permissionsUnavailable(cause: any Error) -> ProblemError {
        .unavailable("Permissions cannot be checked at the moment; try again.", cause: cause)
    }
}

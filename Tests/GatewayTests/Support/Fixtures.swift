import Contracts
import Foundation
import HTTPTypes
import ServiceIdentity
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// Values that many tests need.
enum Fixture {
    static let start = ContinuousClock.now
    static let date = Date(timeIntervalSince1970: 1_800_000_000)

    static func route(
        _ template: String, _ methods: [String: Route.Requirement?] = ["GET": nil], scope: Route.Scope = .public,
        target: Route.Target = .gateway, needsTenant: Bool = false, bodyLimit: Int = 1 << 20,
        timeout: Duration = .seconds(60), isStreaming: Bool = false, takesIdempotencyKey: Bool = false
    ) throws -> Route {
        Route(
            template: template, segments: try #require(Route.segments(of: template)), target: target, scope: scope,
            methods: methods, needsTenant: needsTenant, limitsAddress: false, bodyLimitBytes: bodyLimit,
            timeout: timeout,
            isStreaming: isStreaming, takesIdempotencyKey: takesIdempotencyKey)
    }

    static func match(_ route: Route, _ method: String = "GET", parameters: [String: String] = [:]) throws
        -> MatchedRoute
    {
        MatchedRoute(route: route, method: method, path: try RequestPath(target: "/x"), parameters: parameters)
    }

    static func tenant(
        _ id: TenantID = TenantID(), subdomain: String = "acme", plan: Plan = .starter, isActive: Bool = true
    ) -> TenantSummary {
        TenantSummary(id: id, name: "Acme", subdomain: subdomain, plan: plan, isActive: isActive)
    }

    static func user(_ tenant: TenantID, _ permissions: [Permission] = DefaultRole.admin.permissions) -> Principal {
        Principal(kind: .user(UserID(), session: SessionID()), tenant: tenant, permissions: permissions)
    }
}

/// Runs `body` and gives the problem it must throw.
func problem(_ body: () async throws -> some Any) async throws -> ProblemError {
    do {
        _ = try await body()
    } catch {
        return try #require(error as? ProblemError, "\(error)")
    }
    throw NothingThrown()
}

struct NothingThrown: Error {}

/// The key files of several nodes, for a test to change.
final class SharedKeyFiles: Sendable {
    private let state: Mutex<(pairs: [ServiceKeyPair], version: Int, reads: Int)>

    init(_ pairs: [ServiceKeyPair]) { state = Mutex((pairs, 0, 0)) }

    /// How often a node has read them.
    var reads: Int { state.withLock { $0.reads } }

    func set(_ pairs: [ServiceKeyPair]) {
        state.withLock { state in
            state.pairs = pairs
            state.version += 1
        }
    }

    /// What a node that starts now has of them, and reads again when it looks.
    func ring() -> KeyRing {
        let contents: @Sendable () -> KeyRing.Contents = {
            KeyRing.Contents(pairs: self.state.withLock { $0.pairs }, keys: JSONWebKeySet(keys: []))
        }
        return KeyRing(
            contents(),
            source: .init(
                stamp: { "\(self.state.withLock { $0.version })" },
                read: {
                    self.state.withLock { $0.reads += 1 }
                    return contents()
                }))
    }
}

/// Tenants known by heart.
struct KnownTenants: TenantDirectory {
    let tenants: [TenantSummary]

    func tenant(_ id: TenantID) async throws -> TenantSummary? { tenants.first { $0.id == id } }
    func tenant(subdomain: Subdomain) async throws -> TenantSummary? {
        tenants.first { $0.subdomain == subdomain.rawValue }
    }
    func warm(tenant id: TenantID) -> TenantSummary? { tenants.first { $0.id == id } }
}

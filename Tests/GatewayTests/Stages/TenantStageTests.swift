import Contracts
import HTTPTypes
import ServiceKit
import Testing

@testable import Gateway

@Suite("Tenant stage")
struct TenantStageTests {
    let acme = Fixture.tenant(subdomain: "acme")
    let other = Fixture.tenant(subdomain: "other")
    let gone = Fixture.tenant(subdomain: "gone", isActive: false)

    private var stage: TenantStage {
        TenantStage(baseDomain: "erm.example", directory: KnownTenants(tenants: [acme, other, gone]))
    }

    private func headers(_ tenants: TenantID...) -> HTTPFields {
        var headers = HTTPFields()
        for tenant in tenants { headers.append(HTTPField(name: .tenantID, value: "\(tenant)")) }
        return headers
    }

    @Test("the header names a tenant")
    func header() async throws {
        let hints = try stage.hints(headers: headers(acme.id), host: "erm.example")
        #expect(try await stage.resolve(hints) == acme)
    }

    @Test("the subdomain of the base domain names a tenant", arguments: ["acme.erm.example", "ACME.erm.example:8080"])
    func subdomain(host: String) async throws {
        let hints = try stage.hints(headers: [:], host: host)
        #expect(try await stage.resolve(hints) == acme)
    }

    @Test(
        "other hosts name none",
        arguments: [
            "erm.example", "acme.elsewhere.example", "127.0.0.1:8080", "[::1]:80", "[fe80::1.2.3.4]", "my_host",
            "erm.example.",
            "erm.example:", "EXAMPLE:65535",
        ])
    func otherHosts(host: String) throws {
        #expect(try stage.hints(headers: [:], host: host).isEmpty)
    }

    @Test(
        "a Host that is none is 400",
        arguments: [
            "acme.erm.example/", "acme.erm.example?", "acme.erm.example#", "[acme.erm.example]", "acme.erm.example..",
            "acme..erm.example", ".acme.erm.example", "acme.erm.example:abc", "acme.erm.example:99999",
            "acme.erm.example:80:80", "a@acme.erm.example", "acme erm.example", "[::1", "[::1]x", "[]", ":80",
        ])
    func noHost(host: String) async throws {
        let problem = try await problem { try stage.hints(headers: headers(acme.id), host: host) }
        #expect(problem.status == .badRequest && problem.sentence.contains("Host"))
    }

    @Test("without a base domain host names say nothing")
    func noBaseDomain() throws {
        let stage = TenantStage(baseDomain: nil, directory: KnownTenants(tenants: []))
        #expect(try stage.hints(headers: [:], host: "acme.erm.example").isEmpty)
    }

    @Test("two tenant headers are 400, even when they agree")
    func twoHeaders() async throws {
        let problem = try await problem { try stage.hints(headers: headers(acme.id, acme.id), host: "erm.example") }
        #expect(problem.status == .badRequest)
    }

    @Test("a header that is not one UUID is 400", arguments: ["", "acme", "00000000-0000-0000-0000-000000000000,x"])
    func badHeader(value: String) async throws {
        let problem = try await problem { try stage.hints(headers: [.tenantID: value], host: "erm.example") }
        #expect(problem.status == .badRequest)
    }

    @Test(
        "a subdomain that cannot be a tenant's is 403",
        arguments: ["a.b.erm.example", "www.erm.example", "-.erm.example"])
    func impossibleSubdomain(host: String) async throws {
        let hints = try stage.hints(headers: [:], host: host)
        let unnamed = try await problem { try await stage.require(hints) }
        #expect(unnamed.code == .tenantUnavailable)
        let beside = try await problem { try await stage.confirm(acme.id, hints) }
        #expect(beside.code == .tenantMismatch)
    }

    @Test("no identification where one is needed is 400")
    func none() async throws {
        let problem = try await problem { try await stage.require(TenantStage.Hints()) }
        #expect(problem.status == .badRequest)
        #expect(problem.sentence == "Name the tenant: use its subdomain, or send X-Tenant-ID.")
    }

    @Test("header and subdomain that disagree are 403")
    func disagreement() async throws {
        let hints = try stage.hints(headers: headers(other.id), host: "acme.erm.example")
        let problem = try await problem { try await stage.resolve(hints) }
        #expect(problem.code == .tenantMismatch)
    }

    @Test("an unknown and an inactive tenant are the same 403")
    func unknown() async throws {
        for id in [TenantID(), gone.id] {
            let problem = try await problem { try await stage.resolve(.init(header: id)) }
            #expect(problem.status == .forbidden)
            #expect(problem.code == .tenantUnavailable)
        }
    }

    @Test("a credential's tenant is confirmed when the hints agree or say nothing")
    func confirmed() async throws {
        #expect(try await stage.confirm(acme.id, .init()) == acme)
        #expect(
            try await stage.confirm(acme.id, .init(subdomain: "acme", header: acme.id)) == acme)
    }

    @Test("hints that name another tenant than the credential are 403")
    func otherTenant() async throws {
        for hints in [
            TenantStage.Hints(header: other.id), .init(subdomain: "other"),
            .init(subdomain: "nobody"),
        ] {
            let problem = try await problem { try await stage.confirm(acme.id, hints) }
            #expect(problem.code == .tenantMismatch)
        }
    }

    /// Cannot say whose a subdomain is.
    private struct NoSubdomains: TenantDirectory {
        let known: TenantSummary
        func tenant(_ id: TenantID) async throws -> TenantSummary? { known }
        func tenant(subdomain: Subdomain) async throws -> TenantSummary? { throw ProblemError.unavailable("gone") }
    }

    @Test("a subdomain beside a credential is compared and not looked up, whatever a stranger makes up")
    func madeUpSubdomain() async throws {
        let stage = TenantStage(baseDomain: "erm.example", directory: NoSubdomains(known: acme))
        #expect(try await stage.confirm(acme.id, .init(subdomain: "acme")) == acme)
        let problem = try await problem {
            try await stage.confirm(acme.id, .init(subdomain: "made-up"))
        }
        #expect(problem.code == .tenantMismatch)
    }

    @Test("a credential of an inactive tenant is 403")
    func inactive() async throws {
        let problem = try await problem { try await stage.confirm(gone.id, .init()) }
        #expect(problem.code == .tenantUnavailable)
    }
}

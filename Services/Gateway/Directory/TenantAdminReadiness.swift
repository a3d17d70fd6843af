import Contracts
import Foundation
import HTTPClient
import ServiceIdentity
import ServiceKit
import Synchronization

/// Whether the gateway can find out who may do what: without tenant-admin every request would be 503, and so it would with clocks
/// that are too far apart. Asked with an assertion, as every request will be.
struct TenantAdminReadiness: Sendable {
    let baseURLs: [String]
    let client: HTTPClient
    let signer: AssertionSigner
    /// How far the clocks may be apart, in seconds.
    let leeway: TimeInterval
    /// How long an answer is waited for.
    var patience: Duration = .seconds(1)
    var now: @Sendable () -> Date = { Date() }

    var check: ReadinessCheck { ReadinessCheck(name: "tenant-admin") { await reason() } }

    /// nil when one of tenant-admin's nodes answers as it should.
    func reason() async -> String? {
        var reasons: [String] = []
        for url in baseURLs {
            guard let reason = await reason(url) else { return nil }
            reasons.append(reason)
        }
        return reasons.first
    }

    private func reason(_ url: String) async -> String? {
        // No tenant has this id; that it is not found is the answer of a tenant-admin that is well.
        let path = "/internal/v1/tenants/00000000-0000-0000-0000-000000000000"
        guard let assertion = try? signer.assertion(for: .tenantAdmin) else { return "no assertion can be signed" }
        let asked = now()
        let request = HTTPClientRequest(
            url: url + path, headers: [(HeaderName.authorization, "Bearer \(assertion)")], deadline: patience)
        let answer: HTTPClientResponse
        do {
            answer = try await client.execute(request, collectingUpTo: 65_536).response
        } catch {
            return "it does not answer"
        }
        if let reason = clockReason(answer, asked) { return reason }
        switch answer.status {
        case 200, 404: return nil
        case 401: return "it refuses this gateway's assertions"
        default: return "it answers \(answer.status)"
        }
    }

    private func clockReason(_ answer: HTTPClientResponse, _ asked: Date) -> String? {
        guard let text = answer["Date"],
            let difference = NodeClocks.difference(text, asked: asked, answered: now()),
            NodeClocks.isLarge(difference, leeway)
        else { return nil }
        return "its clock \(NodeClocks.sentence(difference))"
    }
}

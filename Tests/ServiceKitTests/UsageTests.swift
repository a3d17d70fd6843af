import Contracts
import Foundation
import Hummingbird
import Logging
import ServiceIdentity
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Usage that a service counts")
struct UsageTests {
    /// Takes reports, or keeps them and says that it did not.
    private final class Receiver: Sendable {
        let reports = Mutex<[UsageReport]>([])
        let isBroken = Mutex(false)

        var router: Router<ServiceRequestContext> {
            let router = Router(context: ServiceRequestContext.self)
            router.post("internal/v1/usage-reports") { request, context in
                let report = try await request.payload(UsageReport.self, context: context)
                self.reports.withLock { $0.append(report) }
                if self.isBroken.withLock({ $0 }) { throw ProblemError.unavailable("Later.") }
                return try Answer.data(report)
            }
            return router
        }

        /// As tenant-admin adds up: each report once.
        func apiCalls(of tenant: TenantID) -> Int {
            let all = reports.withLock { Dictionary($0.map { ($0.id, $0.counts) }) { first, _ in first } }
            return all.values.joined().filter { $0.tenantId == tenant }.reduce(0) { $0 + $1.apiCalls }
        }
    }

    private func with(_ body: (UsageCounter, UsageReporter, Receiver) async throws -> Void) async throws {
        let receiver = Receiver()
        try await LiveService.with(receiver.router) { service in
            let counter = UsageCounter()
            let client = ServiceClient(
                to: .tenantAdmin, baseURLs: [service.http], httpClient: service.client,
                signer: AssertionSigner(issuer: .gateway, keyPair: ServiceKeyPair()), deadline: .seconds(60))
            let reporter = UsageReporter(
                counter: counter, client: client, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await body(counter, reporter, receiver)
        }
    }

    @Test("counts are kept apart by tenant and day, and taken away once")
    func counted() {
        let (one, two) = (TenantID(), TenantID())
        let moment = Mutex(Date(timeIntervalSince1970: 86_399))
        let counter = UsageCounter(now: { moment.withLock { $0 } })
        for _ in 0..<3 { counter.count(apiCalls: 1, of: one) }
        counter.count(predictions: 5, of: two)
        moment.withLock { $0 = Date(timeIntervalSince1970: 86_400) }
        counter.count(apiCalls: 1, predictions: 2, of: one)

        let taken = counter.take()

        let days = [CivilDate("1970-01-01")!, CivilDate("1970-01-02")!]
        let expected = [
            UsageCount(tenantId: one, date: days[0], apiCalls: 3, predictions: 0),
            UsageCount(tenantId: two, date: days[0], apiCalls: 0, predictions: 5),
            UsageCount(tenantId: one, date: days[1], apiCalls: 1, predictions: 2),
        ]
        #expect(taken.count == 3 && expected.allSatisfy(taken.contains))
        #expect(counter.take().isEmpty)
    }

    @Test("a report that was not acknowledged is sent again under its id, so that nothing is lost or doubled")
    func retried() async throws {
        try await with { counter, reporter, receiver in
            let tenant = TenantID()
            counter.count(apiCalls: 4, of: tenant)
            receiver.isBroken.withLock { $0 = true }
            await #expect(throws: ProblemError.self) { try await reporter.report() }
            counter.count(apiCalls: 3, of: tenant)
            await #expect(throws: ProblemError.self) { try await reporter.report() }
            receiver.isBroken.withLock { $0 = false }
            try await reporter.report()
            try await reporter.report()
            #expect(receiver.apiCalls(of: tenant) == 7)
            #expect(receiver.reports.withLock { $0.count } == 4)
        }
    }

    @Test("many tenants' counts go in several reports")
    func many() async throws {
        try await with { counter, reporter, receiver in
            let tenants = (0..<2_500).map { _ in TenantID() }
            for tenant in tenants { counter.count(apiCalls: 1, of: tenant) }
            try await reporter.report()
            #expect(receiver.reports.withLock { $0.map(\.counts.count) } == [1_000, 1_000, 500])
            #expect(tenants.allSatisfy { receiver.apiCalls(of: $0) == 1 })
        }
    }

    @Test("what is counted last is reported when the service stops")
    func stopped() async throws {
        try await with { counter, reporter, receiver in
            let tenant = TenantID()
            let group = ServiceGroup(
                services: [reporter], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            async let run: Void = group.run()
            counter.count(apiCalls: 2, of: tenant)
            await group.triggerGracefulShutdown()
            try await run
            #expect(receiver.apiCalls(of: tenant) == 2)
        }
    }
}

import Contracts
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

@Suite("What a node says of itself")
struct NodeReportTests {
    private struct Trouble: Error {}

    private struct Work: Service, BacklogReporting {
        let backlogName: String
        var waiting: Int?
        func run() async throws {}
        func backlog() async throws -> Backlog {
            guard let waiting else { throw Trouble() }
            return Backlog(name: backlogName, count: waiting, total: 9, oldestSeconds: 4)
        }
    }

    private struct Silence: ChangeSource {
        func news(after position: String?) async throws -> ChangeNews {
            ChangeNews(position: "1", isContinuous: true, isWhole: true, changes: [])
        }
    }

    @Test("a node is ready when all that it needs is well, and says why it is not")
    func readiness() async {
        let well = ReadinessCheck(name: "database") { nil }
        let ill = ReadinessCheck(name: "tenant-admin") { "it does not answer" }

        let ready = await NodeReport(readiness: [well]).health()
        let unready = await NodeReport(readiness: [well, ill]).health()

        #expect(ready.isReady)
        #expect(ready.programWrittenAt != nil)
        #expect(!unready.isReady)
        #expect(unready.dependencies.map(\.name) == ["database", "tenant-admin"])
        #expect(unready.dependencies.map(\.reason) == [nil, "it does not answer"])
    }

    @Test("what a node can do without for now is told, and the node is ready")
    func notRequired() async {
        let isRequired = Mutex(true)
        let ill = ReadinessCheck(name: "ml-training") { "it does not answer" }
            .required { isRequired.withLock { $0 } }

        let before = await NodeReport(readiness: [ill]).health()
        isRequired.withLock { $0 = false }
        let after = await NodeReport(readiness: [ill]).health()

        #expect(!before.isReady && after.isReady)
        #expect(after.dependencies.map(\.reason) == ["it does not answer"])
    }

    @Test("backlogs are reported, of work that begins later too, and without a count when they cannot be counted")
    func backlogs() async {
        let later = ReadinessCheck(name: "database") { nil }.before(Work(backlogName: "jobs", waiting: 3))
        let health = await NodeReport(services: later + [Work(backlogName: "notes")]).health()

        #expect(
            health.backlogs == [
                Backlog(name: "jobs", count: 3, total: 9, oldestSeconds: 4), Backlog(name: "notes", count: nil),
            ])
    }

    @Test("a change feed is reported as lost or with the age of its last answer")
    func feeds() async throws {
        let start = ContinuousClock.now
        let follower = ChangeFollower(
            "tenant-admin", source: Silence(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { start })
        let report = NodeReport(services: [follower])

        let before = await report.health().feeds
        try await follower.ask()
        let after = await report.health().feeds

        #expect(before == [FeedHealth(name: "tenant-admin", isHeard: false, heardSecondsAgo: nil)])
        #expect(after == [FeedHealth(name: "tenant-admin", isHeard: true, heardSecondsAgo: 0)])
    }
}

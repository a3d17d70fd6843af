import Contracts
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// Changes as a test tells them: each answer is made by the test.
private final class ToldChanges: ChangeSource {
    let next = Mutex<[Change]>([])
    let isContinuous = Mutex(true)

    func news(after position: String?) async throws -> ChangeNews {
        let told = next.withLock { next in
            defer { next = [] }
            return next
        }
        return ChangeNews(position: "1", isContinuous: isContinuous.withLock { $0 }, isWhole: true, changes: told)
    }
}

@Suite struct TenantNewsTests {
    private let clock = ManualClock()
    private let changes = ToldChanges()
    private let tenant = TenantID()
    private let follower: ChangeFollower
    private let news: TenantNews

    init() {
        follower = ChangeFollower("others", source: changes, logger: PostgresCluster.quietLogger, now: clock.now)
        news = TenantNews(follower, now: clock.now)
    }

    private func hear(_ told: Change...) async throws {
        changes.next.withLock { $0 = told }
        try await follower.ask()
        clock.advance(by: .milliseconds(10))
    }

    @Test(
        "only a changed history is fetched again while the change feed is up, every history while it is down"
    )
    func mirror() async throws {
        let feed = ScriptedFeed(SyntheticHistory(allocations: 5).lines)
        let mirror = TenantMirror(
            tenant: tenant, source: feed, freshness: Freshness(),
            isUnchanged: { [news] in news.isUnchanged($0, since: $1) }, now: clock.now)
        try await hear()
        try await mirror.refresh()
        for _ in 1...5 {
            clock.advance(by: .seconds(60))
            try await hear(Change(.history, of: TenantID()))
            try await mirror.refresh()
        }
        #expect(feed.questions.count == 1)

        try await hear(Change(.history, of: tenant))
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        #expect(feed.questions.count == 2)

        clock.advance(by: .seconds(1))
        try await mirror.refresh()
        #expect(feed.questions.count == 3)
        feed.state.withLock { $0.isDown = true }
        clock.advance(by: .milliseconds(1_100))
        await #expect(throws: ProblemError.self) { try await mirror.refresh() }
        // Heard again, and nothing has changed since: what is known holds.
        try await hear()
        try await mirror.refresh()
    }

    @Test(
        "a deployment is cached until a change, and fetched again when changes may have been missed"
    )
    func models() async throws {
        let source = ScriptedModels()
        let bytes = try await TrainedModel.artifact.value
        let first = source.deploy(bytes)
        let models = DeployedModels(
            source: source, news: { [news] in news.since($1, of: $0) }, patience: .seconds(600), now: clock.now)
        try await hear()
        #expect(try await models.model(of: tenant).id == first.modelId)
        clock.advance(by: .seconds(60))
        try await hear()
        #expect(try await models.model(of: tenant).id == first.modelId)
        #expect(source.state.withLock { $0.deploymentQuestions } == 1)

        let second = source.deploy(bytes, version: 2)
        clock.advance(by: .seconds(60))
        try await hear(Change(.deployment, of: tenant))
        clock.advance(by: .milliseconds(600))
        #expect(try await models.model(of: tenant).id == second.modelId)
        #expect(source.state.withLock { $0.deploymentQuestions } == 2)

        changes.isContinuous.withLock { $0 = false }
        try await hear()
        clock.advance(by: .milliseconds(600))
        _ = try await models.model(of: tenant)
        #expect(source.state.withLock { $0.deploymentQuestions } == 3)

        // What the feed tells goes before what was asked a moment ago.
        changes.isContinuous.withLock { $0 = true }
        let third = source.deploy(bytes, version: 3)
        try await hear(Change(.deployment, of: tenant))
        #expect(try await models.model(of: tenant).id == third.modelId)
    }
}

import Synchronization
import Testing

@testable import TenantAdmin

@Suite("News of a rollout")
struct RolloutNewsTests {
    /// A clock that is set, and what was said.
    private final class Room: Sendable {
        let time = Mutex(ContinuousClock.now)
        let said = Mutex<[String]>([])

        func wait(_ seconds: Int) { time.withLock { $0 += .seconds(seconds) } }

        /// Since the last time.
        var heard: [String] {
            said.withLock { said in
                defer { said = [] }
                return said
            }
        }
    }

    @Test(
        "it is told how many of how many tenants are done every few seconds, also when none is, and after each hundred")
    func everyFewSeconds() {
        let room = Room()
        let news = RolloutNews(now: { room.time.withLock { $0 } }) { text in
            room.said.withLock { $0.append(text) }
        }
        func progress(_ migrated: Int) -> TenantSchemas.Progress {
            var progress = TenantSchemas.Progress(total: 250)
            progress.migrated = migrated
            return progress
        }
        news.take(progress(0))
        #expect(room.heard == ["0 of 250 tenants, 0 not migrated"])
        room.wait(1)
        news.tick()
        #expect(room.heard == [])
        room.wait(2)
        news.tick()
        #expect(room.heard == ["0 of 250 tenants, 0 not migrated"])
        news.take(progress(1))
        #expect(room.heard == [])
        room.wait(3)
        news.tick()
        #expect(room.heard == ["1 of 250 tenants, 0 not migrated"])
        news.take(progress(100))
        news.take(progress(250))
        #expect(room.heard == ["100 of 250 tenants, 0 not migrated", "250 of 250 tenants, 0 not migrated"])
    }
}

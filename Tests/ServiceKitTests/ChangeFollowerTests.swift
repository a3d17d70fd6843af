import Contracts
import Logging
import ServiceKit
import Synchronization
import Testing

/// Answers and fails as a test says.
private final class FlakySource: ChangeSource {
    private let state = Mutex((isUp: false, requests: 0))

    var requests: Int { state.withLock { $0.requests } }
    func set(up: Bool) { state.withLock { $0.isUp = up } }

    func news(after position: String?) async throws -> ChangeNews {
        let isUp = state.withLock { state in
            state.requests += 1
            return state.isUp
        }
        guard isUp else { throw ProblemError.unavailable("not yet") }
        return ChangeNews(position: "1", isContinuous: position != nil, isWhole: true, changes: [])
    }
}

/// Keeps the messages of warnings.
private struct Warnings: LogHandler {
    let messages: MessageList
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level >= .warning { messages.add(event.message.description) }
    }
}

private final class MessageList: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func add(_ message: String) { list.withLock { $0.append(message) } }
}

@Suite("The log of a change follower")
struct ChangeFollowerTests {
    @Test(
        "services that start in any order are no outage, one that stops answering is logged once",
        .timeLimit(.minutes(5)))
    func start() async throws {
        let source = FlakySource()
        let messages = MessageList()
        let follower = ChangeFollower(
            "tenant-admin", source: source, patienceAtStart: .seconds(3600),
            logger: Logger(label: "test", factory: { _ in Warnings(messages: messages) }))
        let running = Task { try await follower.run() }
        while source.requests < 4 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(messages.all.isEmpty)
        source.set(up: true)
        while !follower.isHeard(at: .now) { try await Task.sleep(for: .milliseconds(10)) }
        source.set(up: false)
        let before = source.requests
        while source.requests < before + 4 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(messages.all.count == 1)
        running.cancel()
        _ = try? await running.value
    }
}

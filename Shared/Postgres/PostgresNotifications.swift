import Basics
public import Logging

/// Notifications of the given channels, on a connection of its own that is made again whenever it breaks.
///
/// Iterating listens; it ends when the task is cancelled. After each event of kind `listening` or `reconnected` the
/// listener is up to date from now on, so read there what may have been missed.
public struct PostgresNotifications: AsyncSequence, Sendable {
    public enum Event: Sendable, Hashable {
        /// The first connection stands and listens.
        case listening
        /// The connection was lost and stands again; notifications in between are lost.
        case reconnected
        case notification(channel: String, payload: String)
    }

    public typealias Element = Event
    public typealias Failure = Never

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger

    /// - Parameter channels: exact names, as given to `pg_notify`.
    public init(configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(listener: Listener(configuration: configuration, channels: channels, logger: logger))
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let listener: Listener

        init(listener: Listener) { self.listener = listener }

        /// The next event; `nil` once the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Event? {
            await listener.next()
        }
    }
}

/// The connection behind one iteration.
actor Listener {
    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger
    private let reactor = Reactor()
    private var session: ServerSession?
    private var hasListened = false
    private var failures = 0

    /// How long silence is trusted before the server is asked for a sign of life.
    private static let heartbeat = Duration.seconds(30)

    init(configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    deinit { reactor.stop() }

    func next() async -> PostgresNotifications.Event? {
        while !Task.isCancelled {
            do {
                guard let session else { return try await connect() }
                return try await session.nextNotification(heartbeat: Self.heartbeat)
            } catch {
                await session?.close()
                session = nil
                guard !Task.isCancelled else { break }
                logger.debug("Listening for notifications was interrupted", metadata: [LogKey.error: "\(error)"])
                await pause()
            }
        }
        return nil
    }

    private func connect() async throws -> PostgresNotifications.Event {
        let session = try await ServerSession.connect(configuration, reactor: reactor)
        try await session.listen(to: channels)
        self.session = session
        failures = 0
        defer { hasListened = true }
        return hasListened ? .reconnected : .listening
    }

    private static let backoff = Backoff(first: .milliseconds(100), maximum: .seconds(10))

    /// At once after the first failure, then with jittered exponential back-off.
    private func pause() async {
        defer { failures += 1 }
        guard failures > 0 else { return }
        try? await Task.sleep(for: Self.backoff.pause(after: failures) * Double.random(in: 0.5...1.5))
    }
}

extension ServerSession {
    func listen(to channels: [String]) async throws {
        waitDeadline = .now + configuration.connectTimeout
        defer { waitDeadline = nil }
        let commands = try channels.map { "listen " + (try Quoting.identifier($0)) }
        _ = try await runScript(commands.joined(separator: ";"))
    }

    /// Waits for a notification. A cancelled task gets `connectionLost` at once: no other task uses the connection.
    func nextNotification(heartbeat: Duration) async throws -> PostgresNotifications.Event {
        let (reactor, descriptor) = (reactor, libpq.descriptor)
        return try await withTaskCancellationHandler {
            defer { waitDeadline = nil }
            while true {
                guard libpq.consumeInput() else { throw lost(libpq.errorMessage) }
                if let (channel, payload) = libpq.nextNotification() {
                    return .notification(channel: channel, payload: payload)
                }
                if await reactor.wait(for: descriptor, .read, until: .now + heartbeat) != .ready {
                    guard !Task.isCancelled else { throw lost() }
                    waitDeadline = .now + configuration.cleanUpTimeout
                    _ = try await runScript("")
                }
            }
        } onCancel: {
            reactor.limitWaits(for: descriptor, until: .now)
        }
    }
}

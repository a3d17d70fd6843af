import Contracts
import ServiceLifecycle

/// The news of a job as server-sent events: `progress` for each epoch (its id is the epoch, so that
/// `Last-Event-ID` goes on without a gap), `status` whenever status or stage changes, and after a final status the end.
struct JobEvents: Sendable {
    let watch: JobWatch
    var interval: Duration = .milliseconds(250)
    /// After this long without an event a comment is sent, so that proxies keep the connection and a dead one is noticed.
    var heartbeat: Duration = .seconds(10)

    /// Writes events until the job is final, the service is being stopped (watchers go on at another node), the task is
    /// cancelled, or `write` throws.
    func stream(afterEpoch start: Int, write: ([UInt8]) async throws -> Void) async throws {
        var epoch = start
        var told: JobStanding?
        var silentSince = ContinuousClock.now
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            guard let news = try await watch.news(afterEpoch: epoch) else { return }
            var events: [UInt8] = []
            for progress in news.epochs { events += try Self.event("progress", progress, id: progress.epoch) }
            epoch = news.epochs.last?.epoch ?? epoch
            if news.standing != told {
                events += try Self.event("status", JobStatusEvent(news.standing))
                told = news.standing
            }
            if events.isEmpty, ContinuousClock.now - silentSince >= heartbeat {
                events = Array(": still here\n\n".utf8)
            }
            if !events.isEmpty {
                try await write(events)
                silentSince = .now
            }
            if news.standing.status.isFinal { return }
            try await Task.sleep(for: interval)
        }
    }

    private static func event(_ name: String, _ payload: some Encodable, id: Int? = nil) throws -> [UInt8] {
        let id = id.map { "id: \($0)\n" } ?? ""
        return Array("\(id)event: \(name)\ndata: ".utf8) + (try WireJSON.encode(payload)) + Array("\n\n".utf8)
    }
}

/// The data of a `status` event.
struct JobStatusEvent: Codable, Sendable {
    let status: TrainingJobStatus
    let stage: String
    let attempts: Int

    init(_ standing: JobStanding) {
        status = standing.status
        stage = standing.stage
        attempts = standing.attempts
    }
}

import Basics
import Contracts
import Foundation
import ServiceLifecycle
import Synchronization

/// One line a request, written by a thread of its own.
///
/// Serving a request only queues its record. When the writer does not keep up, because its output is not read, records are
/// dropped and counted: a log must never delay a request nor exhaust the memory.
public final class AccessLog: Sendable {
    /// Records that may wait.
    static let capacity = 16_384
    /// The longest time between a request's end and its line. Short, for on a busy node the lines of a tenth of a second take a core for many
    /// milliseconds, which requests would wait for.
    private static let pause = 0.02

    private struct State {
        var entries: [RequestRecord.Entry] = []
        var isWriting = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let service: String
    private let format: ServiceLogHandler.Format
    private let samplePercent: Int
    private let write: (@Sendable (String) -> Void)?
    private let dropped: MetricSeries
    private let state = Mutex(State())

    /// - Parameters:
    ///   - samplePercent: how many of the requests that went well are written; those that did not always are.
    ///   - write: takes whole lines; nil: nothing is written.
    init(
        service: String, format: ServiceLogHandler.Format = .json, samplePercent: Int = 100, metrics: MetricsRegistry,
        write: (@Sendable (String) -> Void)?
    ) {
        self.service = service
        self.format = format
        self.samplePercent = samplePercent
        self.write = write
        dropped = metrics.counter(
            "access_log_dropped_total", help: "Requests without a line in the access log: it was not written in time.")
    }

    func append(_ entry: RequestRecord.Entry) {
        guard write != nil, isWanted(entry) else { return }
        let (isTaken, starts) = state.withLock { state in
            guard state.entries.count < Self.capacity else { return (false, false) }
            state.entries.append(entry)
            defer { state.isWriting = true }
            return (true, !state.isWriting)
        }
        if !isTaken { dropped.increment() }
        if starts { start() }
    }

    /// Returns when all that has been appended is written.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isWriting = state.withLock { state in
                if state.isWriting { state.waiters.append(continuation) }
                return state.isWriting
            }
            if !isWriting { continuation.resume() }
        }
    }

    private func isWanted(_ entry: RequestRecord.Entry) -> Bool {
        if entry.isQuiet { return false }
        let isFine = !entry.isCut && entry.status.map { $0 < 400 } ?? false
        return !isFine || (samplePercent == 100 || Int.random(in: 0..<100) < samplePercent)
    }

    private func start() {
        SystemThread.start(named: "access log") { [self] in
            // Used again and again: on a busy node to grow them anew each time costs more than what goes into them.
            var entries: [RequestRecord.Entry] = []
            var lines = ""
            while true {
                Thread.sleep(forTimeInterval: Self.pause)
                let waiters = takeAll(&entries)
                lines.reserveCapacity(640 * entries.count)
                for entry in entries { append(entry, to: &lines) }
                if !lines.isEmpty { write?(lines) }
                for waiter in waiters { waiter.resume() }
                if entries.isEmpty { return }
                entries.removeAll(keepingCapacity: true)
                lines.removeAll(keepingCapacity: true)
            }
        }
    }

    /// With nothing to write the thread ends, until the next record, and who waits for that may go on.
    ///
    /// - Parameter entries: empty; records that come from now on go into what it is made of.
    /// - Returns: who waits.
    private func takeAll(_ entries: inout [RequestRecord.Entry]) -> [CheckedContinuation<Void, Never>] {
        state.withLock { state in
            swap(&state.entries, &entries)
            guard entries.isEmpty else { return [] }
            state.entries = []
            state.isWriting = false
            defer { state.waiters = [] }
            return state.waiters
        }
    }

    private func append(_ entry: RequestRecord.Entry, to lines: inout String) {
        let time = WireJSON.timestamp(entry.time)
        switch format {
        case .json:
            lines += "{\"time\":\""
            lines += time
            lines += "\",\"level\":\"info\",\"service\":\""
            lines += service
            lines += "\",\"message\":\"request\""
            Self.members(of: entry) { name, value, isText in
                lines += ",\""
                lines += name
                lines += "\":"
                if isText { JSONText.append(value, to: &lines) } else { lines += value }
            }
            lines += "}\n"
        case .text:
            var line = "\(time) info \(service): request"
            Self.members(of: entry) { name, value, _ in line += " \(name)=\(value)" }
            lines += line.replacing("\n", with: "\\n") + "\n"
        }
    }

    /// What is known of a request, one after the other: each line costs a request's time.
    private static func members(
        of entry: RequestRecord.Entry, _ take: (_ name: String, _ value: String, _ isText: Bool) -> Void
    ) {
        func add(_ name: String, _ text: String?) { if let text { take(name, text, true) } }
        func add(_ name: String, number: some CustomStringConvertible) { take(name, number.description, false) }
        add(LogKey.method, entry.method)
        add(LogKey.route, entry.route)
        add(LogKey.requestID, entry.requestID)
        add(LogKey.traceID, entry.traceID)
        add(LogKey.clientAddress, entry.client)
        add(LogKey.tenantID, entry.tenant)
        add(LogKey.actor, entry.subject)
        add(LogKey.account, entry.account)
        add(LogKey.upstream, entry.upstream)
        add(LogKey.upstreamAddress, entry.upstreamNode)
        add(LogKey.problemCode, entry.refusal?.code.rawValue)
        add(LogKey.reason, entry.refusal?.reason)
        add(LogKey.bytesIn, number: entry.bytesIn)
        add(LogKey.bytesOut, number: entry.bytesOut)
        if let attempts = entry.attempts, attempts > 1 { add(LogKey.attempt, number: attempts) }
        let milliseconds = (entry.duration / .milliseconds(1) * 100).rounded() / 100
        add(LogKey.durationMilliseconds, number: milliseconds)
        if let status = entry.status { add(LogKey.status, number: status) }
        if entry.isCut { add(LogKey.isCut, number: true) }
    }
}

/// Ends the access log once all that could still answer requests has ended.
struct AccessLogService: Service {
    let log: AccessLog

    func run() async throws {
        try? await gracefulShutdown()
        await log.close()
    }
}

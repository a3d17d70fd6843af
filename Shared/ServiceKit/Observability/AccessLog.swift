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
    /// The longest time between a request's end and its line.
    private static let pause = 0.1

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
            while true {
                Thread.sleep(forTimeInterval: Self.pause)
                let (entries, waiters) = takeAll()
                if !entries.isEmpty { write?(entries.map(line).joined()) }
                for waiter in waiters { waiter.resume() }
                if entries.isEmpty { return }
            }
        }
    }

    /// With nothing to write the thread ends, until the next record, and who waits for that may go on.
    private func takeAll() -> (entries: [RequestRecord.Entry], waiters: [CheckedContinuation<Void, Never>]) {
        state.withLock { state in
            let entries = state.entries
            state.entries = []
            guard entries.isEmpty else { return (entries, []) }
            state.isWriting = false
            defer { state.waiters = [] }
            return ([], state.waiters)
        }
    }

    func line(_ entry: RequestRecord.Entry) -> String {
        let milliseconds = (entry.duration / .milliseconds(1) * 100).rounded() / 100
        let texts: [(String, String?)] = [
            (LogKey.method, entry.method), (LogKey.route, entry.route), (LogKey.requestID, entry.requestID),
            (LogKey.traceID, entry.traceID), (LogKey.clientAddress, entry.client), (LogKey.tenantID, entry.tenant),
            (LogKey.actor, entry.subject), (LogKey.account, entry.account), (LogKey.upstream, entry.upstream),
            (LogKey.upstreamAddress, entry.upstreamNode), (LogKey.problemCode, entry.refusal?.code.rawValue),
            (LogKey.reason, entry.refusal?.reason),
        ]
        var numbers = [(LogKey.bytesIn, "\(entry.bytesIn)"), (LogKey.bytesOut, "\(entry.bytesOut)")]
        if let attempts = entry.attempts, attempts > 1 { numbers.append((LogKey.attempt, "\(attempts)")) }
        numbers.append((LogKey.durationMilliseconds, "\(milliseconds)"))
        if let status = entry.status { numbers.append((LogKey.status, "\(status)")) }
        if entry.isCut { numbers.append((LogKey.isCut, "true")) }
        let time = WireJSON.timestamp(entry.time)
        switch format {
        case .json:
            var line = ""
            line.reserveCapacity(768)
            line += "{\"time\":\"\(time)\",\"level\":\"info\",\"service\":\"\(service)\",\"message\":\"request\""
            func add(_ name: String) {
                line += ",\""
                line += name
                line += "\":"
            }
            for (name, text) in texts {
                guard let text else { continue }
                add(name)
                JSONText.append(text, to: &line)
            }
            for (name, number) in numbers {
                add(name)
                line += number
            }
            line += "}\n"
            return line
        case .text:
            var line = "\(time) info \(service): request"
            for (name, text) in texts { if let text { line += " \(name)=\(text)" } }
            for (name, number) in numbers { line += " \(name)=\(number)" }
            return line.replacing("\n", with: "\\n") + "\n"
        }
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

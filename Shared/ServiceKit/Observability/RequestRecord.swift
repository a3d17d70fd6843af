public import Contracts
public import Foundation
import HTTPTypes
import Synchronization

/// What is written down of one request: its line in the access log, filled in while the request passes.
///
/// It is over when the last byte of the answer has been handed to the connection, or the connection has ended before that.
public final class RequestRecord: Sendable {
    /// Why a request was refused.
    public struct Refusal: Sendable, Equatable {
        public let code: ErrorCode
        /// The problem's sentence; nil when it may repeat what the client sent.
        public let reason: String?

        init(_ problem: ProblemError) {
            code = problem.code
            reason =
                [400, 401, 403, 404, 405, 408, 413, 415, 429, 431, 499, 501, 502, 503, 504].contains(
                    problem.status.code) ? problem.sentence : nil
        }
    }

    public struct Entry: Sendable {
        public var method: String
        /// The route's template, never the path.
        public var route: String?
        public var requestID: String?
        public var traceID: String?
        public var status: Int?
        public var refusal: Refusal?
        /// The address that is taken for the client's.
        public var client: String?
        public var tenant: String?
        /// A user's id, `api-key:<id>` or `platform-operator`.
        public var subject: String?
        /// A pseudonym of the account of an attempted login.
        public var account: String?
        /// The service that was asked, and which of its nodes.
        public var upstream: String?
        public var upstreamNode: String?
        public var attempts: Int?
        public var bytesIn = 0
        public var bytesOut = 0
        /// The connection ended before the answer did.
        public var isCut = false
        /// A probe that machines send all the time and no reader of the log needs.
        public var isQuiet = false
        public var time = Date()
        public var duration = Duration.zero
    }

    /// Something that is done for the request and goes on without its client. Nothing that the request holds comes back before its
    /// end, which is told by ``end()`` or by letting go of this.
    public final class Work: Sendable {
        private let record: RequestRecord
        private let isEnded = Atomic(false)

        fileprivate init(_ record: RequestRecord) { self.record = record }

        public func end() { if !isEnded.exchange(true, ordering: .relaxed) { record.workEnded() } }

        deinit { end() }
    }

    private struct State {
        var entry: Entry
        var isFinished = false
        var works = 0
        var readsOn = false
        var actions: [@Sendable () -> Void] = []

        var isOver: Bool { isFinished && works == 0 }

        /// What is to be done by now.
        mutating func takeDue() -> [@Sendable () -> Void] {
            guard isOver else { return [] }
            defer { actions = [] }
            return actions
        }
    }

    private let start = ContinuousClock.now
    private let state: Mutex<State>

    public init(method: String) { state = Mutex(State(entry: Entry(method: method))) }

    public func note(_ change: (inout Entry) -> Void) { state.withLock { change(&$0.entry) } }

    /// The handler reads the body to its end while it answers, so that the connection need not end with an answer that begins before.
    public func readsBodyWhileAnswering() { state.withLock { $0.readsOn = true } }

    var isReadWhileAnswered: Bool { state.withLock { $0.readsOn } }

    /// Begins something that is done for the request.
    public func work() -> Work {
        state.withLock { $0.works += 1 }
        return Work(self)
    }

    private func workEnded() {
        let actions = state.withLock { state in
            state.works -= 1
            return state.takeDue()
        }
        for action in actions { action() }
    }

    /// Runs `action` once the request is over and all that is done for it (``Work``) has ended, at once when that is so already.
    public func whenFinished(_ action: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            if !state.isOver {
                // A request has some places to give back.
                if state.actions.isEmpty { state.actions.reserveCapacity(8) }
                state.actions.append(action)
            }
            return state.isOver
        }
        if isOver { action() }
    }

    /// The request is over.
    func finish(isCut: Bool) -> Entry {
        let duration = start.duration(to: .now)
        let (entry, actions) = state.withLock { state in
            state.isFinished = true
            state.entry.isCut = isCut
            state.entry.duration = duration
            return (state.entry, state.takeDue())
        }
        for action in actions { action() }
        return entry
    }

    public var entry: Entry { state.withLock { $0.entry } }
}

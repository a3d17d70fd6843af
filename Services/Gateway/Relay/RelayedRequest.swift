import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import ServiceKit

/// A request on its way to an upstream and its answer on the way back, on one event loop, to which it belongs.
///
/// A short answer is read to its end first: what breaks off may still be asked of another node. Longer ones and those of unknown length are
/// passed on in pieces, as fast as the client takes them, and only while the client may still have them. Time during which the client does
/// not take them is not the node's: the client's write timeout ends it.
final class RelayedRequest: LoopAnswering, LoopTimed {
    private enum State {
        case asking
        case collecting(HTTPResponse, ByteBuffer?)
        case streaming
        /// The client has gone from what changes something: the node goes on with it, and the places of the request are held until then.
        case unheard
        case over
    }

    private static let connectTimeout = Duration.seconds(5)

    private let exchange: LoopExchange
    private let line: GatewayLine
    private let admission: Admission
    private let fields: [(name: String, value: String)]
    private let body: ByteBuffer?
    private let connections: LoopConnections
    private let logger: Logger
    private let isRepeatable: Bool
    private var attempts: Attempts
    private var state = State.asking
    private var node = ""
    private var connection: UpstreamConnection?
    private var isOnUsedConnection = false
    /// The head of the answer has come, and does not say that the node cannot answer.
    private var isWell = false
    /// The number of connection attempts; a connection of an earlier attempt that comes late is not used.
    private var connects = 0
    /// What the node has; it stands still while the client does not take the answer. nil once this is over.
    private var time: LoopTimer?
    private var stream: StandingStream?
    /// nil for what changes nothing, which ends with its client.
    private var work: RequestRecord.Work?

    init(
        _ exchange: LoopExchange, _ admission: Admission, _ fields: [(name: String, value: String)],
        _ body: ByteBuffer?, by line: GatewayLine, to upstream: Upstream, over connections: LoopConnections,
        _ logger: Logger
    ) {
        self.exchange = exchange
        self.line = line
        self.admission = admission
        self.fields = fields
        self.body = body
        self.connections = connections
        self.logger = logger
        time = connections.timer()
        isRepeatable = ForwardStage.isRepeatable(admission.match, exchange.request.headerFields)
        attempts = Attempts(
            upstream, of: admission.tenant?.id, isRepeatable: isRepeatable, isVouched: admission.principal != nil,
            within: admission.match.route.timeout)
    }

    func begin() {
        exchange.answering = self
        let service = attempts.upstream.service.rawValue
        exchange.record.note { $0.upstream = service }
        if !exchange.request.method.isSafe { work = exchange.record.work() }
        time?.owner = self
        ask()
    }

    private func ask() {
        guard let next = attempts.next(exchange.record) else { return refuse(attempts.failure) }
        node = next
        let patience = limitTime()
        if let waiting = connections.take(node) { send(on: waiting) } else { connect(within: patience) }
    }

    /// How long this attempt may take, which is watched from now on.
    private func limitTime() -> Duration {
        let patience = attempts.patience(admission.match.route)
        time?.start(patience)
        return patience
    }

    func timeIsOver() {
        failed(
            HTTPClientError(
                .timedOut, "The response was not complete within the time allowed.", requestMayHaveBeenProcessed: true))
    }

    private func connect(within patience: Duration) {
        guard let address = attempts.upstream.socket(of: node) else {
            return failed(HTTPClientError(.couldNotResolve, "The server's address is not known."))
        }
        connects += 1
        let number = connects
        let time = TimeAmount(min(patience, Self.connectTimeout))
        connections.open(node, address, within: time).assumeIsolated().whenComplete { [self] result in
            let opened = Result {
                try result.get().pipeline.syncOperations.handler(type: UpstreamConnection.self)
            }
            guard case .asking = state, number == connects, connection == nil else {
                if case .success(let late) = opened { connections.give(late) }
                return
            }
            switch opened {
            case .success(let connection): send(on: connection)
            case .failure(let error): failed(HTTPClientError(connecting: error))
            }
        }
    }

    private func send(on connection: UpstreamConnection) {
        self.connection = connection
        isOnUsedConnection = connection.isUsed
        let head = ByteBuffer(headOf: admission.match, fields, bodyBytes: body?.readableBytes, to: connection.host)
        connection.send(head, body, for: self)
    }

    // MARK: what the upstream answers

    func answered(_ head: HTTPResponseHead) {
        if case .unheard = state { return endUnheard(status: Int(head.status.code)) }
        guard case .asking = state else { return }
        guard head.status.code >= 200 else {
            return failed(
                HTTPClientError(.badResponse, "The server changes the protocol.", requestMayHaveBeenProcessed: true))
        }
        if attempts.answered(Int(head.status.code), node, isWhole: false) {
            letGo()
            return ask()
        }
        if attempts.mistrusts(Int(head.status.code)) {
            attempts.upstream.ended(node)
            letGo()
            return refuse(Attempts.mistrusted)
        }
        attempts.noteConnection(
            head.headers.first(name: "connection"), Int(head.status.code), of: node,
            isSent: connection?.isSent ?? false)
        isWell = !attempts.refuses(Int(head.status.code))
        let (response, length) = HTTPResponse.relayed(head)
        if let length, length <= ForwardStage.collectedBytes {
            state = .collecting(response, nil)
        } else {
            state = .streaming
            time?.start(attempts.left(admission.match.route))
            endWithExchange()
            exchange.begin(response)
            stream = line.recheck(of: admission).map { StandingStream($0, exchange, self, connections) }
        }
    }

    /// The node has one request less under way once the client has the answer.
    private func endWithExchange() {
        let (upstream, node) = (attempts.upstream, node)
        exchange.record.whenFinished { upstream.ended(node) }
    }

    private func noteSuccess() { if isWell { attempts.succeeded(node) } }

    func received(_ piece: ByteBuffer) {
        switch state {
        case .collecting(let response, var collected):
            // Leaves the buffer uniquely referenced, so that it grows without a copy.
            state = .asking
            if collected == nil {
                collected = piece
            } else {
                var piece = piece
                collected?.writeBuffer(&piece)
            }
            state = .collecting(response, collected)
        case .streaming:
            if let stream { stream.write(piece) } else { exchange.write(piece) }
        case .asking, .unheard, .over: break
        }
    }

    /// All that the socket has held is passed on.
    func receivedAll() { if case .streaming = state { exchange.flush() } }

    /// The answer's end; the connection serves others already.
    func ended() {
        connection = nil
        time?.stop()
        noteSuccess()
        switch state {
        case .collecting(let response, let collected):
            endWithExchange()
            finish()
            exchange.begin(response)
            if let collected { exchange.write(collected) }
            exchange.end()
        case .streaming:
            guard stream?.holds != true else { return stream?.endIsDue() ?? () }
            finish()
            exchange.end()
        case .asking, .unheard, .over: break
        }
    }

    func failed(_ error: HTTPClientError) {
        let (state, isClientsTurn) = (state, time?.isPaused ?? false)
        letGo()
        switch state {
        case .asking: notAnswered(error)
        case .collecting:
            // Nothing of it has reached the client.
            (self.state, isWell, isOnUsedConnection) = (.asking, false, false)
            notAnswered(error)
        case .streaming:
            if error.isUpstreamsFault(isClientsTurn: isClientsTurn) {
                attempts.upstream.failed(node, error.upstreamsFailure, of: admission.tenant?.id)
                requestLogger.warning(
                    "Upstream closed the connection during its response",
                    metadata: [
                        LogKey.upstream: "\(attempts.upstream.service.rawValue)",
                        LogKey.error: "\(LogText.of(error))",
                    ])
            } else {
                attempts.upstream.undecided(node)
            }
            refuse(error)
        case .unheard:
            if isOfIdleConnection(error) {
                attempts.abandoned(node)
            } else {
                _ = attempts.failed(error, node, requestLogger)
            }
            finish()
        case .over: break
        }
    }

    /// Whether the node had closed an idle connection, before any of its answer has come: that is no failure of the node.
    private func isOfIdleConnection(_ error: HTTPClientError) -> Bool { error.code == .reset && isOnUsedConnection }

    private func notAnswered(_ error: HTTPClientError) {
        if isOfIdleConnection(error) {
            guard isRepeatable else {
                attempts.abandoned(node)
                return refuse(error)
            }
            isOnUsedConnection = false
            connect(within: limitTime())
        } else if attempts.failed(error, node, requestLogger) {
            ask()
        } else {
            refuse(error)
        }
    }

    // MARK: the client

    /// Whether more of the answer is wanted now.
    var takesMore: Bool {
        if case .streaming = state { exchange.isReady && stream?.holds != true } else { true }
    }

    /// The connection does not read on, for no more is wanted.
    func nodeWaits() { time?.pause() }

    private func goOn() {
        guard takesMore, let connection else { return }
        time?.resume()
        connection.resume()
    }

    func clientIsReady() { goOn() }

    func clientHungUp() {
        switch state {
        case .asking where connection != nil && work != nil:
            attempts.endWithThis()
            time?.start(attempts.left(admission.match.route))
            state = .unheard
            return
        case .asking, .collecting: attempts.abandoned(node)
        case .streaming: noteSuccess()
        case .unheard, .over: break
        }
        letGo()
        finish()
    }

    /// The node has done what nobody waits for any more.
    private func endUnheard(status: Int) {
        _ = attempts.answered(status, node)
        attempts.upstream.ended(node)
        letGo()
        finish()
    }

    /// The client may have what was held back.
    func clientMayGoOn(isEnd: Bool) {
        guard case .streaming = state else { return }
        if isEnd {
            finish()
            exchange.end()
        } else {
            exchange.flush()
            goOn()
        }
    }

    /// The client may not have the rest.
    func clientMayNot(_ error: any Error) {
        guard case .streaming = state else { return }
        noteSuccess()
        requestLogger.info(
            "Response cut off", metadata: [LogKey.reason: "the reader's access was revoked: \(error)"])
        letGo()
        refuse(error)
    }

    // MARK: ends

    private func refuse(_ error: any Error) {
        finish()
        exchange.refuse((error as? HTTPClientError)?.problem(isClientsTurn: false) ?? error)
    }

    /// Ends the present attempt.
    private func letGo() {
        time?.stop()
        connection?.close()
        connection = nil
        connects += 1
    }

    private func finish() {
        state = .over
        if let time { connections.give(time) }
        time = nil
        stream?.stop()
        stream = nil
        work = nil
    }

    private var requestLogger: Logger {
        var logger = logger
        logger[metadataKey: LogKey.requestID] = "\(exchange.trace.requestID)"
        logger[metadataKey: LogKey.traceID] = "\(exchange.trace.traceID)"
        return logger
    }
}

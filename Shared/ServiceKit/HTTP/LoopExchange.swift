public import HTTPTypes
import Logging
public import NIOCore
import NIOHTTPTypes

/// Answers requests on the event loops of their connections: those for which nothing must be waited for but a socket of the same
/// loop. There is no task of a request and no change of threads.
public protocol LoopResponder: Sendable {
    /// Requests with a longer body, or one whose length is not stated, are not offered.
    var longestBodyBytes: Int { get }
    /// Called on the event loop, with the whole body.
    ///
    /// - Returns: whether the request is taken: it is answered by the exchange then. False, with nothing done, for the router's.
    func take(_ exchange: LoopExchange, body: ByteBuffer?) -> Bool
}

/// What the handler of an exchange learns of its client.
public protocol LoopAnswering: AnyObject {
    /// The client has gone. Nothing more need be answered.
    func clientHungUp()
    /// The client takes more, after it has not.
    func clientIsReady()
}

/// A request and its answer on the event loop of their connection, to which it belongs.
///
/// The answer passes all that a router's answer passes: bounds, log and metrics are the same.
public final class LoopExchange {
    public let request: HTTPRequest
    public let record: RequestRecord
    public let channel: any Channel
    /// The other end's address, as text; nil when it is not known.
    public let peer: String?
    public private(set) lazy var trace = frame.begin(request.headerFields, record, client: peer)
    /// The template of the route, for the metrics.
    public var route: String?
    /// Adds to the fields of the answer, whether it is a problem or not, when it begins.
    public var completing: ((inout HTTPFields) -> Void)?
    /// Who answers; let go of at the end.
    public var answering: (any LoopAnswering)?

    private let frame: RequestFrame
    private let context: ChannelHandlerContext
    private let logger: Logger
    private let ended: () -> Void
    private let start = ContinuousClock.now
    private var isAnswered = false
    private var isOver = false {
        didSet { answering = nil }
    }

    /// - Parameter ended: called after the answer's end has been written.
    init(
        _ request: HTTPRequest, _ record: RequestRecord, peer: String?, _ frame: RequestFrame,
        _ context: ChannelHandlerContext, _ logger: Logger, ended: @escaping () -> Void
    ) {
        self.request = request
        self.record = record
        self.peer = peer
        self.frame = frame
        self.context = context
        self.logger = logger
        self.ended = ended
        channel = context.channel
        frame.measures.inFlight.increment()
    }

    /// Whether the client takes what is written.
    public var isReady: Bool { channel.isWritable }

    /// The router answers.
    func isLeft() {
        frame.measures.inFlight.decrement()
        isOver = true
    }

    /// Begins the answer. Without a length its body is as long as what is written.
    public func begin(_ head: consuming HTTPResponse) {
        guard !isAnswered, !isOver else { return }
        frame.complete(&head.headerFields, trace)
        completing?(&head.headerFields)
        if !head.headerFields.contains(.date) { head.headerFields[.date] = HTTPDate.now }
        answered(head.status.code)
        write(.head(head))
    }

    public func write(_ piece: ByteBuffer) { write(.body(piece)) }

    /// Hands over to the socket what has been written.
    public func flush() { if !isOver { context.flush() } }

    /// Ends the answer.
    public func end() {
        guard !isOver else { return }
        isOver = true
        context.writeAndFlush(NIOAny(HTTPResponsePart.end(nil)), promise: nil)
        ended()
    }

    /// Answers with a problem. An answer that has begun breaks off, which is the only way left to say that it is not whole.
    public func refuse(_ error: any Error) {
        guard !isOver else { return }
        guard !isAnswered else { return cut() }
        let problem = frame.problem(
            error, path: request.path ?? "", isMatched: route != nil, record, trace, logger)
        let (fields, body) = Answer.written(problem, requestID: trace.requestID)
        var head = HTTPResponse(status: problem.status, headerFields: fields)
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        begin(head)
        write(body)
        end()
    }

    /// Breaks the connection off.
    public func cut() {
        guard !isOver else { return }
        isOver = true
        context.close(promise: nil)
    }

    /// The client has gone, or closed its side of the connection.
    func hungUp() {
        guard !isOver else { return }
        answering?.clientHungUp()
        refuse(CancellationError())
    }

    /// The connection has ended.
    func gone() {
        guard !isOver else { return }
        answering?.clientHungUp()
        isOver = true
        if !isAnswered { answered(ProblemError.clientClosedRequest.code) }
    }

    private func answered(_ status: Int) {
        isAnswered = true
        frame.measures.inFlight.decrement()
        frame.answered(request.method, route: route, status: status, record, after: start.duration(to: .now))
    }

    private func write(_ part: HTTPResponsePart) {
        guard !isOver else { return }
        context.write(NIOAny(part), promise: nil)
    }
}

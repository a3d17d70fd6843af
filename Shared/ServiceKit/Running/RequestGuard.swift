import Contracts
import HTTPTypes
import NIOCore

/// Keeps a channel's requests within bounds: ``ConnectionGuard`` for a connection, ``StreamGuard`` for a stream of one.
protocol RequestGuard: AnyObject {
    /// What is written down of the request whose head was passed on last.
    var record: RequestRecord? { get }
    /// The last answer has been given.
    var isClosing: Bool { get }
    /// The handler wants to read the body of the request that is being answered.
    func wantsBody()
}

extension RequestGuard {
    /// The answer to a message that does not reach the router.
    /// - Parameter client: the other end's address.
    static func refused(
        _ problem: ProblemError, _ record: RequestRecord?, client: String?
    ) -> (HTTPResponse, ByteBuffer) {
        let requestID = TraceContext().requestID
        var (headers, body) = Answer.written(problem, requestID: requestID)
        headers[.contentLength] = "\(body.readableBytes)"
        headers[.requestID] = requestID
        record?.note {
            $0.requestID = requestID
            $0.client = client
            $0.status = problem.status.code
            $0.bytesOut = body.readableBytes
            $0.refusal = .init(problem)
        }
        return (HTTPResponse(status: problem.status, headerFields: headers), body)
    }
}

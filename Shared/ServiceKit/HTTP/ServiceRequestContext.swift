public import Contracts
import Foundation
public import Hummingbird
public import NIOCore
public import ServiceIdentity

/// What every handler knows of the request it serves.
public struct ServiceRequestContext: RequestContext {
    public var coreContext: CoreRequestContextStorage
    /// The request's id and place in its trace.
    public var trace: TraceContext
    /// What is written down of the request.
    public var record = RequestRecord(method: "")
    /// From where the request came first, before it came to the gateway; nothing until ``InternalCallers`` has verified who
    /// says so.
    public var origin: RequestOrigin
    /// Who sent the request; nil until ``InternalCallers`` has verified it.
    public var caller: Caller?
    /// What a service's own stages in front of its routes have found out about the request.
    public var admission: (any Sendable)?
    /// Largest request body in bytes, where a route sets no other limit.
    public var maxUploadSize: Int
    /// How slowly a request body may come that is read at once; nil: all its time may pass in silence.
    public var bodyRate: BodyRate?
    /// What the bodies of all requests together take; nil: nobody counts.
    public var bodySpace: BodySpace?
    /// The peer's address, port included; nil when requests come without a socket (tests).
    public let remoteAddress: SocketAddress?
    /// The connection, for a handler that must notice its end; headers and bodies are the server's business.
    public let channel: any Channel

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        trace = TraceContext()
        origin = RequestOrigin()
        maxUploadSize = 1_048_576
        remoteAddress = source.channel.remoteAddress
        channel = source.channel
    }

    public var requestID: String { trace.requestID }
    public var traceparent: String { trace.traceparent }
}

extension ServiceRequestContext {
    /// An id in the path.
    /// - Throws: 422 naming the parameter when it is not a UUID.
    public func identifier<Entity>(
        _ name: String, as type: Identifier<Entity>.Type = Identifier<Entity>.self
    ) throws -> Identifier<Entity> {
        guard let id = Identifier<Entity>(try parameter(name)) else {
            throw ProblemError.validation(name, "must be a UUID")
        }
        return id
    }

    /// A text in the path.
    public func parameter(_ name: String) throws -> String {
        let text = try parameters.require(name)
        guard let decoded = text.removingPercentEncoding, !decoded.contains("\0") else {
            throw ProblemError.validation(name, "is not valid")
        }
        return decoded
    }
}

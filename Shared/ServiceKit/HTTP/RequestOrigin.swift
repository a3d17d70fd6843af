import Contracts
public import HTTPTypes

/// From where a request came first, as the gateway says; for the audit log, never for a decision.
public struct RequestOrigin: Sendable, Equatable {
    /// The client's IP address.
    public let address: String?
    /// The client's program, cut to 300 characters.
    public let agent: String?

    public init(address: String? = nil, agent: String? = nil) {
        self.address = address
        self.agent = agent
    }

    /// By `Forwarded` (RFC 7239), which only the gateway sets, and `User-Agent`.
    public init(_ headers: HTTPFields) {
        let forwarded = headers[values: HTTPField.Name("Forwarded")!]
        let pairs = forwarded.count == 1 ? forwarded[0].split(separator: ";") : []
        let value = pairs.first { $0.hasPrefix("for=") }.map { $0.dropFirst(4).filter { !"\"[]".contains($0) } }
        address = value.flatMap { $0.isEmpty ? nil : $0 }
        // Without an address the request is another service's own.
        agent = address == nil ? nil : headers[.userAgent].map { String($0.prefix(300)) }
    }
}

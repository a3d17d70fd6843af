import HTTPTypes

extension TrustedProxies {
    /// A request's origin, with the scheme of its connection where no proxy of ours says otherwise: what one of them says holds, since only
    /// it knows how the client came.
    func origin(of request: HTTPRequest, peer: ClientAddress?) -> Origin {
        let origin = origin(peer: peer, request.headerFields)
        guard request.scheme == "https", origin.scheme != "https" else { return origin }
        let isStated = peer.map { isTrusted($0) && statesScheme(request.headerFields) } ?? false
        return isStated ? origin : Origin(address: origin.address, scheme: "https")
    }

    private func statesScheme(_ headers: HTTPFields) -> Bool {
        switch field {
        case .xForwardedFor: headers[.xForwardedProto] != nil
        case .forwarded: headers[values: .forwarded].contains { $0.lowercased().contains("proto=") }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let xForwardedProto = Self("X-Forwarded-Proto")!
}

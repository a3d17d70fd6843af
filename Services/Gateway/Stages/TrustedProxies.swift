import HTTPTypes

/// Who really sends a request that came through proxies of ours.
///
/// Only what a trusted proxy says is believed, from the nearest hop backwards: the client is the first address, seen from us,
/// that is no trusted proxy. What stands before it the client has written itself.
struct TrustedProxies: Sendable, Equatable {
    /// Which field the proxies write. One of them only: a proxy passes on the other as the client sent it.
    enum Field: String, Sendable, CaseIterable {
        case xForwardedFor = "x-forwarded-for"
        case forwarded
    }

    /// A request's origin as far as it can be believed.
    struct Origin: Sendable, Equatable {
        let address: ClientAddress
        /// `https` when a trusted proxy says that the client came by TLS.
        let scheme: String
    }

    var ranges: [AddressRange] = []
    var field = Field.xForwardedFor

    /// - Parameter list: ranges separated by commas. nil when one of them is none.
    init?(list: String, field: Field = .xForwardedFor) {
        for part in list.split(separator: ",") {
            guard let range = AddressRange(String(part).trimmed) else { return nil }
            ranges.append(range)
        }
        self.field = field
    }

    /// Trusts no proxy.
    init() {}

    /// - Parameter peer: the other end of the connection; nil when it is not known, and then not trusted.
    func origin(peer: ClientAddress?, _ headers: HTTPFields) -> Origin {
        guard let peer else { return Origin(address: .unknown, scheme: "http") }
        var (address, scheme) = (peer, "http")
        guard isTrusted(peer) else { return Origin(address: address, scheme: scheme) }
        if field == .xForwardedFor {
            let written = Self.list(headers, "x-forwarded-proto").last
            if written?.lowercased() == "https" { scheme = "https" }
        }
        for hop in hops(headers).reversed() {
            // What cannot be read ends the line: before it anything may stand.
            guard let next = hop.address else { break }
            address = next
            if field == .forwarded { scheme = hop.scheme }
            if !isTrusted(next) { break }
        }
        return Origin(address: address, scheme: scheme)
    }

    func isTrusted(_ address: ClientAddress) -> Bool { ranges.contains { $0.contains(address) } }

    private func hops(_ headers: HTTPFields) -> [(address: ClientAddress?, scheme: String)] {
        switch field {
        case .xForwardedFor:
            Self.list(headers, "x-forwarded-for").map { (ClientAddress(hop: $0), "http") }
        case .forwarded:
            Self.list(headers, "forwarded").map { element in
                var parameters: [String: String] = [:]
                for pair in element.split(separator: ";") {
                    let sides = pair.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
                    guard sides.count == 2 else { continue }
                    parameters[sides[0].lowercased()] = sides[1].trimmingQuotes
                }
                return (
                    parameters["for"].flatMap { ClientAddress(hop: $0) },
                    parameters["proto"]?.lowercased() == "https" ? "https" : "http"
                )
            }
        }
    }

    private static func list(_ headers: HTTPFields, _ name: String) -> [String] {
        guard let name = HTTPField.Name(name) else { return [] }
        return headers[values: name].flatMap { $0.split(separator: ",") }.map { String($0).trimmed }
    }
}

extension String {
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = self[...].drop(while: isBlank)
        while text.last.map(isBlank) == true { text.removeLast() }
        return String(text)
    }

    fileprivate var trimmingQuotes: String {
        count >= 2 && hasPrefix("\"") && hasSuffix("\"") ? String(dropFirst().dropLast()) : self
    }
}

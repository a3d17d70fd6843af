import Glibc

/// An IP address: IPv4, or IPv6 where it is not an IPv4 address in other clothes (::ffff:1.2.3.4).
struct ClientAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16; none for a client whose address is not known.
    let bytes: [UInt8]
    /// In the one way to write it.
    let description: String

    static let unknown = ClientAddress(bytes: [])

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        description = Self.text(bytes)
    }

    /// - Parameter text: without brackets, port or zone.
    init?(_ text: some StringProtocol) {
        var four = [UInt8](repeating: 0, count: 4)
        var six = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, String(text), &four) == 1 {
            self.init(bytes: four)
        } else if inet_pton(AF_INET6, String(text), &six) == 1 {
            let isMapped = six.starts(with: Array(repeating: 0, count: 10) + [0xff, 0xff])
            self.init(bytes: isMapped ? Array(six[12...]) : six)
        } else {
            return nil
        }
    }

    /// As one of several hops names it: `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`.
    init?(hop: some StringProtocol) {
        if hop.hasPrefix("["), let end = hop.firstIndex(of: "]") {
            self.init(hop[hop.index(after: hop.startIndex)..<end])
        } else if hop.count(where: { $0 == ":" }) == 1 {
            self.init(hop.prefix { $0 != ":" })
        } else {
            self.init(hop)
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        guard !bytes.isEmpty else { return "unknown" }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
            return "unknown"
        }
        return text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// The key of limits and lockouts: with IPv6 the /64, because one client may have all its addresses.
    var network: String {
        guard bytes.count == 16 else { return description }
        return "\(ClientAddress(bytes: Array(bytes[..<8]) + Array(repeating: 0, count: 8)))/64"
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, `fd00::/8`, or one address alone.
struct AddressRange: Sendable, Equatable {
    private let prefix: ClientAddress
    private let bits: Int

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = ClientAddress(first) else { return nil }
        let longest = address.bytes.count * 8
        guard parts.count == 2 else {
            (prefix, bits) = (address, longest)
            return
        }
        guard let bits = Int(parts[1]), (0...longest).contains(bits) else { return nil }
        (prefix, self.bits) = (address, bits)
    }

    func contains(_ address: ClientAddress) -> Bool {
        guard address.bytes.count == prefix.bytes.count else { return false }
        return zip(address.bytes, prefix.bytes).enumerated().allSatisfy { index, pair in
            let shared = min(8, max(0, bits - index * 8))
            return shared == 0 || (pair.0 ^ pair.1) >> (8 - shared) == 0
        }
    }
}

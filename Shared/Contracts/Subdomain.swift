import Foundation

/// A tenant's name in a host name: a lower-case DNS label (RFC 1035 with digits first allowed, RFC 1123) that is not reserved.
public struct Subdomain: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init?(rawValue: String) {
        guard Self.problem(with: rawValue) == nil else { return nil }
        self.rawValue = rawValue
    }

    public var description: String { rawValue }

    public static let reserved: Set<String> = [
        "www", "api", "admin", "app", "auth", "gateway", "internal", "mail", "ftp", "static", "assets", "status",
        "support",
        "help", "docs", "localhost", "metrics", "public", "template", "tenant", "system", "root", "ns", "ns1", "ns2",
        "smtp",
    ]

    /// What to change about `text`, or nil when it is a subdomain.
    public static func problem(with text: String) -> String? {
        let bytes = Array(text.utf8)
        guard (1...63).contains(bytes.count) else { return "must be 1 to 63 characters long" }
        let allowed = bytes.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
        }
        guard allowed, bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
            return "must be lower-case letters, digits and inner hyphens"
        }
        // A label with hyphens in places 3 and 4 is reserved for encodings such as punycode (RFC 5891 §4.2.3.1).
        if bytes.count >= 4, bytes[2] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: "-") {
            return "must not have hyphens as third and fourth characters"
        }
        return reserved.contains(text) ? "is reserved" : nil
    }
}

extension Subdomain: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        if let problem = Self.problem(with: text) {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: problem)
        }
        self.init(unchecked: text)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    private init(unchecked: String) { rawValue = unchecked }
}

extension Subdomain: DecodingPlaceholder {
    public static var decodingPlaceholder: Subdomain { Subdomain(unchecked: "x") }
}

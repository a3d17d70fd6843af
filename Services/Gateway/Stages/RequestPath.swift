import Basics
import Contracts
import ServiceKit

/// The path of a request, taken apart once and put together again for the upstream, so that what is authorised and what
/// is asked can never be two different paths.
///
/// Refused: what two parsers may read differently. Encoded slashes, backslashes, dot segments however they are written,
/// control characters, broken percent-encoding and invalid UTF-8 are malformed (400); empty segments name nothing (404).
struct RequestPath: Sendable, Equatable {
    /// Percent-decoded.
    let segments: [String]
    /// As it came, without the question mark.
    let query: String?
    /// The path with its query, as sent to the upstream.
    let target: String

    static let maximumBytes = 8 * 1024

    /// - Parameter target: the request target in origin form: `/api/v1/employees?limit=5`.
    /// - Throws: ``ProblemError`` with 400 or 404.
    init(target: String) throws {
        let bytes = Array(target.utf8)
        guard bytes.count <= Self.maximumBytes else { throw Self.malformed("The request target is too long.") }
        guard bytes.first == UInt8(ascii: "/") else { throw Self.malformed("The request target must be a path.") }
        // Visible ASCII only: everything else must come percent-encoded (RFC 3986 §2).
        guard bytes.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw Self.malformed("The request target holds a character that must be percent-encoded.")
        }
        let questionMark = bytes.firstIndex(of: UInt8(ascii: "?"))
        query = questionMark.map { String(decoding: bytes[($0 + 1)...], as: UTF8.self) }
        let path = bytes[1..<(questionMark ?? bytes.endIndex)]
        if path.isEmpty {
            segments = []
        } else {
            segments = try path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Self.decode)
        }
        if path.allSatisfy({ $0 == UInt8(ascii: "/") || Self.kept[Int($0)] }) {
            // Nearly all come in their one spelling.
            self.target = target
        } else {
            let canonical = Self.canonical(segments)
            self.target = query.map { "\(canonical)?\($0)" } ?? canonical
        }
    }

    /// Encoded again from the decoded segments: one spelling for one path.
    private static func canonical(_ segments: [String]) -> String {
        "/" + segments.map(encode).joined(separator: "/")
    }

    private static func decode(_ segment: ArraySlice<UInt8>) throws -> String {
        guard !segment.isEmpty else { throw ProblemError.notFound("Resource") }
        if segment.allSatisfy({ kept[Int($0)] }) { return try notDots(String(decoding: segment, as: UTF8.self)) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(segment.count)
        var rest = segment
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hex.value), let low = rest.popFirst().flatMap(Hex.value) else {
                throw malformed("The path holds a broken percent-encoding.")
            }
            decoded.append(high << 4 | low)
        }
        let forbidden: (UInt8) -> Bool = {
            $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\")
        }
        guard !decoded.contains(where: forbidden) else {
            throw malformed("A path segment must not hold slashes or control characters.")
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw malformed("The path is not valid UTF-8.")
        }
        // "%252e%252e" decodes to "%2e%2e": an upstream that decodes twice must not find dots in it.
        guard !text.utf8.contains(UInt8(ascii: "%")) else {
            throw malformed("A path segment must not hold a percent sign.")
        }
        return try notDots(text)
    }

    private static func notDots(_ segment: String) throws -> String {
        guard segment != ".", segment != ".." else { throw malformed("A path segment must not be a dot segment.") }
        return segment
    }

    /// Which bytes stand for themselves, by their value.
    private static let kept: [Bool] = {
        let bytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@".utf8)
        return (UInt8.min...UInt8.max).map(bytes.contains)
    }()

    private static func encode(_ segment: String) -> String { segment.percentEncoded { kept[Int($0)] } }

    private static func malformed(_ sentence: String) -> ProblemError { .malformed(sentence) }
}

/// The syntax of the field `Host`.
enum HostField {
    /// Whether it is `uri-host [":" port]` (RFC 9110 §7.2), with a name as hosts have one.
    static func isValid(_ host: String) -> Bool {
        var rest = host.utf8[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            guard isAddress(rest[..<end].dropFirst()) else { return false }
            rest = rest[end...].dropFirst()
            return rest.isEmpty || isPort(rest)
        }
        let colon = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
        return isName(rest[..<colon]) && (colon == rest.endIndex || isPort(rest[colon...]))
    }

    private static func isAddress(_ address: Substring.UTF8View) -> Bool {
        !address.isEmpty
            && address.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: ":"), UInt8(ascii: "."): true
                default: false
                }
            }
    }

    /// A colon and a number, which may be left out.
    private static func isPort(_ port: Substring.UTF8View) -> Bool {
        guard port.first == UInt8(ascii: ":") else { return false }
        let digits = port.dropFirst()
        return digits.count <= 5 && digits.allSatisfy { (0x30...0x39).contains($0) }
            && digits.reduce(0) { 10 * $0 + Int($1 - 0x30) } <= Int(UInt16.max)
    }

    /// Letters, digits, `-`, `_` and `~` in labels, of which none is empty but that of the root at the end.
    private static func isName(_ name: Substring.UTF8View) -> Bool {
        var isAfterDot = true
        for byte in name {
            switch byte {
            case UInt8(ascii: "."):
                if isAfterDot { return false }
                isAfterDot = true
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"):
                isAfterDot = false
            default: return false
            }
        }
        return !name.isEmpty
    }
}

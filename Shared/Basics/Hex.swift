/// Hexadecimal digits.
public enum Hex {
    @usableFromInline static let lowerCase: StaticString = "0123456789abcdef"
    @usableFromInline static let upperCase: StaticString = "0123456789ABCDEF"

    /// The lower-case ASCII digit of the value's lowest four bits.
    @inlinable
    public static func digit(_ nibble: UInt8) -> UInt8 { lowerCase.utf8Start[Int(nibble & 15)] }

    /// The upper-case ASCII digit of the value's lowest four bits, as percent-encoding writes it.
    @inlinable
    public static func upperCaseDigit(_ nibble: UInt8) -> UInt8 { upperCase.utf8Start[Int(nibble & 15)] }

    /// 0…15; nil when the byte is not an ASCII digit of either case.
    @inlinable
    public static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits a byte.
    public var hex: String {
        String(decoding: flatMap { [Hex.digit($0 >> 4), Hex.digit($0)] }, as: UTF8.self)
    }
}

extension [UInt8] {
    /// The bytes that hexadecimal digits of either case stand for, two digits a byte; nil when the text is anything else.
    public init?(hex text: some StringProtocol) {
        let digits = text.utf8.compactMap(Hex.value)
        guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

extension StringProtocol {
    /// Percent-encoded (RFC 3986 §2.1): the UTF-8 bytes that `isKept` refuses become `%` and two upper-case digits.
    /// - Parameter isKept: must refuse `%` and every byte above 127.
    public func percentEncoded(keeping isKept: (UInt8) -> Bool) -> String {
        if utf8.allSatisfy(isKept) { return String(self) }
        var encoded: [UInt8] = []
        for byte in utf8 {
            if isKept(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), Hex.upperCaseDigit(byte >> 4), Hex.upperCaseDigit(byte)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}

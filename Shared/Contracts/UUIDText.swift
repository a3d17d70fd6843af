import Basics
import FoundationEssentials

/// The lower-case UUID string, written and read many times as fast as by Foundation: a history has three in each of a
/// million lines.
enum UUIDText {
    static let length = 36

    /// - Parameter text: of ``length`` bytes.
    static func write(_ uuid: UUID, to text: UnsafeMutableBufferPointer<UInt8>) {
        withUnsafeBytes(of: uuid.uuid) { bytes in
            var position = 0
            for index in 0..<16 {
                if isDashBefore(index) {
                    text[position] = UInt8(ascii: "-")
                    position += 1
                }
                text[position] = Hex.digit(bytes[index] >> 4)
                text[position + 1] = Hex.digit(bytes[index])
                position += 2
            }
        }
    }

    /// nil for everything but `8-4-4-4-12` hexadecimal digits of either case.
    static func uuid(_ text: UnsafeBufferPointer<UInt8>) -> UUID? {
        guard text.count == length else { return nil }
        var uuid = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).uuid
        let isWhole = withUnsafeMutableBytes(of: &uuid) { bytes in
            var position = 0
            for index in 0..<16 {
                if isDashBefore(index) {
                    guard text[position] == UInt8(ascii: "-") else { return false }
                    position += 1
                }
                guard let high = Hex.value(text[position]), let low = Hex.value(text[position + 1]) else {
                    return false
                }
                bytes[index] = high << 4 | low
                position += 2
            }
            return true
        }
        return isWhole ? UUID(uuid: uuid) : nil
    }

    private static func isDashBefore(_ index: Int) -> Bool { index == 4 || index == 6 || index == 8 || index == 10 }
}

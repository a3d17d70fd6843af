public import Foundation

extension Date {
    /// As a `timestamptz` holds it.
    public var microsecondsSince1970: Int { Int((timeIntervalSince1970 * 1_000_000).rounded()) }
}

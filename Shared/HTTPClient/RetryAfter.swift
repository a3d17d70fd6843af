#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The header with which a server says when to retry (RFC 9110 §10.2.3).
enum RetryAfter {
    /// The delay meant by the header's value: seconds, or a date; `nil` if it is neither.
    static func delay(_ value: String) -> Duration? { delay(value, now: Int(time(nil))) }

    static func delay(_ value: String, now: Int) -> Duration? {
        if let seconds = Int(value) { return seconds >= 0 ? .seconds(min(seconds, 86_400)) : nil }
        return CurlDate.seconds(value).map { .seconds(max(0, $0 - now)) }
    }
}

import Glibc
import Synchronization

/// The present time as a `Date` field has it (RFC 9110 §5.6.7), written once a second.
enum HTTPDate {
    private static let last = Mutex<(second: Int, text: String)>((0, ""))

    static var now: String {
        var second = time(nil)
        return last.withLock { last in
            if last.second != second {
                var parts = tm()
                gmtime_r(&second, &parts)
                var text = [CChar](repeating: 0, count: 32)
                // A service never sets a locale: the names are those of C.
                strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
                last = (second, text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
            }
            return last.text
        }
    }
}

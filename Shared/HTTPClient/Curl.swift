// The only file that touches libcurl's handles and pointers. Everything here but `CurlMulti.wakeUp()` is used by the
// driver's thread alone.
import CCurl
import Glibc

/// What libcurl asks of, and gives to, the owner of an easy handle; all on the driver's thread.
protocol CurlEasyOwner: AnyObject {
    /// A connection stands and the request is about to be written to it; `false` gives the transfer up. Called again
    /// when libcurl sends the request a second time because a re-used connection turned out to be dead.
    func willSend() -> Bool
    /// One header line with its line end; `false` gives the transfer up.
    func received(headerLine: UnsafeRawBufferPointer) -> Bool
    func received(body: UnsafeRawBufferPointer) -> CurlReception
    /// Copies the next bytes of the request's body to `buffer`.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> CurlSupply
    /// Begins the request's body again; `false` if it cannot.
    func rewind() -> Bool
}

enum CurlReception { case taken, pause, abort }
enum CurlSupply { case bytes(Int), pause, abort }

/// How a transfer ended.
struct CurlResult {
    let code: CURLcode
    /// The `errno` of a failed connect, or 0.
    let systemError: Int32
    let message: String
}

/// One transfer's handle.
final class CurlEasy {
    fileprivate let handle: UnsafeMutableRawPointer
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    /// Descriptors of the sockets that were made for this transfer, copied: libcurl closes its own when it likes, and their numbers may be
    /// another socket's then.
    private var sockets: [Int32] = []
    private weak var owner: (any CurlEasyOwner)?

    init() {
        // NULL only when memory is exhausted, which Swift code does not survive anyway.
        guard let handle = curl_easy_init() else { fatalError("curl_easy_init failed") }
        self.handle = handle
    }

    deinit {
        curl_easy_cleanup(handle)
        lists.forEach { curl_slist_free_all($0) }
        sockets.forEach { close($0) }
        errorBuffer.deallocate()
    }

    /// Forgets every option; keeps nothing of the previous transfer.
    func reset() {
        curl_easy_reset(handle)
        lists.forEach { curl_slist_free_all($0) }
        lists.removeAll()
        sockets.forEach { close($0) }
        sockets.removeAll()
    }

    /// Binds the callbacks. `owner` must keep this object for as long as it is in a multi handle.
    func attach(to owner: any CurlEasyOwner) {
        self.owner = owner
        errorBuffer[0] = 0
        erm_curl_set_error_buffer(handle, errorBuffer)
        let context = Unmanaged.passUnretained(self).toOpaque()
        erm_curl_set_receivers(
            handle, context,
            { bytes, size, count, context in
                let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return CurlEasy.owner(context).received(headerLine: line) ? line.count : 0
            },
            { bytes, size, count, context in
                let data = UnsafeRawBufferPointer(start: bytes, count: size * count)
                switch CurlEasy.owner(context).received(body: data) {
                case .taken: return data.count
                case .pause: return Int(CURL_WRITEFUNC_PAUSE)
                case .abort: return data.isEmpty ? 1 : 0
                }
            },
            { context, _, _, _, _ in
                CurlEasy.owner(context).willSend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            })
        erm_curl_set_senders(
            handle, context,
            { buffer, size, count, context in
                let room = UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
                switch CurlEasy.owner(context).fill(room) {
                case .bytes(let count): return count
                case .pause: return Int(CURL_READFUNC_PAUSE)
                case .abort: return Int(CURL_READFUNC_ABORT)
                }
            },
            { context, offset, origin in
                guard offset == 0, origin == SEEK_SET, CurlEasy.owner(context).rewind() else {
                    return CURL_SEEKFUNC_FAIL
                }
                return CURL_SEEKFUNC_OK
            })
    }

    private static func owner(_ context: UnsafeMutableRawPointer?) -> any CurlEasyOwner {
        guard let context, let owner = Unmanaged<CurlEasy>.fromOpaque(context).takeUnretainedValue().owner else {
            preconditionFailure("libcurl called back for a transfer that is gone")
        }
        return owner
    }

    func set(_ option: CURLoption, _ value: Int) { erm_curl_set_long(handle, option, value) }
    func set(_ option: CURLoption, size: Int) { erm_curl_set_size(handle, option, curl_off_t(size)) }
    func set(_ option: CURLoption, _ value: String) { erm_curl_set_string(handle, option, value) }

    func set(_ option: CURLoption, lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines { list = curl_slist_append(list, line) ?? list }
        guard let list else { return }
        lists.append(list)
        erm_curl_set_list(handle, option, list)
    }

    func allowOnlyHTTP() { erm_curl_allow_only_http(handle) }
    func leaveResolverBehind() { erm_curl_leave_resolver_behind(handle) }

    /// Holds back or lets go each direction. May call the owner before it returns.
    func pause(receiving: Bool, sending: Bool) {
        curl_easy_pause(handle, (receiving ? CURLPAUSE_RECV : 0) | (sending ? CURLPAUSE_SEND : 0))
    }

    /// Gives the transfer a connection of its own, so that one side of it can be closed (``endSending()``): libcurl does not tell which
    /// connection a transfer that is under way has.
    func takeOwnConnection() {
        set(CURLOPT_FRESH_CONNECT, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        erm_curl_set_socket_watcher(handle, Unmanaged.passUnretained(self).toOpaque()) { context, socket, _ in
            if let context {
                let copy = dup(socket)
                if copy >= 0 { Unmanaged<CurlEasy>.fromOpaque(context).takeUnretainedValue().sockets.append(copy) }
            }
            return CURL_SOCKOPT_OK
        }
    }

    /// Closes the sending side of the transfer's own connection.
    func endSending() { for socket in sockets { shutdown(socket, Int32(SHUT_WR)) } }

    func result(_ code: CURLcode) -> CurlResult {
        let text = String(cString: errorBuffer)
        return CurlResult(
            code: code, systemError: Int32(truncatingIfNeeded: erm_curl_get_long(handle, CURLINFO_OS_ERRNO)),
            message: text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
    }
}

/// A set of transfers that share connections.
///
/// `@unchecked Sendable`: the handle is used by the driver's thread alone, but for `wakeUp()`, which libcurl allows from
/// any thread until the handle is closed; `CurlMailbox` calls it under the lock under which it learns of the closing.
final class CurlMulti: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer

    init() {
        guard CurlGlobal.isInitialised, let handle = curl_multi_init() else { fatalError("curl_multi_init failed") }
        self.handle = handle
    }

    deinit { curl_multi_cleanup(handle) }

    func set(_ option: CURLMoption, _ value: Int) { erm_curl_multi_set_long(handle, option, value) }

    func add(_ easy: CurlEasy) -> Bool { curl_multi_add_handle(handle, easy.handle) == CURLM_OK }
    func remove(_ easy: CurlEasy) { curl_multi_remove_handle(handle, easy.handle) }

    /// Does whatever can be done without waiting.
    func perform() {
        var running: Int32 = 0
        curl_multi_perform(handle, &running)
    }

    /// The key of a finished transfer's handle (see ``key(of:)``) and how it ended.
    func nextFinished() -> (key: UnsafeRawPointer, code: CURLcode)? {
        var code = CURLE_OK
        return erm_curl_multi_next_done(handle, &code).map { (UnsafeRawPointer($0), code) }
    }

    static func key(of easy: CurlEasy) -> UnsafeRawPointer { UnsafeRawPointer(easy.handle) }

    /// Waits for a socket, a timer of libcurl, `wakeUp()` or the timeout.
    func poll(milliseconds: Int32) { curl_multi_poll(handle, nil, 0, milliseconds, nil) }

    func wakeUp() { curl_multi_wakeup(handle) }
}

/// A URL taken apart by libcurl's own parser, so that what is checked is what is used.
struct CurlURL {
    let scheme: String
    let host: String
    let port: String
    let hasCredentials: Bool

    init?(_ url: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, url, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle), let host = Self.part(CURLUPART_HOST, of: handle),
            let port = Self.part(CURLUPART_PORT, of: handle)
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        hasCredentials =
            Self.part(CURLUPART_USER, of: handle) != nil || Self.part(CURLUPART_PASSWORD, of: handle) != nil
    }

    /// The absolute URL that `reference` means where it stands in an answer from `base`.
    static func resolve(_ reference: String, against base: String) -> String? {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, base, 0) == CURLUE_OK,
            curl_url_set(handle, CURLUPART_URL, reference, 0) == CURLUE_OK
        else { return nil }
        return part(CURLUPART_URL, of: handle)
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

enum CurlDate {
    /// Seconds since 1970 of an HTTP date, or `nil` if it is none.
    static func seconds(_ text: String) -> Int? {
        let seconds = curl_getdate(text, nil)
        return seconds < 0 ? nil : Int(seconds)
    }
}

private enum CurlGlobal {
    static let isInitialised = erm_curl_global_init() == CURLE_OK
}

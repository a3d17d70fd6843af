import Basics
import CCurl

/// A transfer while libcurl works on it; the receiver of its callbacks. Used on the driver's thread only.
final class RunningTransfer: CurlEasyOwner {
    let transfer: Transfer
    let easy: CurlEasy
    private let maximumHeaderBytes: Int
    private let clock = ContinuousClock()

    private var head: ResponseHead?
    private var isHeadGiven = false
    private var headerBytes = 0
    private var bodyBytes = 0
    private var sentBytes = 0
    private(set) var wasSent = false
    private var failure: HTTPClientError?
    private var lastArrival: ContinuousClock.Instant
    /// For the whole response.
    private var allowed: AllowedTime

    init(_ transfer: Transfer, easy: CurlEasy, maximumHeaderBytes: Int) {
        self.transfer = transfer
        self.easy = easy
        self.maximumHeaderBytes = maximumHeaderBytes
        lastArrival = clock.now
        allowed = AllowedTime(until: transfer.deadline)
    }

    /// Lets go what is no longer held back.
    func resume() {
        lastArrival = clock.now
        let paused = transfer.paused
        if !paused.receiving { allowed.resume(now: clock.now) }
        easy.pause(receiving: paused.receiving, sending: paused.sending)
    }

    // MARK: Callbacks

    func willSend() -> Bool {
        // libcurl sends a request again on a fresh connection when a re-used one dies before the first byte of an
        // answer. Whether the server acted on it is then unknown: fine for idempotent requests only.
        if wasSent, !transfer.request.isIdempotent {
            failure = HTTPClientError(
                .reset, "The server closed the connection before it answered.", requestMayHaveBeenProcessed: true)
            return false
        }
        wasSent = true
        return true
    }

    func received(headerLine bytes: UnsafeRawBufferPointer) -> Bool {
        noteArrival()
        headerBytes += bytes.count
        guard headerBytes <= maximumHeaderBytes else {
            return fail(.responseTooLarge, "The response's headers have more than \(maximumHeaderBytes) bytes.")
        }
        // What comes after the head are trailers, which no caller uses.
        guard !isHeadGiven else { return true }
        let line = String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { .init($0) }))
        if line.hasPrefix("HTTP/") {
            head = ResponseHead(statusLine: line.trimmingBlanks)
            return head != nil || fail(.badResponse, "The response has no valid status line.")
        }
        guard line.trimmingBlanks.isEmpty else {
            return head?.append(line: line) == true || fail(.badResponse, "The response has an invalid header line.")
        }
        return headIsComplete()
    }

    private func headIsComplete() -> Bool {
        guard let head else { return fail(.badResponse, "The response has no status line.") }
        guard head.status >= 200 else {
            self.head = nil
            return true
        }
        if transfer.request.method != "HEAD", head.status != 304, let length = head.first("Content-Length"),
            let length = Int(length), length > transfer.request.maximumResponseBytes
        {
            return failTooLarge()
        }
        isHeadGiven = true
        transfer.receive(head: head)
        return true
    }

    func received(body bytes: UnsafeRawBufferPointer) -> CurlReception {
        noteArrival()
        guard bodyBytes + bytes.count <= transfer.request.maximumResponseBytes else {
            _ = failTooLarge()
            return .abort
        }
        let reception = transfer.receive(bytes)
        switch reception {
        case .taken: bodyBytes += bytes.count
        // Held back bytes are offered again later.
        case .pause: allowed.pause(now: clock.now)
        case .abort: break
        }
        return reception
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> CurlSupply {
        guard case .bytes(let body) = transfer.request.body else { return transfer.fill(buffer) }
        let count = min(body.count - sentBytes, buffer.count)
        body.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[sentBytes..<sentBytes + count])) }
        sentBytes += count
        return .bytes(count)
    }

    func rewind() -> Bool {
        guard case .bytes = transfer.request.body else { return false }
        sentBytes = 0
        return true
    }

    private func noteArrival() {
        if transfer.request.idleTimeout != nil { lastArrival = clock.now }
    }

    private func failTooLarge() -> Bool {
        fail(.responseTooLarge, "The response has more than \(transfer.request.maximumResponseBytes) bytes.")
    }

    private func fail(_ code: HTTPClientError.Code, _ message: String) -> Bool {
        failure = HTTPClientError(code, message, requestMayHaveBeenProcessed: true)
        return false
    }

    // MARK: The end

    /// When the transfer is given up unless something arrives; nil while a slow reader holds the peer back, which is then neither late
    /// nor silent by its own will.
    var expiry: ContinuousClock.Instant? {
        guard let end = latestEnd else { return nil }
        return transfer.request.idleTimeout.map { min(end, lastArrival.advanced(by: $0)) } ?? end
    }

    private var latestEnd: ContinuousClock.Instant? { isHeadGiven ? allowed.end : transfer.headDeadline }

    func expired(_ now: ContinuousClock.Instant) -> HTTPClientError {
        let message =
            latestEnd.map { now >= $0 } ?? false
            ? "The response was not complete within the time allowed." : "The server was silent for too long."
        return HTTPClientError(.timedOut, message, requestMayHaveBeenProcessed: wasSent)
    }

    func outcome(_ result: CurlResult) -> Result<Void, HTTPClientError> {
        if result.code == CURLE_OK { return .success(()) }
        if var failure = failure ?? transfer.producerError {
            failure.requestMayHaveBeenProcessed = wasSent
            return .failure(failure)
        }
        return .failure(HTTPClientError(result, wasSent: wasSent))
    }
}

import Basics
import CCurl
import Logging

/// The driver's thread: takes commands, lets libcurl work, reports what is done, watches the deadlines, waits.
///
/// Not `Sendable`: made, used and dropped on that one thread.
final class CurlLoop {
    private let mailbox: CurlMailbox
    private let multi: CurlMulti
    private let configuration: HTTPClientConfiguration
    private let logger: Logger
    private let clock = ContinuousClock()

    private var byTransfer: [ObjectIdentifier: RunningTransfer] = [:]
    private var byHandle: [UnsafeRawPointer: RunningTransfer] = [:]
    private var spareHandles: [CurlEasy] = []
    /// Those whose request has not been sent, and some more.
    private var connecting: [RunningTransfer] = []
    /// No transfer expires before; `nil`: none is running, or their readers hold all of them back.
    private var nextExpiry: ContinuousClock.Instant?
    private var stopAt: ContinuousClock.Instant?

    init(mailbox: CurlMailbox, configuration: HTTPClientConfiguration, logger: Logger) {
        self.mailbox = mailbox
        self.multi = mailbox.multi
        self.configuration = configuration
        self.logger = logger
        multi.set(CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost)
        multi.set(CURLMOPT_MAXCONNECTS, max(1, configuration.maximumIdleConnections))
    }

    func run() {
        while true {
            mailbox.takeAll().forEach(handle)
            multi.perform()
            while let (key, code) = multi.nextFinished() { finished(key, code) }
            expire()
            if let stopAt, byTransfer.isEmpty || clock.now >= stopAt { break }
            multi.poll(milliseconds: millisecondsToWait())
        }
        for running in byTransfer.values { retire(running, as: .failure(.shutDown)) }
        for case .start(let transfer) in mailbox.close() { transfer.finish(.failure(.shutDown)) }
        logger.debug("HTTP client stopped")
    }

    private func handle(_ command: DriverCommand) {
        switch command {
        case .start(let transfer): start(transfer)
        case .resume(let transfer):
            guard let running = byTransfer[ObjectIdentifier(transfer)] else { return }
            running.resume()
            noteExpiry(of: running)
        case .remove(let transfer):
            guard let running = byTransfer[ObjectIdentifier(transfer)] else { return }
            retire(running, as: .failure(.cancelled))
        case .withdraw(let transfer): byTransfer[ObjectIdentifier(transfer)]?.easy.endSending()
        case .shutDown(let instant): stopAt = min(stopAt ?? instant, instant)
        }
    }

    private func start(_ transfer: Transfer) {
        guard !transfer.isOver else { return }
        guard stopAt == nil else { return transfer.finish(.failure(.shutDown)) }
        let easy = spareHandles.popLast() ?? CurlEasy()
        let running = RunningTransfer(transfer, easy: easy, maximumHeaderBytes: configuration.maximumHeaderBytes)
        easy.configure(transfer.request, configuration: configuration)
        easy.attach(to: running)
        if transfer.request.isWithdrawable { easy.takeOwnConnection() }
        guard multi.add(easy) else {
            return transfer.finish(.failure(HTTPClientError(.other, "The request could not be started.")))
        }
        byTransfer[ObjectIdentifier(transfer)] = running
        byHandle[CurlMulti.key(of: easy)] = running
        connecting.append(running)
        noteExpiry(of: running)
    }

    private func noteExpiry(of running: RunningTransfer) {
        guard let expiry = running.expiry else { return }
        nextExpiry = min(nextExpiry ?? expiry, expiry)
    }

    private func finished(_ key: UnsafeRawPointer, _ code: CURLcode) {
        guard let running = byHandle[key] else { return }
        let result = running.outcome(running.easy.result(code))
        if case .failure(let error) = result {
            logger.debug(
                "HTTP transfer failed",
                metadata: [LogKey.error: "\(error.code)", LogKey.reason: "\(error.detail ?? "")"])
        }
        retire(running, as: result)
    }

    private func retire(_ running: RunningTransfer, as result: Result<Void, HTTPClientError>) {
        byTransfer[ObjectIdentifier(running.transfer)] = nil
        byHandle[CurlMulti.key(of: running.easy)] = nil
        multi.remove(running.easy)
        running.easy.reset()
        if spareHandles.count < 64 { spareHandles.append(running.easy) }
        running.transfer.finish(result)
    }

    /// Looks through the transfers only when the earliest expiry known has come; that of a transfer that ended
    /// meanwhile costs one look in vain.
    private func expire() {
        guard let next = nextExpiry, clock.now >= next else { return }
        let now = clock.now
        for running in byTransfer.values where running.expiry.map({ $0 <= now }) ?? false {
            retire(running, as: .failure(running.expired(now)))
        }
        nextExpiry = byTransfer.values.compactMap(\.expiry).min()
    }

    private func millisecondsToWait() -> Int32 {
        let now = clock.now
        let wait = [nextExpiry, stopAt].compactMap { $0 }.map { $0 - now }.min() ?? .seconds(60)
        connecting.removeAll { $0.wasSent || $0.transfer.isOver }
        // When one of several addresses refuses at once, libcurl 7.88 (Debian 12) tries the next one only when it is called again, and
        // neither watches a socket nor sets a timer until then.
        let most: Int64 = connecting.isEmpty ? 60_000 : 20
        // Rounded up: a millisecond too early would turn into a busy wait.
        return Int32(min(max(wait.milliseconds + 1, 0), most))
    }
}

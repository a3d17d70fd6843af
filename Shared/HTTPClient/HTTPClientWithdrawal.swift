import Synchronization

/// Takes a request back that has been sent whole, without giving up its answer.
///
/// The server sees that its client has closed its side, as one that hangs up does, and may end what it does for the request. What it answers,
/// or has answered already, says what became of the request; cancelled, that would be unknown.
public final class HTTPClientWithdrawal: Sendable {
    private let transfer = Mutex<Transfer?>(nil)

    public init() {}

    func begins(_ transfer: Transfer) { self.transfer.withLock { $0 = transfer } }

    /// - Returns: false, with nothing done, where one side of a connection cannot be closed alone (TLS, HTTP/2), or before there is one.
    public func withdraw() -> Bool { transfer.withLock { $0 }?.withdraw() ?? false }
}

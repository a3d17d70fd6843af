import Basics
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A TCP server that behaves exactly as badly as its handler wants: one blocking thread per connection.
final class RawServer: Sendable {
    let port: Int
    private let listener: Int32
    private let count = Mutex(0)

    /// - Parameter backlog: with 0 and nobody accepting, the kernel lets connection attempts hang.
    init(address: String = "127.0.0.1", backlog: Int32 = 600, handler: (@Sendable (RawConnection) -> Void)?) throws {
        (listener, port) = try Self.listen(address, backlog: backlog)
        guard let handler else { return }
        SystemThread.start(named: "raw server") { [self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { return }
                count.withLock { $0 += 1 }
                SystemThread.start(named: "raw server") {
                    let connection = RawConnection(socket: socket)
                    handler(connection)
                    connection.close()
                }
            }
        }
    }

    /// How many connections were accepted.
    var connections: Int { count.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    /// Ends the accepting; connections in hand go on.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    /// tcpmux: nobody listens there. A port that has just been let go of may be another test's by now.
    static let nowhere = "http://127.0.0.1:1/"

    private static func listen(_ address: String, backlog: Int32) throws -> (Int32, Int) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &name.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(socket, name, length) | Glibc.listen(socket, backlog) | getsockname(socket, name, &length)
            }
        }
        guard socket >= 0, status == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        return (socket, Int(UInt16(bigEndian: name.sin_port)))
    }
}

/// One accepted connection; used by its own thread.
final class RawConnection {
    private var socket: Int32
    private var pending: [UInt8] = []

    init(socket: Int32) { self.socket = socket }

    /// Everything up to and including the empty line, or `nil` when the peer is gone.
    func readHead() -> String? {
        while true {
            if let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) {
                defer { pending.removeFirst(end.upperBound) }
                return String(decoding: pending[..<end.upperBound], as: UTF8.self)
            }
            guard receive() else { return nil }
        }
    }

    func read(exactly count: Int) -> [UInt8]? {
        while pending.count < count { guard receive() else { return nil } }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }

    /// What has come, at least one byte; `nil` when the peer is gone.
    func readSome() -> [UInt8]? {
        if pending.isEmpty { guard receive() else { return nil } }
        defer { pending = [] }
        return pending
    }

    /// Returns once the peer has closed or reset the connection.
    func waitForPeerToClose() { while readSome() != nil {} }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes {
                send(socket, $0.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            offset += sent
        }
        return true
    }

    /// Whether the peer takes no bytes for that long.
    func isHeldBack(milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, milliseconds) == 0
    }

    /// A peer that takes its time.
    func pause(milliseconds: Int32) { poll(nil, 0, milliseconds) }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        if socket >= 0 { Glibc.close(socket) }
        socket = -1
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        pending += buffer.prefix(count)
        return true
    }
}

/// Something that happens once and can be awaited, from threads and tasks alike.
final class Signal<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func send(_ value: Value) { continuation.yield(value) }

    /// The next value sent.
    func next() async -> Value? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }
}

extension Signal where Value == Void {
    func send() { send(()) }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    @discardableResult
    func add(_ amount: Int = 1) -> Int {
        count.withLock { count in
            count += amount
            return count
        }
    }
}

/// A connection attempt that is started and left alone, to fill a listener's backlog.
final class ConnectAttempt: Sendable {
    private let socket: Int32

    init(port: Int) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        self.socket = socket
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
        withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    func close() { Glibc.close(socket) }
}

import Foundation
import Glibc

/// A client that sends a request, or part of one, and hangs up.
enum RawRequest {
    /// Sends and leaves the connection open.
    /// - Returns: its socket, to be closed.
    static func open(_ bytes: [UInt8], to port: Int) -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
        let connected = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(connected == 0 && write(socket, bytes, bytes.count) == bytes.count, "the service does not listen")
        return socket
    }

    static func send(_ bytes: [UInt8], to port: Int) {
        let socket = open(bytes, to: port)
        var patience = timeval(tv_sec: 0, tv_usec: 200_000)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        // The sending side first, then what the service has to say to it, if anything: the request is over then.
        shutdown(socket, Int32(SHUT_WR))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(socket, &buffer, buffer.count) > 0 {}
        close(socket)
    }
}

import Glibc
import Synchronization

/// Ports of this machine for servers that a test starts, each given once.
///
/// Below the range from which the system takes the local ports of outgoing connections: one of those could take the port
/// between its choice and the server's start. Another program still could, which makes a test fail, never pass.
public enum FreePort {
    public struct Failure: Error, CustomStringConvertible {
        public let description = "no free TCP port"
    }

    private static let given = Mutex<Set<UInt16>>([])

    /// - Throws: ``Failure``.
    public static func take() throws -> Int {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: 20_000..<32_000)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port) { return Int(port) }
        }
        throw Failure()
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

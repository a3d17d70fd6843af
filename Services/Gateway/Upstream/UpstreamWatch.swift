import Basics
import Contracts
import Foundation
import Glibc
import HTTPClient
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Keeps what is known of the upstreams' nodes true: which there are, asked of the name service, and whether they answer. Nothing waits for
/// a name service that does not answer, which takes ten seconds or more to fail: no check, no other look-up, and not the end of this.
struct UpstreamWatch: Service {
    private final class LookUps: Sendable {
        let underWay = Mutex<Set<ServiceName>>([])
    }

    let upstreams: @Sendable () -> [Upstream]
    let client: HTTPClient
    let logger: Logger
    /// nil: nobody wants to know.
    var clocks: NodeClocks?
    var pause = Duration.seconds(1)
    /// How long a node may take to say that it is well.
    var patience = Duration.seconds(1)
    /// The nodes that a base URL stands for; may block.
    var lookUp: @Sendable (String) throws -> [String] = { try NodeAddresses.nodes(of: $0) }
    private let lookUps = LookUps()

    func run() async throws {
        let rounds = PeriodicWork(every: pause, firstAfter: pause)
        await withDiscardingTaskGroup { group in
            group.addTask { await rounds.run { resolve() } }
            group.addTask { await rounds.run { await check() } }
        }
    }

    private func resolve() {
        for upstream in upstreams() where lookUps.underWay.withLock({ $0.insert(upstream.service).inserted }) {
            Task {
                await resolve(upstream)
                _ = lookUps.underWay.withLock { $0.remove(upstream.service) }
            }
        }
    }

    func check() async {
        let upstreams = upstreams()
        clocks?.keep(Set(upstreams.map(\.service)))
        await withDiscardingTaskGroup { group in
            for upstream in upstreams { group.addTask { await check(upstream) } }
        }
    }

    /// A name that cannot be resolved at the moment keeps the nodes that it had.
    private func resolve(_ upstream: Upstream) async {
        let urls = upstream.baseURLs
        let nodes = try? await ComputeThread.run(named: "name lookup") {
            try urls.flatMap { try lookUp($0) }
        }
        guard let nodes, !nodes.isEmpty else { return }
        var distinct: [String] = []
        for node in nodes where !distinct.contains(node) { distinct.append(node) }
        guard Set(distinct) != Set(upstream.nodes) else { return }
        upstream.update(nodes: distinct)
        logger.info(
            "Upstream nodes changed",
            metadata: [
                LogKey.upstream: "\(upstream.service.rawValue)",
                LogKey.upstreamNodes: "\(distinct.joined(separator: " "))",
            ])
    }

    private func check(_ upstream: Upstream) async {
        let differences = await withTaskGroup(of: (node: String, seconds: TimeInterval?).self) { group in
            for node in upstream.nodes {
                group.addTask {
                    guard let clocks else {
                        _ = await check(node, of: upstream)
                        return (node, nil)
                    }
                    return (node, await clocks.measure { await check(node, of: upstream) })
                }
            }
            return await group.reduce(into: [String: TimeInterval]()) { $0[$1.node] = $1.seconds }
        }
        clocks?.note(differences, of: upstream.service)
    }

    /// - Returns: the answer's `Date`.
    private func check(_ node: String, of upstream: Upstream) async -> String? {
        let request = HTTPClientRequest(url: node + ServiceResponder.nodeCheckPath, deadline: patience)
        guard let (answer, _) = try? await client.execute(request, collectingUpTo: 4096) else {
            if !Task.isCancelled { upstream.checked(node, isWell: false) }
            return nil
        }
        // A service of an earlier version answers that it does not know the path: it answers.
        if answer.status == 503 { upstream.draining(node) } else { upstream.checked(node, isWell: true) }
        return answer["Date"]
    }
}

/// The nodes that a base URL stands for.
enum NodeAddresses {
    struct LookupFailed: Error {}

    /// One base URL for each address of the name. A name under TLS stays as it is: its certificate is for the name.
    ///
    /// - Throws: when the name has no address at the moment.
    static func nodes(of baseURL: String) throws -> [String] {
        guard let url = URLComponents(string: baseURL), url.scheme == "http", let host = url.host,
            ClientAddress(host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))) == nil
        else { return [baseURL] }
        let addresses = try addresses(of: host)
        // Two families of one name are mostly two ways to one node.
        let four = addresses.filter { $0.bytes.count == 4 }
        return (four.isEmpty ? addresses : four).map { address in
            let text = address.bytes.count == 16 ? "[\(address)]" : "\(address)"
            return "http://\(text)\(url.port.map { ":\($0)" } ?? "")"
        }
    }

    private static func addresses(of host: String) throws -> [ClientAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { throw LookupFailed() }
        defer { freeaddrinfo(list) }
        var found: [ClientAddress] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let name = text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                if let address = ClientAddress(name), !found.contains(address) { found.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}

import Contracts
import Foundation
import HTTPClient
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("A node in trouble beside a healthy one, over live sockets", .timeLimit(.minutes(3)))
struct ProxyFailoverTests {
    enum Trouble: CaseIterable, Sendable { case drops, dies, refuses, unavailable, hangs }

    /// A node that fails every request in its way, and counts them.
    private func withTrouble(
        _ trouble: Trouble, _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Int) async throws -> Void
    ) async throws {
        let count = Mutex(0)
        try await RawServer.with { connection in
            var connection = connection
            while try await !connection.read(until: "\r\n\r\n").isEmpty {
                count.withLock { $0 += 1 }
                switch trouble {
                case .drops: return
                case .dies:
                    return try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
                case .refuses: try await connection.write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                case .unavailable:
                    try await connection.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                case .hangs: _ = try await connection.readToEnd()
                }
            }
        } _: { port in
            try await body(port) { count.withLock { $0 } }
        }
    }

    private func withHealthy(
        _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Int) async throws -> Void
    ) async throws {
        let count = Mutex(0)
        try await ProxyBench.withUpstream { router in
            for method in [HTTPRequest.Method.get, .put, .post] {
                router.on("/x", method: method) { _, _ in
                    count.withLock { $0 += 1 }
                    return "well"
                }
            }
        } _: { port in
            try await body(port) { count.withLock { $0 } }
        }
    }

    /// - Parameter timeout: a third of it is waited for the first answer, which takes long on a busy machine.
    private func route(timeout: Duration = .seconds(60), takesIdempotencyKey: Bool = false) throws -> Route {
        try Fixture.route(
            "/x", ["GET": nil, "PUT": nil, "POST": nil], target: .upstream(.mlPrediction), timeout: timeout,
            takesIdempotencyKey: takesIdempotencyKey)
    }

    /// Of a node that hangs each failure takes as long as an answer is waited for.
    private func health(_ trouble: Trouble) -> GatewayConfiguration.Health {
        .init(failuresToOpen: trouble == .hangs ? 1 : 2, openFor: .seconds(3600))
    }

    @Test("no idempotent request fails, and the node is soon left alone", arguments: Trouble.allCases, ["GET", "PUT"])
    func idempotent(trouble: Trouble, method: String) async throws {
        let route = try route()
        try await withTrouble(trouble) { bad, asked in
            try await withHealthy { good, _ in
                try await ProxyBench.with(upstreamPorts: [bad, good], routes: [route], health: health(trouble)) {
                    bench async throws in
                    for _ in 1...20 {
                        let (response, bytes) = try await bench.client.execute(
                            HTTPClientRequest(method: method, url: bench.url + "/x", deadline: .seconds(120)),
                            collectingUpTo: 1000)
                        #expect(response.status == 200 && String(decoding: bytes, as: UTF8.self) == "well")
                    }
                    #expect((1...health(trouble).failuresToOpen).contains(asked()))
                }
            }
        }
    }

    @Test(
        "a node that cannot answer what is not sent twice is left alone as well",
        arguments: [Trouble.refuses, .unavailable])
    func notRepeatable(trouble: Trouble) async throws {
        let route = try route()
        try await withTrouble(trouble) { bad, asked in
            try await withHealthy { good, _ in
                try await ProxyBench.with(upstreamPorts: [bad, good], routes: [route], health: health(trouble)) {
                    bench async throws in
                    for _ in 1...40 {
                        _ = try await bench.client.execute(
                            HTTPClientRequest(method: "POST", url: bench.url + "/x"), collectingUpTo: 1000)
                    }
                    #expect((1...health(trouble).failuresToOpen).contains(asked()))
                }
            }
        }
    }

    @Test(
        "a POST with an Idempotency-Key is sent again where its service carries it out once",
        arguments: Trouble.allCases)
    func idempotentByKey(trouble: Trouble) async throws {
        let route = try route(takesIdempotencyKey: true)
        try await withTrouble(trouble) { bad, _ in
            try await withHealthy { good, _ in
                try await ProxyBench.with(upstreamPorts: [bad, good], routes: [route], health: health(trouble)) {
                    bench async throws in
                    for _ in 1...20 {
                        let (response, _) = try await bench.client.execute(
                            HTTPClientRequest(
                                method: "POST", url: bench.url + "/x", headers: [("Idempotency-Key", "one")],
                                body: .bytes([1]), deadline: .seconds(120)), collectingUpTo: 1000)
                        #expect(response.status == 200)
                    }
                }
            }
        }
    }

    @Test(
        "a request that may have been carried out and must not be twice is not sent again",
        arguments: [(true, []), (false, [("Idempotency-Key", "one")])])
    func notIdempotent(takesKey: Bool, headers: [(String, String)]) async throws {
        let route = try route(takesIdempotencyKey: takesKey)
        try await withTrouble(.drops) { bad, asked in
            try await withHealthy { good, answered in
                let health = GatewayConfiguration.Health(failuresToOpen: 3, openFor: .seconds(3600))
                try await ProxyBench.with(upstreamPorts: [bad, good], routes: [route], health: health) {
                    bench async throws in
                    var statuses: [Int] = []
                    // So many that the node, chosen at random, is asked three times.
                    for _ in 1...60 {
                        let (response, _) = try await bench.client.execute(
                            HTTPClientRequest(
                                method: "POST", url: bench.url + "/x", headers: headers, body: .bytes([1])),
                            collectingUpTo: 1000)
                        statuses.append(response.status)
                    }
                    #expect(statuses.count { $0 == 502 } == asked() && asked() == 3)
                    #expect(answered() == 57)
                }
            }
        }
    }

    @Test(
        "a field that decides what a request does cannot be taken from it by Connection",
        arguments: [
            ("POST", "Idempotency-Key", "one"), ("PUT", "If-Match", "\"tag\""), ("PUT", "Content-Type", "text/plain"),
        ])
    func decisiveFields(method: String, name: String, value: String) async throws {
        let route = try route(takesIdempotencyKey: true)
        try await withTrouble(.drops) { bad, asked in
            try await withHealthy { good, answered in
                try await ProxyBench.with(upstreamPorts: [bad, good], routes: [route]) { bench async throws in
                    for _ in 1...5 {
                        let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                            try await connection.write(
                                "\(method) /x HTTP/1.1\r\nHost: erm.example\r\nAuthorization: Bearer mine\r\n"
                                    + "Connection: close, \(name.lowercased())\r\n\(name): \(value)\r\n"
                                    + "Content-Length: 1\r\n\r\n1")
                            return try await connection.readToEnd()
                        }
                        #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
                    }
                    // Sent without the key, a POST of which nobody knows whether it was carried out went to the other node.
                    #expect(asked() == 0 && answered() == 0)
                }
            }
        }
    }

    @Test("while all nodes answer 503, clients get 503 and second attempts end with their budget")
    func budget() async throws {
        let route = try route()
        try await withTrouble(.unavailable) { first, askedFirst in
            try await withTrouble(.unavailable) { second, askedSecond in
                try await ProxyBench.with(upstreamPorts: [first, second], routes: [route]) { bench async throws in
                    for _ in 1...100 { #expect(try await bench.get("/x").status == 503) }
                    // A hundred first attempts, ten from the reserve and a fifth of what was sent.
                    #expect(askedFirst() + askedSecond() <= 100 + 10 + 20 + 1)
                }
            }
        }
    }

    @Test("a node that says it is going down gets nothing new")
    func draining() async throws {
        let route = try route()
        let count = Mutex(0)
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            count.withLock { $0 += 1 }
            try await connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast")
        } _: { leaving in
            try await withHealthy { staying, answered in
                // However long the requests take.
                let health = GatewayConfiguration.Health(
                    failuresToOpen: 100, openFor: .seconds(1), drainFor: .seconds(3600))
                try await ProxyBench.with(upstreamPorts: [leaving, staying], routes: [route], health: health) {
                    bench async throws in
                    for _ in 1...20 { #expect(try await bench.get("/x").status == 200) }
                    #expect(count.withLock { $0 } <= 1 && answered() >= 19)
                }
            }
        }
    }

    /// A node that refuses every upload before it has read it, and counts its other requests.
    private func withRefusing(
        _ body: @escaping @Sendable (Int, @escaping @Sendable () -> Int) async throws -> Void
    ) async throws {
        let count = Mutex(0)
        try await RawServer.with { connection in
            var connection = connection
            while true {
                let head = try await connection.read(until: "\r\n\r\n")
                if head.isEmpty { return }
                guard head.hasPrefix("GET ") else {
                    try await connection.write(
                        "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
                    _ = try? await connection.readToEnd()
                    return
                }
                count.withLock { $0 += 1 }
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell")
            }
        } _: { port in
            try await body(port) { count.withLock { $0 } }
        }
    }

    @Test("a node that refuses an upload early, and so ends its connection, is not taken for one that is going down")
    func earlyRefusal() async throws {
        let route = try route()
        try await withRefusing { first, askedFirst in
            try await withRefusing { second, askedSecond in
                let health = GatewayConfiguration.Health(
                    failuresToOpen: 100, openFor: .seconds(1), drainFor: .seconds(3600))
                try await ProxyBench.with(upstreamPorts: [first, second], routes: [route], health: health) {
                    bench async throws in
                    let upload = HTTPClientRequestBody.stream(
                        length: nil, Repeated(chunk: Array(repeating: 1, count: 65_536), count: 10))
                    let (response, _) = try await bench.client.execute(
                        HTTPClientRequest(method: "POST", url: bench.url + "/x", body: upload), collectingUpTo: 1000)
                    #expect(response.status == 403)
                    for _ in 1...40 { #expect(try await bench.get("/x").status == 200) }
                    #expect(askedFirst() > 0 && askedSecond() > 0)
                }
            }
        }
    }

    @Test("a name service that does not answer holds up no checks")
    func hungLookUp() async throws {
        try await withTrouble(.hangs) { hanging, _ in
            try await withHealthy { good, _ in
                let addresses = [hanging, good].map { "http://127.0.0.1:\($0)" }
                let upstream = Upstream(
                    .mlPrediction, baseURLs: addresses, health: .init(failuresToOpen: 1, openFor: .seconds(3600)))
                let client = HTTPClient(logger: PostgresCluster.quietLogger)
                let answers = DispatchSemaphore(value: 0)
                let watch = UpstreamWatch(
                    upstreams: { [upstream] }, client: client, logger: PostgresCluster.quietLogger,
                    pause: .milliseconds(10), patience: .milliseconds(300),
                    lookUp: { name in
                        answers.wait()
                        return [name]
                    })
                let running = Task { try await watch.run() }
                let outcome: Result<Void, any Error>
                do {
                    try await waitUntil("the checks have found the node that hangs") {
                        upstream.standings.contains { $0.address == addresses[0] && $0.circuit == .open }
                    }
                    outcome = .success(())
                } catch {
                    outcome = .failure(error)
                }
                running.cancel()
                // The round of look-ups that is under way asks for both names.
                for _ in addresses { answers.signal() }
                _ = await running.result
                await client.shutdown()
                try outcome.get()
            }
        }
    }

    @Test("a look-up that does not end holds up neither those of other services nor the end of the gateway")
    func lookUpForEver() async throws {
        let health = GatewayConfiguration.Health(failuresToOpen: 1, openFor: .seconds(3600))
        // Nobody listens there.
        let names = ["http://127.0.0.1:11", "http://127.0.0.1:12"]
        let stuck = Upstream(.mlTraining, baseURLs: [names[0]], health: health)
        let moving = Upstream(.mlPrediction, baseURLs: [names[1]], health: health)
        let answer = DispatchSemaphore(value: 0)
        let number = Mutex(1)
        defer { answer.signal() }
        let client = HTTPClient(logger: PostgresCluster.quietLogger)
        let watch = UpstreamWatch(
            upstreams: { [stuck, moving] }, client: client, logger: PostgresCluster.quietLogger,
            pause: .milliseconds(10),
            lookUp: { name in
                if name == names[0] { answer.wait() }
                let port = number.withLock { number in
                    number = number % 9 + 1
                    return number
                }
                return ["http://127.0.0.1:\(port)"]
            })
        let running = Task { try await watch.run() }
        for _ in 1...3 {
            let before = moving.nodes
            try await waitUntil("the other service's nodes are found anew") { moving.nodes != before }
        }
        running.cancel()
        _ = await running.result
        #expect(stuck.nodes == [names[0]])
        await client.shutdown()
    }

    @Test("active checks find a node that hangs before requests do, and that it is back")
    func checks() async throws {
        try await withTrouble(.hangs) { hanging, _ in
            try await withHealthy { good, _ in
                let upstream = Upstream(
                    .mlPrediction, baseURLs: [hanging, good].map { "http://127.0.0.1:\($0)" },
                    health: .init(failuresToOpen: 1, openFor: .seconds(3600)))
                let client = HTTPClient(logger: PostgresCluster.quietLogger)
                // The healthy node has this long to answer, however busy the machine is.
                let watch = UpstreamWatch(
                    upstreams: { [upstream] }, client: client, logger: PostgresCluster.quietLogger,
                    patience: .seconds(15))
                await watch.check()
                for _ in 1...5 {
                    #expect(upstream.choose(excluding: [], isTrial: true) == "http://127.0.0.1:\(good)")
                }
                await client.shutdown()
            }
        }
    }

    @Test("a name stands for all its addresses, an address and a name under TLS for themselves")
    func names() throws {
        #expect(try NodeAddresses.nodes(of: "http://localhost:8083").contains("http://127.0.0.1:8083"))
        #expect(try NodeAddresses.nodes(of: "http://10.1.2.3:8083") == ["http://10.1.2.3:8083"])
        #expect(try NodeAddresses.nodes(of: "http://[::1]:8083") == ["http://[::1]:8083"])
        #expect(try NodeAddresses.nodes(of: "https://localhost") == ["https://localhost"])
        #expect(throws: NodeAddresses.LookupFailed.self) { try NodeAddresses.nodes(of: "http://nobody.invalid") }
    }

    @Test("three nodes behind one name share the work")
    func share() {
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://ml-prediction:8083"],
            health: .init(failuresToOpen: 1, openFor: .seconds(1)))
        upstream.update(nodes: ["a", "b", "c"])
        var counts: [String: Int] = [:]
        for _ in 1...300 {
            guard let node = upstream.choose(excluding: [], isTrial: true) else { continue }
            counts[node, default: 0] += 1
        }
        #expect(["a", "b", "c"].allSatisfy { abs((counts[$0] ?? 0) - 100) <= 15 }, "\(counts)")
    }
}

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

@Suite("What one client may hold of the proxy, over live sockets", .timeLimit(.minutes(3)))
struct ProxyBoundsTests {
    @Test("a body of a GET or a DELETE is refused before any upstream is asked", arguments: ["GET", "DELETE"])
    func bodyOfGet(method: String) async throws {
        let asked = Mutex(0)
        try await RawServer.with { _ in
            asked.withLock { $0 += 1 }
        } _: { port in
            let route = try ProxyBench.route("/x", method)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                for framing in ["Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "Content-Length: 5\r\n\r\nhello"] {
                    let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                        try await connection.write(
                            "\(method) /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(framing)")
                        return try await connection.readToEnd()
                    }
                    #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("malformed_request"), "\(answer)")
                }
            }
        }
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("an upload takes no connection of an upstream before its first piece has come")
    func firstPiece() async throws {
        let connected = Signal()
        let asked = Mutex(0)
        try await RawServer.with { connection in
            asked.withLock { $0 += 1 }
            connected.set()
            var connection = connection
            _ = try await connection.read(until: "0\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        } _: { port in
            let route = try ProxyBench.route("/x", "POST")
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                    try await waitUntil("the request is under way") { !bench.inFlight.isIdle }
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(asked.withLock { $0 } == 0)
                    try await connection.write("5\r\nhello\r\n")
                    await connected.wait()
                    try await connection.write("0\r\n\r\n")
                    #expect(try await connection.read(until: "ok").hasPrefix("HTTP/1.1 200 "))
                }
            }
        }
    }

    @Test("one address has no more requests under way than it may, and its places come back")
    func inFlight() async throws {
        let go = Signal()
        let arrived = Mutex(0)
        try await ProxyBench.withUpstream { router in
            router.get("/slow") { _, _ in
                let number = arrived.withLock { arrived in
                    arrived += 1
                    return arrived
                }
                // A third one, which should not be here, is answered at once.
                if number <= 2 { await go.wait() }
                return "done"
            }
        } _: { port in
            let limits = GatewayConfiguration.InFlightLimits(
                node: 10, brief: .init(tenant: 10, user: 10, address: 2), streams: .init(tenant: 1, user: 1, address: 1)
            )
            try await ProxyBench.with(
                upstreamPorts: [port], routes: [try ProxyBench.route("/slow")], inFlight: limits
            ) { bench async throws in
                async let first = bench.get("/slow")
                async let second = bench.get("/slow")
                try await waitUntil("two requests have arrived") { arrived.withLock { $0 } == 2 }
                let third = try await bench.get("/slow")
                #expect(third.status == 429 && third.code == .rateLimited && third.header("Retry-After") == "1")
                go.set()
                #expect(try await [first.status, second.status] == [200, 200])
                try await bench.idle()
                #expect(try await bench.get("/slow").status == 200)
            }
        }
    }

    @Test("a client that hangs up gives its place back")
    func hangUp() async throws {
        let (arrived, never) = (Signal(), Signal())
        try await ProxyBench.withUpstream { router in
            router.get("/slow") { _, _ in
                arrived.set()
                await never.wait()
                return "done"
            }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/slow")]) {
                bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                    await arrived.wait()
                    #expect(!bench.inFlight.isIdle)
                }
                try await bench.idle()
                never.set()
            }
        }
    }

    @Test(
        "what changes something keeps its places until the upstream has answered, though its client resets",
        arguments: ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"])
    func reset(body: String) async throws {
        let (arrived, go) = (Signal(), Signal())
        let lines = Mutex("")
        try await ProxyBench.withUpstream { router in
            router.post("/x") { _, _ in
                arrived.set()
                await go.wait()
                return "done"
            }
        } _: { port in
            try await ProxyBench.with(
                upstreamPorts: [port], routes: [try ProxyBench.route("/x", "POST")],
                accessLines: { text in lines.withLock { $0 += text } }
            ) { bench async throws in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\n\(body)")
                    await arrived.wait()
                    let options = try #require(connection.channel as? any SocketOptionProvider)
                    try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                }
                try await waitUntil("the gateway has noticed") { lines.withLock { $0.contains("POST") } }
                #expect(!bench.inFlight.isIdle)
                go.set()
                try await bench.idle()
            }
        }
    }

    @Test("an upload that stops coming gets 408 long before its route's time is over")
    func slowUpload() async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                for try await _ in request.body {}
                return "read"
            }
        } _: { port in
            let route = try ProxyBench.route("/x", "POST", timeout: .seconds(3600))
            try await ProxyBench.with(
                upstreamPorts: [port], routes: [route],
                uploads: .init(bytesPerSecond: 1, grace: .milliseconds(300))
            ) { bench async throws in
                let chunked = "Transfer-Encoding: chunked\r\n\r\n"
                // The last two are short enough to be read whole first.
                for sent in [
                    chunked, "\(chunked)5\r\nhello\r\n", "Content-Length: 9\r\n\r\n", "Content-Length: 9\r\n\r\nhello",
                ] {
                    let start = ContinuousClock.now
                    let answer = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                        try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\n\(sent)")
                        return try await connection.readToEnd()
                    }
                    #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request_timeout"), "\(answer)")
                    // By its pace, not by the time that all of a short body may take.
                    #expect(ContinuousClock.now - start < ForwardStage.longestCollecting)
                }
            }
        }
    }

    @Test("a login whose body does not come gets 408 as an upload does")
    func withheldLogin() async throws {
        let rate = BodyRate(bytesPerSecond: 1, grace: .milliseconds(300))
        try await RunningGateway.with(uploads: rate) { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let port = try #require(URL(string: gateway.urls[0])?.port)
            let start = ContinuousClock.now
            let answer = try await RawConnection.connect(to: port) { connection in
                try await connection.write(
                    "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nX-Tenant-ID: \(tenant.id)\r\n"
                        + "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
                return try await connection.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("request_timeout"), "\(answer)")
            #expect(ContinuousClock.now - start < Request.bodyPatience)
        }
    }
}

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

@Suite("Proxy in trouble, over live sockets", .timeLimit(.minutes(3)))
struct ProxyTroubleTests {
    /// tcpmux: nobody listens there. A port that has just been let go of may be another test's by now.
    private static let deadPort = 1

    @Test("an upstream without a listener is 503, and its circuit opens")
    func refused() async throws {
        let health = GatewayConfiguration.Health(failuresToOpen: 2, openFor: .seconds(60))
        try await ProxyBench.with(upstreamPorts: [Self.deadPort], routes: [try ProxyBench.route("/x")], health: health)
        {
            bench in
            for _ in 1...3 {
                let reply = try await bench.get("/x")
                #expect(reply.status == 503)
                #expect(reply.code == .serviceUnavailable)
                #expect(reply.header("Retry-After") == "1")
                #expect(reply.header("Content-Type") == Problem.mediaType)
            }
        }
    }

    @Test("another address answers for one that is gone, bodies included")
    func failover() async throws {
        try await ProxyBench.withUpstream { router in
            router.post("/x") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                return String(body.readableBytes)
            }
        } _: { port in
            let route = try ProxyBench.route("/x", "POST")
            try await ProxyBench.with(upstreamPorts: [Self.deadPort, port], routes: [route]) { bench in
                for size in [10, 100_000, 10, 100_000] {
                    let (response, bytes) = try await bench.client.execute(
                        HTTPClientRequest(
                            method: "POST", url: bench.url + "/x", body: .bytes(Array(repeating: 1, count: size))),
                        collectingUpTo: 1000)
                    #expect(response.status == 200)
                    #expect(String(decoding: bytes, as: UTF8.self) == "\(size)")
                }
            }
        }
    }

    @Test("an upstream that does not answer in time is 504")
    func timeout() async throws {
        let over = Signal()
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.readToEnd()
            over.set()
        } _: { port in
            let route = try ProxyBench.route("/x", timeout: .seconds(10))
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                let reply = try await bench.get("/x")
                #expect(reply.status == 504)
                #expect(reply.code == .upstreamTimeout)
                await over.wait()
            }
        }
    }

    @Test(
        "an upstream that breaks off before its answer, or speaks no HTTP, is 502",
        arguments: ["", "HTTP/1.1 2", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"])
    func broken(answer: String) async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            if !answer.isEmpty { try await connection.write(answer) }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")]) { bench in
                let reply = try await bench.get("/x")
                #expect(reply.status == 502)
                #expect(reply.code == .upstreamFailed)
            }
        }
    }

    @Test("an answer that breaks off on its way breaks off for the client too, and is not made to look whole")
    func truncated() async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")]) { bench in
                let text = try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                    return try await connection.readToEnd()
                }
                #expect(text.contains("hello"))
                #expect(!text.contains("\r\n0\r\n\r\n"))
            }
        }
    }

    @Test("a client that hangs up while the upstream thinks ends the upstream's transfer")
    func hangUpWaiting() async throws {
        let (arrived, ended) = (Signal(), Signal())
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            arrived.set()
            _ = try? await connection.readToEnd()
            ended.set()
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")]) { bench in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                    await arrived.wait()
                }
                await ended.wait()
            }
        }
    }

    @Test("a client that hangs up during a silent stream ends the upstream's transfer")
    func hangUpStreaming() async throws {
        let ended = Signal()
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            _ = try? await connection.readToEnd()
            ended.set()
        } _: { port in
            let route = try ProxyBench.route("/x", isStreaming: true)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    try await connection.write("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await connection.read(until: "data: 1").contains("data: 1"))
                }
                await ended.wait()
            }
        }
    }

    @Test("an upload that the client breaks off is not made to look whole", arguments: [true, false])
    func uploadBrokenOff(declared: Bool) async throws {
        let (arrived, ended) = (Signal(), Signal())
        let received = Mutex("")
        try await RawServer.with { connection in
            var connection = connection
            let head = try await connection.read(until: "hello")
            arrived.set()
            let rest = (try? await connection.readToEnd()) ?? ""
            received.withLock { $0 = head + rest }
            ended.set()
        } _: { port in
            let route = try ProxyBench.route("/x", "POST", isStreaming: true)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                try await RawConnection.connect(to: bench.gatewayPort) { connection in
                    let framing =
                        declared
                        ? "Content-Length: 100000\r\n\r\nhello" : "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                    try await connection.write("POST /x HTTP/1.1\r\nHost: a\r\n\(framing)")
                    await arrived.wait()
                }
                await ended.wait()
                #expect(!received.withLock { $0 }.contains("\r\n0\r\n\r\n"))
            }
        }
    }

    @Test("an answer that an upstream gives before it has read the upload arrives, again and again")
    func earlyAnswer() async throws {
        try await RawServer.with { connection in
            var connection = connection
            _ = try await connection.read(until: "\r\n\r\n")
            try await connection.write(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: \(Problem.mediaType)\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )
            _ = try? await connection.readToEnd()
        } _: { port in
            let route = try ProxyBench.route("/x", "POST", bodyLimit: 1 << 30)
            try await ProxyBench.with(upstreamPorts: [port], routes: [route]) { bench in
                for _ in 1...20 {
                    let body = HTTPClientRequestBody.stream(
                        length: nil, Repeated(chunk: Array(repeating: 1, count: 65_536), count: 50))
                    let (response, bytes) = try await bench.client.execute(
                        HTTPClientRequest(method: "POST", url: bench.url + "/x", body: body), collectingUpTo: 1000)
                    #expect(response.status == 403)
                    #expect(bytes == Array("{}".utf8))
                }
            }
        }
    }

    @Test("a problem of the upstream passes as it is")
    func problemPasses() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ -> Response in throw ProblemError.conflict("There is already one.") }
        } _: { port in
            try await ProxyBench.with(upstreamPorts: [port], routes: [try ProxyBench.route("/x")]) { bench in
                let reply = try await bench.get("/x")
                #expect(reply.status == 409)
                #expect(reply.problem?.error == "There is already one.")
                #expect(reply.problem?.requestId == reply.header("X-Request-ID"))
            }
        }
    }

    @Test(
        "a service that does not trust the gateway is in trouble, and no client's token is bad for it",
        arguments: ["GET", "HEAD"])
    func mistrusted(method: String) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id)
            let login: TokenResponse = try await gateway.logIn(
                "ada@acme.example", "correct horse battery", tenant.id
            ).data()
            func ask() async throws -> Int {
                try await gateway.send(method, "/api/v1/employees", token: login.accessToken).status
            }
            #expect(try await ask() == 200)
            gateway.tenantAdmin.setMistrusting(true)
            #expect(try await ask() == 502)
            gateway.tenantAdmin.setMistrusting(false)
            #expect(try await ask() == 200)
        }
    }
}

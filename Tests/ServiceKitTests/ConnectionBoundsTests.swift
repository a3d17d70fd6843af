import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOEmbedded
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

@Suite("What one client may hold of a server", .timeLimit(.minutes(3)))
struct ConnectionBoundsTests {
    private func withService(
        _ arguments: [String] = [],
        _ router: Router<ServiceRequestContext> = Router(context: ServiceRequestContext.self),
        on eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        _ body: (Int, LiveService) async throws -> Void
    ) async throws {
        router.get("/hello") { _, _ in "hello" }
        router.get("/host") { request, _ in request.head.authority ?? "" }
        router.get("/stream") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "hello"))
                    try await writer.finish(nil)
                })
        }
        router.post("/echo") { request, _ in
            String(decoding: try await request.bodyBytes(upTo: 1000), as: UTF8.self)
        }
        router.post("/refuse") { _, _ -> Response in throw ProblemError.notAuthenticated() }
        try await LiveService.with(router, arguments: arguments, on: eventLoops) { service in
            try await body(try #require(URL(string: service.http)?.port), service)
        }
    }

    @Test("requests sent ahead wait as bytes, and the socket is not read meanwhile")
    func heldBytes() throws {
        final class Reads: ChannelOutboundHandler {
            typealias OutboundIn = ByteBuffer
            var count = 0
            func read(context: ChannelHandlerContext) { count += 1 }
        }
        let (channel, bytes, reads) = (EmbeddedChannel(), RequestBytes(), Reads())
        var isAnswering = false
        bytes.demand = { isAnswering ? .nothing : .requestHead }
        try channel.pipeline.syncOperations.addHandlers([reads, bytes])
        let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
        try channel.writeInbound(ByteBuffer(string: request))
        #expect(try channel.readInbound(as: ByteBuffer.self).map { String(buffer: $0) } == request)
        isAnswering = true
        let ahead = String(repeating: request, count: 1000)
        try channel.writeInbound(ByteBuffer(string: ahead))
        #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
        let before = reads.count
        channel.pipeline.read()
        #expect(reads.count == before)

        isAnswering = false
        bytes.resume()
        var passed = ""
        while let piece = try channel.readInbound(as: ByteBuffer.self) {
            #expect(piece.readableBytes <= 2048)
            passed += String(buffer: piece)
        }
        #expect(passed == ahead)
        #expect(reads.count > before)
        _ = try? channel.finish()
    }

    @Test("a head is decoded without what follows it, and a body comes in one piece")
    func headAlone() throws {
        let (channel, bytes) = (EmbeddedChannel(), RequestBytes())
        let (head, body) = ("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", String(repeating: "\r\nx\r\n", count: 500))
        let next = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
        var demands: [RequestBytes.Demand] = [.requestHead, .body(body.utf8.count), .requestHead, .nothing]
        bytes.demand = { demands.removeFirst() }
        try channel.pipeline.syncOperations.addHandler(bytes)
        try channel.writeInbound(ByteBuffer(string: head + body + next + next))
        var pieces: [String] = []
        while let piece = try channel.readInbound(as: ByteBuffer.self) { pieces.append(String(buffer: piece)) }
        #expect(pieces == [head, body, next])
        #expect(bytes.holds)
        _ = try? channel.finish()
    }

    @Test("of a head that is not all there, or is long, what there is of it is decoded", arguments: [100, 5_000])
    func headInPieces(length: Int) throws {
        let (channel, bytes) = (EmbeddedChannel(), RequestBytes())
        try channel.pipeline.syncOperations.addHandler(bytes)
        let head = "GET /hello HTTP/1.1\r\nX: \(String(repeating: "x", count: length))\r\n\r\n"
        // Cut inside and on either side of the empty line, too.
        for cut in (head.utf8.count - 5)...head.utf8.count {
            try channel.writeInbound(ByteBuffer(bytes: head.utf8.prefix(cut)))
            try channel.writeInbound(ByteBuffer(bytes: head.utf8.dropFirst(cut)))
            var passed = ""
            while let piece = try channel.readInbound(as: ByteBuffer.self) { passed += String(buffer: piece) }
            #expect(passed == head)
        }
        _ = try? channel.finish()
    }

    @Test("a client that lags behind takes all of what is ready for it before more is made ready")
    func waterMark() async throws {
        let router = Router(context: ServiceRequestContext.self)
        router.get("/mark") { _, context in
            let mark = try await context.channel.getOption(.writeBufferWaterMark).get()
            return "\(mark.low) \(mark.high)"
        }
        try await withService([], router) { port, _ in
            let answer = try await RawClient.connect(to: port) { client in
                try await client.send("GET /mark HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answer.hasSuffix("\r\n\r\n1 65536"), "\(answer)")
        }
    }

    @Test("requests sent ahead are all answered, in their order")
    func pipelined() async throws {
        try await withService { port, _ in
            let answers = try await RawClient.connect(to: port) { client in
                let hosts = (1...300).map { "GET /host HTTP/1.1\r\nHost: host-\($0)\r\n\r\n" }.joined()
                try await client.send(hosts + "GET /host HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n")
                return try await client.readToEnd()
            }
            let hosts = answers.components(separatedBy: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
            #expect(hosts.map(String.init) == (1...300).map { "host-\($0)" } + ["last"])
        }
    }

    /// Answers are made faster than a busy event loop encrypts and sends them.
    @Test("the next request waits until the client has taken most of the answer before", arguments: [16, 1_024])
    func unread(kibibytes: Int) async throws {
        let answered = Mutex(0)
        let isSeen = DispatchSemaphore(value: 0)
        let requests = 20 * 1_024 / kibibytes
        let router = Router(context: ServiceRequestContext.self)
        router.get("/large") { _, context in
            let isFirst = answered.withLock { answered in
                answered += 1
                return answered == 1
            }
            if isFirst { context.channel.eventLoop.execute { _ = isSeen.wait(timeout: .now() + 60) } }
            return Response(status: .ok, body: .inPieces(ByteBuffer(repeating: 0x78, count: kibibytes << 10)))
        }
        // The loop that waits serves no other test, nor this one's client.
        let eventLoops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<Void, any Error>
        do {
            try await withService([], router, on: eventLoops) { port, _ in
                // However this ends: the loop that waits is stopped with the service.
                defer { isSeen.signal() }
                try await SilentClient.sending(
                    String(repeating: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", count: requests), to: port
                ) {
                    while answered.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(10)) }
                    try await Task.sleep(for: .milliseconds(300))
                    #expect(answered.withLock { $0 } == 1)
                    isSeen.signal()
                    try await Task.sleep(for: .seconds(1))
                    // The kernel takes some 4 MiB.
                    #expect(answered.withLock { $0 } * kibibytes < 10 * 1_024)
                }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await eventLoops.shutdownGracefully()
        try outcome.get()
    }

    @Test("a client that does not take its answer is cut off")
    func writeTimeout() async throws {
        let ended = Gate()
        let router = Router(context: ServiceRequestContext.self)
        router.get("/endless") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    defer { ended.open() }
                    while true { try await writer.write(ByteBuffer(repeating: 0x78, count: 65_536)) }
                })
        }
        try await withService(["--http-write-timeout=200ms"], router) { port, _ in
            try await RawClient.connect(to: port) { client in
                try await client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
                await ended.wait()
            }
        }
    }

    @Test("one client's connections are limited, and an ended one makes room")
    func connections() async throws {
        try await withService(["--http-max-connections-per-client=2"]) { port, _ in
            let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
            try await RawClient.connect(to: port) { first in
                try await first.send(hello)
                #expect(try await first.read(until: "hello").hasPrefix("HTTP/1.1 200 "))
                try await RawClient.connect(to: port) { second in
                    try await second.send(hello)
                    #expect(try await second.read(until: "hello").hasPrefix("HTTP/1.1 200 "))
                    let refused = try? await RawClient.connect(to: port) { third in
                        // One that is not refused is answered, and its connection ends.
                        try? await third.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        return try await third.readToEnd()
                    }
                    #expect(refused ?? "" == "")
                }
                var answer = ""
                while answer.isEmpty, !Task.isCancelled {
                    answer =
                        (try? await RawClient.connect(to: port) { again in
                            try? await again.send(hello)
                            return try await again.read(until: "hello")
                        }) ?? ""
                }
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
        }
    }

    @Test("the body of a request that was refused is not read to its end", arguments: [true, false])
    func refusedBody(isChunked: Bool) async throws {
        try await withService { port, _ in
            let sent = try await RawClient.connect(to: port) { client in
                let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 1073741824"
                try await client.send("POST /refuse HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
                let answer = try await client.read(until: "\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 401 ") && answer.lowercased().contains("connection: close"))
                let piece = String(repeating: "x", count: 65_536)
                var sent = 0
                do {
                    while sent < 1 << 30 {
                        try await client.send(isChunked ? "10000\r\n\(piece)\r\n" : piece)
                        sent += piece.utf8.count
                    }
                } catch {}
                return sent
            }
            // What the kernels hold on both sides, and a little.
            #expect(sent < 64 << 20)
        }
    }

    @Test(
        "a request that would change the protocol is the last on its connection, and what follows it is not kept",
        arguments: [
            "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket",
            "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 0",
            "CONNECT a:80 HTTP/1.1\r\nHost: a:80",
        ])
    func protocolChange(head: String) async throws {
        try await withService { port, _ in
            let sent = try await RawClient.connect(to: port) { client in
                try await client.send(head + "\r\n\r\n")
                let answer = try await client.read(until: "\r\n\r\n").lowercased()
                #expect(answer.contains("connection: close") && !answer.contains("upgrade"), "\(answer)")
                let piece = String(repeating: "x", count: 65_536)
                var sent = 0
                do {
                    while sent < 1 << 28 {
                        try await client.send(piece)
                        sent += piece.utf8.count
                    }
                } catch {}
                return sent
            }
            // What the kernels hold on both sides, and a little.
            #expect(sent < 64 << 20)
        }
    }

    @Test("an answer that is written while the body is read does not end the connection")
    func answeredWhileRead() async throws {
        let router = Router(context: ServiceRequestContext.self)
        router.post("/pieces") { request, context -> Response in
            context.record.readsBodyWhileAnswering()
            let pieces = BodyPieces(request.body)
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    while let piece = try await pieces.next() { try await writer.write(piece) }
                    try await writer.finish(nil)
                })
        }
        try await withService([], router) { port, _ in
            let answers = try await RawClient.connect(to: port) { client in
                try await client.send(
                    "POST /pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                let head = try await client.read(until: "\r\n\r\n")
                let first = try await client.read(until: "first\r\n")
                try await client.send("4\r\nlast\r\n0\r\n\r\n")
                let last = try await client.read(until: "\r\n0\r\n\r\n")
                try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                return [head, first, last, try await client.read(until: "hello")]
            }
            #expect(answers[0].hasPrefix("HTTP/1.1 200") && !answers[0].lowercased().contains("connection: close"))
            #expect(answers[1].hasSuffix("first\r\n") && answers[2].contains("last"))
            #expect(answers[3].hasPrefix("HTTP/1.1 200") && answers[3].hasSuffix("hello"))
        }
    }

    @Test("a small body of a refused request is read, and the connection goes on")
    func refusedSmallBody() async throws {
        try await withService { port, _ in
            let answers = try await RawClient.connect(to: port) { client in
                try await client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
                let refusal = try await client.read(until: "\r\n\r\n")
                #expect(!refusal.lowercased().contains("connection: close"))
                try await client.send("helloGET /host HTTP/1.1\r\nHost: after\r\nConnection: close\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answers.hasSuffix("after"), "\(answers)")
        }
    }

    @Test("100 Continue is sent when the body is wanted, and not when the request is refused")
    func expect() async throws {
        try await withService { port, _ in
            let head = "HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            try await RawClient.connect(to: port) { client in
                try await client.send("POST /echo " + head)
                #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                try await client.send("world")
                let answer = try await client.read(until: "world")
                #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("world"), "\(answer)")
            }
            let refusal = try await RawClient.connect(to: port) { client in
                try await client.send("POST /refuse " + head)
                return try await client.readToEnd()
            }
            #expect(refusal.hasPrefix("HTTP/1.1 401 ") && refusal.lowercased().contains("connection: close"))
        }
    }

    @Test(
        "codings and expectations that are not known are refused",
        arguments: [
            ("Transfer-Encoding: gzip, chunked", 501), ("Transfer-Encoding: gzip", 501), ("Expect: banana", 417),
        ])
    func refusedFraming(field: String, status: Int) async throws {
        try await withService { port, _ in
            let answer = try await RawClient.connect(to: port) { client in
                try await client.send("POST /echo HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(status) ") || field == "Transfer-Encoding: gzip", "\(answer)")
            #expect(!answer.contains(" 200 "), "\(answer)")
        }
    }

    @Test("HTTP/1.0 gets a body that ends with its connection, and no chunks")
    func oldProtocol() async throws {
        try await withService { port, _ in
            for path in ["/stream", "/hello"] {
                let answer = try await RawClient.connect(to: port) { client in
                    try await client.send("GET \(path) HTTP/1.0\r\nHost: a\r\n\r\n")
                    return try await client.readToEnd()
                }
                #expect(answer.hasPrefix("HTTP/1.0 200 OK\r\n") && answer.hasSuffix("\r\n\r\nhello"), "\(answer)")
                #expect(answer.lowercased().contains("connection: close"))
            }
        }
    }

    @Test("an HTTP/1.0 request that names no host is for the address it came to")
    func oldProtocolWithoutHost() async throws {
        try await withService { port, _ in
            let answer = try await RawClient.connect(to: port) { client in
                try await client.send("GET /host HTTP/1.0\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answer.hasSuffix("\r\n\r\n127.0.0.1:\(port)"), "\(answer)")
        }
    }

    @Test("Connection: close is honoured, however it is written", arguments: ["close", "Close", "x, CLOSE"])
    func closes(value: String) async throws {
        try await withService { port, _ in
            let answer = try await RawClient.connect(to: port) { client in
                try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: \(value)\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answer.lowercased().contains("connection: close") && answer.hasSuffix("hello"), "\(answer)")
        }
    }

    @Test("the host of a target in absolute form goes before Host")
    func absoluteForm() async throws {
        try await withService { port, _ in
            let answer = try await RawClient.connect(to: port) { client in
                try await client.send(
                    "GET http://meant.example/host HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n")
                return try await client.readToEnd()
            }
            #expect(answer.hasSuffix("\r\n\r\nmeant.example"), "\(answer)")
        }
    }

    @Test("a stopping service still answers kept and new connections, with Connection: close")
    func drain() async throws {
        try await withService(["--shutdown-drain=30s"]) { port, service in
            let request = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
            try await RawClient.connect(to: port) { kept in
                try await kept.send(request)
                #expect(try await !kept.read(until: "hello").lowercased().contains("connection: close"))
                await service.group.triggerGracefulShutdown()
                while try await service.get(service.operations + "/readyz").status == 200 { await Task.yield() }
                try await kept.send(request)
                let last = try await kept.readToEnd()
                #expect(last.hasSuffix("hello") && last.lowercased().contains("connection: close"), "\(last)")
            }
            let fresh = try await RawClient.connect(to: port) { client in
                try await client.send(request)
                return try await client.readToEnd()
            }
            #expect(fresh.hasSuffix("hello") && fresh.lowercased().contains("connection: close"), "\(fresh)")
        }
    }
}

import Dispatch
import HTTPClient
import Logging
import Testing

@Suite("connections")
struct ConnectionTests {
    /// Answers every request on a connection with its body's length and an `ok`.
    private func echoServer(address: String = "127.0.0.1") throws -> RawServer {
        try RawServer(address: address) { connection in
            while connection.readHead() != nil { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
    }

    @Test("requests one after another share one connection")
    func reuse() async throws {
        let server = try echoServer()
        defer { server.stop() }
        try await withClient { client in
            for _ in 0..<50 {
                let answer = try await client.execute(.init(url: server.url), collectingUpTo: 10)
                #expect(text(answer.body) == "ok")
            }
        }
        #expect(server.connections == 1)
    }

    @Test("no more connections are made than configured, however many requests run at once")
    func limit() async throws {
        let server = try echoServer()
        defer { server.stop() }
        try await withClient {
            $0.maximumConnectionsPerHost = 3
        } _: { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        _ = try await client.execute(
                            .init(url: server.url, deadline: .seconds(300)), collectingUpTo: 10)
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect((1...3).contains(server.connections))
    }

    @Test("a connection that the server closed between requests is replaced")
    func replaced() async throws {
        let closed = Signal<Void>()
        let server = try RawServer { connection in
            guard connection.readHead() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.close()
            closed.send()
        }
        defer { server.stop() }
        try await withClient { client in
            for _ in 0..<5 {
                let request = HTTPClientRequest(method: "POST", url: server.url, body: .bytes([1]))
                let answer = try await client.execute(request, collectingUpTo: 10)
                #expect(text(answer.body) == "ok")
                await closed.next()
            }
        }
        #expect(server.connections == 5)
    }

    @Test("of several addresses of a name one that accepts is found, however many refuse before")
    func severalAddresses() async throws {
        let server = try echoServer(address: "127.0.0.3")
        defer { server.stop() }
        try await withClient {
            $0.staticHosts = [
                // Servers of tests beside this one listen at 127.0.0.1, maybe on the same port.
                .init(
                    name: "erm.test", port: server.port,
                    addresses: ["127.0.0.2", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.3"])
            ]
        } _: { client in
            let request = HTTPClientRequest(method: "POST", url: "http://erm.test:\(server.port)/", body: .bytes([1]))
            let answer = try await client.execute(request, collectingUpTo: 10)
            #expect(text(answer.body) == "ok")
        }
    }

    @Test("shutdown fails what is under way, and what comes after")
    func shutdown() async throws {
        let asked = Signal<Void>()
        let server = try RawServer { connection in
            _ = connection.readHead()
            asked.send()
            connection.waitForPeerToClose()
        }
        defer { server.stop() }
        try await withClient { client in
            let task = Task { await httpError { try await client.execute(.init(url: server.url)) } }
            await asked.next()
            await client.shutdown()
            #expect(await task.value?.code == .shutDown)
            let error = await httpError { try await client.execute(.init(url: server.url)) }
            #expect(error?.code == .shutDown)
            await client.shutdown()
        }
    }

    @Test("a draining shutdown lets what is under way finish")
    func draining() async throws {
        let goOn = DispatchSemaphore(value: 0)
        let server = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            goOn.wait()
            connection.write("ok")
        }
        defer { server.stop() }
        try await withClient { client in
            let response = try await client.execute(.init(url: server.url))
            async let ended: Void = client.shutdown(draining: .seconds(60))
            // From this on the shutdown is known to have begun.
            while await httpError({ try await client.execute(.init(url: RawServer.nowhere)) })?.code != .shutDown {}
            goOn.signal()
            let body = try await response.collect(upTo: 10)
            #expect(text(body) == "ok")
            await ended
        }
    }

    @Test("a client that is dropped without shutdown ends its thread with the last response")
    func dropped() async throws {
        let server = try echoServer()
        defer { server.stop() }
        let left = Signal<Void>()
        let other = try RawServer { connection in
            _ = connection.readHead()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connection.waitForPeerToClose()
            left.send()
        }
        defer { other.stop() }
        func useAndDrop() async throws {
            let client = HTTPClient(logger: Logger(label: "test"))
            let answer = try await client.execute(.init(url: other.url), collectingUpTo: 10)
            #expect(text(answer.body) == "ok")
        }
        try await useAndDrop()
        // The kept-alive connection is closed by the thread as it ends.
        await left.next()
    }
}

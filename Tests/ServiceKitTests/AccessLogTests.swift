import Basics
import Contracts
import Foundation
import HTTPClient
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Access log")
struct AccessLogTests {
    private struct Line: Decodable {
        let message, method: String
        let route, requestID, client, tenant, actor, denied, reason: String?
        let status, bytesIn, bytesOut: Int
        let duration: Double
        let isCut: Bool?

        private enum CodingKeys: String, CodingKey {
            case message, actor, reason
            case method = "http.method"
            case route = "http.route"
            case requestID = "request.id"
            case client = "client.address"
            case tenant = "tenant.id"
            case denied = "problem.code"
            case status = "http.status"
            case bytesIn = "http.bytes.in"
            case bytesOut = "http.bytes.out"
            case duration = "duration.ms"
            case isCut = "http.cut"
        }
    }

    private func lines(_ written: Lines, _ count: Int) async throws -> [Line] {
        var all: [String] = []
        while all.count < count {
            all = written.all.flatMap { $0.split(separator: "\n").map(String.init) }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try all.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }

    @Test("each request has one line with client, bytes, status and duration, a refused one with its reason")
    func line() async throws {
        let written = Lines()
        let router = Router(context: ServiceRequestContext.self)
        router.post("/things/{id}") { request, context in
            context.record.note {
                $0.tenant = "t"
                $0.subject = "s"
            }
            return String(try await request.bodyBytes(upTo: 1000).count)
        }
        router.get("/secret") { _, _ -> Response in throw ProblemError.permissionDenied() }
        let application = ServiceApplication(router: router).testable(accessLines: { written.append($0) })
        try await application.test(.live) { client in
            _ = try await client.execute(
                uri: "/things/7", method: .post, headers: [.requestID: "r-1"], body: ByteBuffer(string: "12345"))
            _ = try await client.execute(uri: "/secret?token=private", method: .get)
            let lines = try await lines(written, 2)
            #expect(lines.count == 2)
            #expect(lines[0].message == "request" && lines[0].method == "POST" && lines[0].route == "/things/{id}")
            #expect(lines[0].requestID == "r-1" && lines[0].client == "127.0.0.1")
            #expect(lines[0].tenant == "t" && lines[0].actor == "s" && lines[0].status == 200)
            #expect(lines[0].bytesIn == 5 && lines[0].bytesOut == 1 && lines[0].denied == nil && lines[0].isCut == nil)
            #expect(lines[1].status == 403 && lines[1].denied == "permission_denied")
            #expect(lines[1].reason == "You do not have the permission for this.")
            #expect(!written.all.joined().contains("private"))
        }
    }

    @Test("a request that cannot be read has a line with its client")
    func malformed() async throws {
        let written = Lines()
        let application = ServiceApplication(router: Router(context: ServiceRequestContext.self))
            .testable(accessLines: { written.append($0) })
        try await application.test(.live) { client in
            _ = try await RawClient.connect(to: try #require(client.port)) { raw in
                try await raw.send("G@T / HTTP/1.1\r\nHost: a\r\n\r\n")
                return try await raw.readToEnd()
            }
            let lines = try await lines(written, 1)
            #expect(lines[0].status == 400 && lines[0].client == "127.0.0.1")
        }
    }

    @Test("a line has the bytes sent to a client that hung up, and that it hung up")
    func cut() async throws {
        let (written, hungUp) = (Lines(), Gate())
        let router = Router(context: ServiceRequestContext.self)
        router.get("/long") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "12345"))
                    await hungUp.wait()
                    while true { try await writer.write(ByteBuffer(string: "x")) }
                })
        }
        let application = ServiceApplication(router: router).testable(accessLines: { written.append($0) })
        try await application.test(.live) { service in
            let port = try #require(service.port)
            try await RawClient.connect(to: port) { client in
                try await client.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try await client.read(until: "12345")
            }
            hungUp.open()
            let line = try #require(try await lines(written, 1).first)
            #expect(line.isCut == true && line.status == 200 && line.bytesOut >= 5)
        }
    }

    @Test("records beyond the buffer are dropped and counted, and the requests are not held up")
    func drops() async throws {
        let metrics = MetricsRegistry()
        let (taken, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let count = Mutex(0)
        let log = AccessLog(service: "test", metrics: metrics) { text in
            taken.signal()
            go.wait()
            count.withLock { $0 += text.count { $0 == "\n" } }
        }
        let entry = RequestRecord(method: "GET").finish(isCut: false)
        log.append(entry)
        await SystemThread.run(named: "waits") { taken.wait() }
        for _ in 0..<(AccessLog.capacity + 5) { log.append(entry) }
        #expect(metrics.text().contains("access_log_dropped_total 5"))
        go.signal()
        go.signal()
        await log.close()
        #expect(count.withLock { $0 } == AccessLog.capacity + 1)
    }

    @Test("with sampling only some of what went well is written, and all that did not")
    func samples() async throws {
        let written = Lines()
        let log = AccessLog(
            service: "test", samplePercent: 0, metrics: MetricsRegistry(), write: { written.append($0) })
        for status in [200, 204, 403, 500] {
            let record = RequestRecord(method: "GET")
            record.note { $0.status = status }
            log.append(record.finish(isCut: false))
        }
        await log.close()
        #expect(try await lines(written, 2).map(\.status) == [403, 500])
    }
}

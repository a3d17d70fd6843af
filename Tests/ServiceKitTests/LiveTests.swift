import Contracts
import Foundation
import HTTPClient
import Hummingbird
import ServiceIdentity
import ServiceLifecycle
import Synchronization
import Testing

@testable import ServiceKit

@Suite("A running service")
struct LiveTests {
    @Test("the operations port serves liveness, readiness with reasons, and metrics; the public port does not")
    func operations() async throws {
        let ready = Mutex(false)
        let router = Router(context: ServiceRequestContext.self)
        router.get("hello") { _, _ in try Answer.data("hi") }
        let check = ReadinessCheck(name: "database") { ready.withLock { $0 } ? nil : "it is not there" }
        try await LiveService.with(router, readiness: [check]) { service in
            #expect(try await service.get(service.operations + "/livez").status == 200)
            let notReady = try await service.get(service.operations + "/readyz")
            #expect(notReady.status == 503)
            #expect(notReady.body.contains(#""name":"database","ready":false,"reason":"it is not there""#))
            ready.withLock { $0 = true }
            #expect(try await service.get(service.operations + "/readyz").status == 200)

            #expect(try await service.get(service.http + "/hello").status == 200)
            let metrics = try await service.get(service.operations + "/metrics")
            #expect(metrics.body.contains(#"http_server_requests_total{method="GET",route="/hello",status="200"} 1"#))
            for path in ["/livez", "/readyz", "/metrics"] {
                #expect(try await service.get(service.http + path).status == 404)
            }
        }
    }

    @Test("a service that needs something begins once that is well")
    func begunWhenReady() async throws {
        struct Work: Service {
            let events: Lines
            func run() async throws { events.append("begun") }
        }
        let events = Lines()
        let check = ReadinessCheck(name: "database") {
            events.append("asked")
            return events.all.count < 2 ? "it is not there" : nil
        }
        for service in check.before(Work(events: events)) { try await service.run() }
        #expect(events.all == ["asked", "asked", "begun"])
    }

    /// Records the order in which things end.
    private struct Recorder: Service {
        let events: Lines
        func run() async throws {
            try? await gracefulShutdown()
            events.append("stopped")
        }
    }

    @Test(
        "a request under way finishes during shutdown while readiness is gone, and only then the service's work stops")
    func drains() async throws {
        let started = Gate()
        let finish = Gate()
        let events = Lines()
        let router = Router(context: ServiceRequestContext.self)
        router.get("slow") { _, _ in
            started.open()
            await finish.wait()
            events.append("answered")
            return try Answer.data("done")
        }
        try await LiveService.with(router, services: [Recorder(events: events)]) { service in
            async let slow = service.get(service.http + "/slow")
            await started.wait()

            await service.group.triggerGracefulShutdown()
            while try await service.get(service.operations + "/readyz").status == 200 { await Task.yield() }
            let readiness = try await service.get(service.operations + "/readyz")
            #expect(readiness.body.contains("shutting down"))
            finish.open()

            let answer = try await slow
            #expect(answer.status == 200)
            #expect(answer.body.contains("done"))
        }
        #expect(events.all == ["answered", "stopped"])
    }

    @Test("a request that outlives the grace period is cancelled and the service ends")
    func graceEnds() async throws {
        let started = Gate()
        let cancelled = Lines()
        let router = Router(context: ServiceRequestContext.self)
        router.get("endless") { _, _ -> Response in
            started.open()
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                cancelled.append("cancelled")
                throw error
            }
            return Answer.noContent()
        }
        try await LiveService.with(router, arguments: ["--shutdown-grace=100ms"]) { service in
            async let endless: Int? = try? await service.get(service.http + "/endless").status
            await started.wait()
            await service.group.triggerGracefulShutdown()
            let status = await endless
            #expect(status == nil || status == 503)
        }
        #expect(cancelled.all == ["cancelled"])
    }

    @Test("headers beyond the limit are refused")
    func hugeHeaders() async throws {
        let router = Router(context: ServiceRequestContext.self)
        router.get("hello") { _, _ in try Answer.data("hi") }
        try await LiveService.with(router, arguments: ["--http-max-header-bytes=4096"]) { service in
            var request = HTTPClientRequest(url: service.http + "/hello")
            request.headers = [("X-Big", String(repeating: "x", count: 8192))]
            let status = try? await service.client.execute(request, collectingUpTo: 10_000).response.status
            #expect(status == nil || status == 400 || status == 431)
            let after = try await service.get(service.http + "/hello")
            #expect(after.status == 200)
        }
    }
}

@Suite("Asking another service")
struct ServiceClientTests {
    struct Item: WireLine, Equatable { let n: Int }

    static func router(seen: Lines) -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        router.get("item") { request, context in
            seen.append("\(context.requestID) \(context.trace.traceID) \(request.headers[.authorization] ?? "")")
            return try Answer.data(Item(n: 1))
        }
        router.post("item") { request, _ in
            try Answer.data(
                try WireJSON.decode(Item.self, from: try await request.bodyBytes(upTo: 100)), status: .created)
        }
        router.get("missing") { _, _ -> Response in throw ProblemError.notFound("Model", code: .noDeployedModel) }
        router.get("unknown-caller") { _, _ -> Response in throw ProblemError.notAuthenticated() }
        router.get("bad-login") { _, _ -> Response in
            throw ProblemError.notAuthenticated("Wrong e-mail or password.", code: .invalidCredentials)
        }
        router.get("busy") { _, _ -> Response in throw ProblemError.unavailable("Later.") }
        router.get("crash") { _, _ -> Response in throw ProblemError.internalError(cause: nil) }
        router.get("text") { _, _ in Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "not json"))) }
        router.get("never") { _, _ -> Response in
            try await Task.sleep(for: .seconds(3600))
            return Answer.noContent()
        }
        router.get("lines") { _, _ in
            Response(
                status: .ok,
                body: .init { writer in
                    for piece in ["{\"n\":", "1}\n{\"n\":2}\n\n{\"n", "\":3}"] {
                        try await writer.write(ByteBuffer(string: piece))
                    }
                    try await writer.finish(nil)
                })
        }
        return router
    }

    func with(
        _ arguments: [String] = [], _ body: (ServiceClient, LiveService, Lines) async throws -> Void
    ) async throws {
        let seen = Lines()
        try await LiveService.with(Self.router(seen: seen), arguments: arguments) { service in
            let signer = AssertionSigner(issuer: .gateway, keyPair: ServiceKeyPair())
            let client = ServiceClient(
                to: .tenantAdmin, baseURLs: [service.http], httpClient: service.client, signer: signer,
                deadline: .seconds(60))
            try await body(client, service, seen)
        }
    }

    func problem(_ client: ServiceClient, _ path: String) async -> ProblemError? {
        do {
            let _: Item = try await client.get(path, trace: TraceContext())
            return nil
        } catch {
            return error as? ProblemError
        }
    }

    @Test("the answer's data arrives, and request id, trace and assertion were sent along")
    func gets() async throws {
        try await with { client, _, seen in
            let trace = TraceContext()
            let item: Item = try await client.get("/item", trace: trace)
            #expect(item == Item(n: 1))
            #expect(seen.all.first?.hasPrefix("\(trace.requestID) \(trace.traceID) Bearer ey") == true)
            let created: Item = try await client.post("/item", Item(n: 5), trace: trace)
            #expect(created == Item(n: 5))
        }
    }

    @Test("refusals keep status and code; failures of the other side are told apart")
    func problems() async throws {
        // A short grace: the handler that never answers is still there when the test is over.
        try await with(["--shutdown-grace=200ms"]) { client, _, _ in
            let missing = await problem(client, "/missing")
            #expect(missing?.status == .notFound)
            #expect(missing?.code == .noDeployedModel)
            #expect(await problem(client, "/bad-login")?.code == .invalidCredentials)
            #expect(await problem(client, "/unknown-caller")?.status == .badGateway)
            #expect(await problem(client, "/busy")?.status == .serviceUnavailable)
            #expect(await problem(client, "/crash")?.status == .badGateway)
            #expect(await problem(client, "/text")?.code == .upstreamFailed)
            var impatient = client
            impatient.deadline = .milliseconds(200)
            #expect(await problem(impatient, "/never")?.status == .gatewayTimeout)
        }
    }

    @Test("an address that refuses is passed over, and with none left it is 503")
    func failover() async throws {
        try await with { client, service, _ in
            let dead = "http://127.0.0.1:1"
            let several = ServiceClient(
                to: .tenantAdmin, baseURLs: [dead, service.http], httpClient: service.client, signer: client.signer)
            for _ in 0..<4 {
                let item: Item = try await several.get("/item", trace: TraceContext())
                #expect(item.n == 1)
                let created: Item = try await several.post("/item", Item(n: 2), trace: TraceContext())
                #expect(created.n == 2)
            }
            let none = ServiceClient(
                to: .tenantAdmin, baseURLs: [dead], httpClient: service.client, signer: client.signer)
            #expect(await problem(none, "/item")?.status == .serviceUnavailable)
        }
    }

    @Test("lines are decoded as they come, however they are cut")
    func lines() async throws {
        try await with { client, _, _ in
            var found: [Int] = []
            for try await item in try await client.stream("/lines", of: Item.self, trace: TraceContext()) {
                found.append(item.n)
            }
            #expect(found == [1, 2, 3])
            await #expect(throws: ProblemError.self) {
                for try await _ in try await client.stream("/text", of: Item.self, trace: TraceContext()) {}
            }
            await #expect(throws: ProblemError.self) {
                _ = try await client.stream("/missing", of: Item.self, trace: TraceContext())
            }
        }
    }
}

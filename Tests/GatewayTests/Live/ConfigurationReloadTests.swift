import Contracts
import Foundation
import HTTPClient
import Hummingbird
import HummingbirdTesting
import Logging
import ServiceIdentity
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("A configuration that changes while the gateway runs", .timeLimit(.minutes(3)))
struct ConfigurationReloadTests {
    private static let head = """
        limits:
          plans:
            starter: { perSecond: 1, burst: 2 }
            professional: { perSecond: 1.5, burst: 2 }
            enterprise: { perSecond: 1, burst: 2 }
          address: { perSecond: 1, burst: 1 }
        upstreams:
          ml-prediction: { failuresToOpen: 3, openFor: 500ms }
        routes:

        """

    private func text(_ paths: String...) -> String {
        Self.head
            + paths.map { "  - { path: \($0), upstream: ml-prediction, scope: public, methods: { GET: none } }\n" }
            .joined()
    }

    private func withFile(_ text: String, _ body: (URL) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gateway-\(UUID()).yaml")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file)
    }

    /// A watch of a file, with what it has taken over and logged.
    private final class Watched: Sendable {
        private let state = Mutex((taken: [[String]](), lines: [String]()))

        var taken: [[String]] { state.withLock { $0.taken } }
        var lines: [String] { state.withLock { $0.lines } }

        func watch(_ file: URL) -> ConfigurationWatch {
            let logger = Logger(label: "test") { label in
                ServiceLogHandler(service: "gateway", label: label, level: .info, format: .json) { line in
                    self.state.withLock { $0.lines.append(line) }
                }
            }
            return ConfigurationWatch(path: file.path, logger: logger) { configuration in
                self.state.withLock { $0.taken.append(configuration.routes.map(\.template)) }
            }
        }
    }

    @Test("a changed file is taken over, one that cannot be used is not, and one as before is not looked at")
    func watch() async throws {
        try await withFile(text("/a")) { file in
            let watched = Watched()
            let watch = watched.watch(file)
            watch.look()
            try Data(text("/a", "/b").utf8).write(to: file)
            for _ in 1...3 { watch.look() }
            #expect(watched.taken == [["/a", "/b"]])
            try Data("routes: nonsense".utf8).write(to: file)
            for _ in 1...3 { watch.look() }
            try FileManager.default.removeItem(at: file)
            for _ in 1...3 { watch.look() }
            #expect(watched.lines.count { $0.contains("Configuration cannot be used") } == 2)
            #expect(watched.lines.last?.contains("the file cannot be read") == true)
            try Data(text("/c").utf8).write(to: file)
            for _ in 1...3 { watch.look() }
            #expect(watched.taken == [["/a", "/b"], ["/c"]])
        }
    }

    @Test(
        "the beginning of a file that is being written is not taken for a configuration, unless a reload is asked for")
    func halfWritten() async throws {
        try await withFile(text("/a", "/b")) { file in
            let watched = Watched()
            let watch = watched.watch(file)
            try Data(text("/a").utf8).write(to: file)
            watch.look()
            try Data(text("/a", "/b", "/c").utf8).write(to: file)
            watch.look()
            #expect(watched.taken.isEmpty)
            watch.look()
            #expect(watched.taken == [["/a", "/b", "/c"]])
            try Data(text("/a").utf8).write(to: file)
            watch.look(isAsked: true)
            #expect(watched.taken.last == ["/a"])
        }
    }

    @Test("no request is lost while the line is replaced a thousand times")
    func replaced() async throws {
        try await ProxyBench.withUpstream { router in
            router.get("/x") { _, _ in "well" }
        } _: { port in
            let configuration = GatewayConfiguration(
                routes: [try ProxyBench.route("/x")], upstreams: [:], plans: [:], address: .init(perSecond: 1, burst: 1)
            )
            let client = HTTPClient(logger: PostgresCluster.quietLogger)
            let upstream = Upstream(
                .mlPrediction, baseURLs: ["http://127.0.0.1:\(port)"],
                health: .init(failuresToOpen: 100, openFor: .seconds(1)))
            let make: @Sendable () -> GatewayLine = { ProxyBench.line(configuration, client, upstream) }
            let live = LiveLine(make())
            let (application, relay) = ProxyBench.application(live)
            defer { relay.close() }
            try await application.testable().test(.live) { gateway in
                let url = "http://127.0.0.1:\(gateway.port ?? 0)/x"
                let load = Load()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 1...4 {
                        group.addTask {
                            var count = 0
                            while !load.isOver.withLock({ $0 }) || count < 20 {
                                let (answer, _) = try await client.execute(
                                    HTTPClientRequest(url: url), collectingUpTo: 100)
                                #expect(answer.status == 200)
                                count += 1
                            }
                        }
                    }
                    for _ in 1...1000 {
                        live.replace(with: make())
                        await Task.yield()
                    }
                    load.isOver.withLock { $0 = true }
                    try await group.waitForAll()
                }
            }
            await client.shutdown()
        }
    }

    @Test("a service that the configuration no longer names is watched no longer, and one that it names again anew")
    func removedService() async throws {
        try await RunningGateway.with { gateway async throws in
            let whole = gateway.parts.configuration
            let part = GatewayConfiguration(
                routes: whole.routes, upstreams: whole.upstreams.filter { $0.key != .mlTraining }, plans: whole.plans,
                address: whole.address)
            let builder = LineBuilder(gateway.parts)
            func watched(_ configuration: GatewayConfiguration) throws -> Set<ServiceName> {
                _ = try builder.line(configuration)
                return Set(builder.upstreams.map(\.service))
            }
            #expect(try watched(whole) == [.tenantAdmin, .mlTraining])
            #expect(try watched(part) == [.tenantAdmin])
            #expect(try watched(whole) == [.tenantAdmin, .mlTraining])
        }
    }

    @Test(
        "numbers that a node could not reckon with are refused",
        arguments: [
            "burst: 99999999999999999999", "burst: 1e300", "burst: .inf", "burst: .nan", "burst: 0.5", "burst: -1",
        ])
    func numbers(burst: String) throws {
        var mistakes = Mistakes()
        let yaml = Self.head.replacing("burst: 1 }", with: "\(burst) }")
        #expect(yaml != Self.head)
        #expect(GatewayConfiguration.read(yaml, &mistakes) == nil)
        #expect(mistakes.all.contains { $0.reason.contains("burst") }, "\(mistakes.all)")
    }

    @Test("every mistake of a list is reported, and no origin is taken that no browser sends")
    func lists() throws {
        let origins = [
            "https://a.example/", "ftp://a.example", "https://a.example:443", "http://a.example:80",
            "https://*.example",
            "https://ä.example", "https://A.example", "https://", "a.example",
        ]
        var mistakes = Mistakes()
        let head =
            "crossOrigin: { origins: [\(origins.map { "\"\($0)\"" }.joined(separator: ", ")), \"https://a.example:8443\"], "
            + "maximumAge: 1d }\nrequestHeaders: [Authorization, \"X Foo\", X-Fine]\n"
        #expect(GatewayConfiguration.read(head + Self.head, &mistakes) == nil)
        for wrong in origins + ["maximumAge", "Authorization", "X Foo"] {
            #expect(mistakes.all.contains { $0.reason.contains("\"\(wrong)\"") }, "\(wrong) in \(mistakes.all)")
        }
        #expect(!mistakes.all.contains { $0.reason.contains("8443") || $0.reason.contains("X-Fine") })
    }

    @Test("every mistake in limits, upstreams, classes and routes is reported, each where it stands")
    func everyMistake() throws {
        let yaml = """
            limits:
              plans:
                starter: { perSecond: 0, burst: 0 }
                professional: { perSecond: 1, brust: 2 }
                premium: { perSecond: 1, burst: 2 }
              users: { starter: 5 }
              classes:
                "a:b": { starter: { perSecond: 1, burst: 2 } }
                reports: { starter: { perSecond: 1 } }
              address: { perSecond: 1, burst: x }
              inFlight: { node: 0, tenant: 0, user: 1, adress: 1 }
              streams: { tenant: -1, user: many, address: 1 }
              uploads: { bytesPerSecond: 0, grace: soon }
            upstreams:
              nobody: { failuresToOpen: 3, openFor: 500ms }
              ml-training: { failuresToOpen: 0, openFor: 0s, slowStart: x, drainFor: y, drain: 1s }
            routes:
              - { path: /a, upstream: ml-training, scope: tenant, class: reports, methods: { GET: "ml:read" } }
              - { path: /b, upstream: ml-prediction, scope: tenant, class: printing, methods: { GET: "ml:read" } }
              - { path: /c, upstream: gateway, scope: public, methods: { GET: none } }
            """
        var mistakes = Mistakes()
        #expect(GatewayConfiguration.read(yaml, answering: GatewayApplication.declared, &mistakes) == nil)
        let expected: [(line: Int, reasons: [String])] = [
            (3, ["\"perSecond\"", "\"burst\""]), (4, ["\"burst\" is missing", "unknown key \"brust\""]),
            (5, ["unknown key \"premium\""]), (6, ["starter must be a mapping", "\"professional\"", "\"enterprise\""]),
            (8, ["without colons"]), (9, ["\"burst\" is missing", "\"professional\"", "\"enterprise\""]),
            (10, ["\"burst\""]), (11, ["\"node\"", "\"tenant\"", "\"address\" is missing", "\"adress\""]),
            (12, ["\"tenant\"", "\"user\""]), (13, ["\"bytesPerSecond\"", "\"grace\""]), (15, ["\"nobody\""]),
            (16, ["\"failuresToOpen\"", "\"openFor\"", "\"slowStart\"", "\"drainFor\"", "unknown key \"drain\""]),
            (19, ["\"ml-prediction\" is not listed", "\"printing\" is not one of the classes"]),
            (20, ["GET /c is in the gateway's table and not answered"]),
        ]
        for (line, reasons) in expected {
            for reason in reasons {
                #expect(
                    mistakes.all.contains { $0.line == line && $0.reason.contains(reason) },
                    "line \(line): \(reason), in \(mistakes.sorted)")
            }
        }
        // The class and the upstream of /a are there, whatever else is wrong with them, and nothing is known to be missing.
        #expect(!mistakes.all.contains { $0.line == 18 || $0.reason.contains("is missing in the gateway's table") })
        #expect(mistakes.all.contains { $0.column > 20 })
    }

    @Test("a check of the file reports every mistake with its line and column")
    func mistakes() async throws {
        let wrong =
            Self.head.replacing("burst: 1 }", with: "burst: 0 }") + """
                  - { path: /a, upstream: nobody, scope: all, methods: { GET: none } }
                  - { path: /b, upstream: ml-prediction, scope: public, methods: { FETCH: none }, timeOut: 1s }
                """
        try await withFile(wrong) { file in
            let (output, code) = CheckConfig.run(file: file.path)
            #expect(code == 2)
            for mistake in [
                "line 6, column", "\"burst\"", "line 10, column", "\"upstream\" must be", "\"scope\" must be",
                "line 11, column",
                "\"FETCH\"", "unknown key \"timeOut\"",
            ] {
                #expect(output.contains(mistake), "\(mistake) in \(output)")
            }
        }
    }
}

/// Clients that ask until they are told to stop.
private final class Load: Sendable {
    let isOver = Mutex(false)
}

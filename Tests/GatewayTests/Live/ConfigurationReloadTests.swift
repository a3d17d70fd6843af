import Contracts
import Foundation
import HTTPClient
import Hummingbird
import HummingbirdTesting
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

    @Test("a changed file is taken over, one that cannot be used is not, and one as before is not looked at")
    func watch() async throws {
        try await withFile(text("/a")) { file in
            let taken = Mutex<[[String]]>([])
            let watch = ConfigurationWatch(path: file.path, logger: PostgresCluster.quietLogger) { configuration in
                taken.withLock { $0.append(configuration.routes.map(\.template)) }
            }
            watch.look()
            try Data(text("/a", "/b").utf8).write(to: file)
            watch.look()
            watch.look()
            try Data("routes: nonsense".utf8).write(to: file)
            watch.look()
            try FileManager.default.removeItem(at: file)
            watch.look()
            try Data(text("/c").utf8).write(to: file)
            watch.look()
            #expect(taken.withLock { $0 } == [["/a", "/b"], ["/c"]])
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

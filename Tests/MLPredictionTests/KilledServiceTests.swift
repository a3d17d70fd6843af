import Contracts
import Foundation
import HTTPClient
import Postgres
import ServiceIdentity
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// The real executable, killed in the middle of answering.
@Suite struct KilledServiceTests {
    /// A hundred with `ERM_TEST_KILLS=100`, as `Tests/Live/campaigns.py nodes --full` kills nodes behind the gateway.
    private static let kills = ProcessInfo.processInfo.environment["ERM_TEST_KILLS"].flatMap { Int($0) } ?? 20
    private static let clients = 12

    /// What clients were told, by the planned hours that each question alone has.
    private final class Told: Sendable {
        struct Notes: Sendable {
            var acknowledged: [Double: String] = [:]
            /// Keyed questions without an answer yet.
            var open: Set<Double> = []
            var asked = 0
        }

        private let notes = Mutex(Notes())

        var acknowledged: [Double: String] { notes.withLock { $0.acknowledged } }
        var open: Set<Double> { notes.withLock { $0.open } }

        /// The planned hours of a new question.
        func ask(keyed: Bool) -> Double {
            notes.withLock { notes in
                notes.asked += 1
                let planned = 1 + Double(notes.asked) / 64
                if keyed { notes.open.insert(planned) }
                return planned
            }
        }

        func acknowledge(_ planned: Double, _ id: String) {
            notes.withLock { notes in
                notes.acknowledged[planned] = id
                notes.open.remove(planned)
            }
        }
    }

    @Test("however often it is killed under load, every acknowledged prediction is in the log exactly once")
    func exactlyOnce() async throws {
        try await PredictionDatabase.with { fixture in
            let pairs = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, ServiceKeyPair()) })
            let keys = JSONWebKeySet(keys: pairs.map { $1.publicJWK(issuer: $0) })
            let upstream = FakeUpstream(keys: keys)
            let tenant = TenantID()
            upstream.state.withLock { $0.lines[tenant] = TrainedModel.history.lines }
            let signer = AssertionSigner(issuer: .gateway, keyPair: try #require(pairs[.gateway]))
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-killed-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let (key, jwks) = (folder.appendingPathComponent("key"), folder.appendingPathComponent("jwks.json"))
            try #require(pairs[.mlPrediction]).pem.write(to: key, atomically: true, encoding: .utf8)
            try Data(try WireJSON.encode(keys)).write(to: jwks)
            let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
            let told = Told()
            try await upstream.serve { url in
                let (port, operations) = (try FreePort.take(), try FreePort.take())
                @Sendable func ask(_ planned: Double, keyed: Bool) async throws -> String? {
                    let caller = Caller(
                        issuer: .gateway, tenant: tenant, subject: "user",
                        permissions: [Permission(resource: "ml", actions: ["predict"])])
                    var headers: [(name: String, value: String)] = [
                        ("Authorization", "Bearer \(try signer.assertion(for: .mlPrediction, caller: caller))"),
                        ("Content-Type", "application/json"),
                    ]
                    if keyed { headers.append(("Idempotency-Key", "k\(planned)")) }
                    let history = TrainedModel.history
                    let body = """
                        {"employeeId": "\(history.employees[0].id)", "projectId": "\(history.projects[0].id)",
                        "plannedHours": \(planned)}
                        """
                    let response = try await http.execute(
                        HTTPClientRequest(
                            method: "POST", url: "http://127.0.0.1:\(port)/api/v1/predictions", headers: headers,
                            body: .bytes(Array(body.utf8)), deadline: .seconds(240)))
                    let bytes = try await response.collect(upTo: 1 << 20)
                    guard response.status == 200 else { return nil }
                    return try WireJSON.decode(JSONValue.self, from: bytes)["data"]?["predictionId"]?.stringValue
                }
                @Sendable func start() async throws -> ChildProcess {
                    let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
                        .deletingLastPathComponent().appendingPathComponent("ml-prediction").path
                    let process = try ChildProcess(
                        executable,
                        environment: [
                            "HTTP_HOST": "127.0.0.1", "HTTP_PORT": "\(port)", "OPS_HOST": "127.0.0.1",
                            "OPS_PORT": "\(operations)", "DATABASE_URL": fixture.url, "TENANT_ADMIN_URL": url,
                            "ML_TRAINING_URL": url, "IDENTITY_KEY_FILE": key.path, "IDENTITY_JWKS_FILE": jwks.path,
                            "MIGRATIONS_DIRECTORY": ServiceDatabases.repository.appendingPathComponent("migrations")
                                .path,
                            // However busy the machine is, the history that is asked for comes.
                            "MIRROR_PATIENCE": "10m", "MIRROR_LIMIT": "10m",
                        ], output: folder.appendingPathComponent("log"))
                    for _ in 0..<6_000 {
                        let ready = HTTPClientRequest(
                            method: "GET", url: "http://127.0.0.1:\(operations)/readyz", deadline: .seconds(5))
                        if (try? await http.execute(ready))?.status == 200 { return process }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    await process.end(SIGKILL)
                    throw CocoaError(.fileReadUnknown)
                }
                for kill in 0..<Self.kills {
                    let process = try await start()
                    // What was left without an answer is asked again under its key.
                    for planned in told.open {
                        told.acknowledge(planned, try #require(try await ask(planned, keyed: true)))
                    }
                    await withTaskGroup(of: Void.self) { group in
                        for client in 0..<Self.clients {
                            group.addTask {
                                while true {
                                    let keyed = client % 2 == 0
                                    let planned = told.ask(keyed: keyed)
                                    guard let id = try? await ask(planned, keyed: keyed) else { return }
                                    told.acknowledge(planned, id)
                                }
                            }
                        }
                        group.addTask {
                            try? await Task.sleep(for: .milliseconds(60 + kill * 37 % 150))
                            await process.end(SIGKILL)
                        }
                    }
                }
                let process = try await start()
                for planned in told.open {
                    told.acknowledge(planned, try #require(try await ask(planned, keyed: true)))
                }
                await process.end(SIGTERM)
            }
            await http.shutdown()

            let stored = try await fixture.database.withTenantRows(tenant) { connection in
                try await connection.query("SELECT planned_hours, id::text AS id FROM predictions").map {
                    (try $0.decode("planned_hours", as: Double.self), try $0.decode("id", as: String.self))
                }
            }
            let byQuestion = Dictionary(grouping: stored) { $0.0 }
            let acknowledged = told.acknowledged
            for (planned, id) in acknowledged { #expect(byQuestion[planned]?.map(\.1) == [id]) }
            for (planned, rows) in byQuestion { #expect(rows.count == 1, "\(planned)") }
            // If nothing had been acknowledged, and nothing cut off, the test would have shown nothing.
            #expect(acknowledged.count > Self.kills)
        }
    }
}

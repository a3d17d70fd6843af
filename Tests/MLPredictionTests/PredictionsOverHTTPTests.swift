import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// The whole service: its router, a real database, and what it asks over live sockets.
@Suite struct PredictionsOverHTTPTests {
    private struct Service {
        let client: any TestClientProtocol
        let upstream: FakeUpstream
        let gateway: AssertionSigner
        let tenant: TenantID

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, tenant: TenantID? = nil,
            permissions: [Permission] = [Permission(resource: "ml", actions: ["predict", "read", "feedback"])],
            headers: HTTPFields = [:]
        ) async throws -> (status: HTTPResponse.Status, body: JSONValue, headers: HTTPFields) {
            let caller = Caller(
                issuer: .gateway, tenant: tenant ?? self.tenant, subject: "user", permissions: permissions)
            var headers = headers
            headers[.authorization] = "Bearer \(try gateway.assertion(for: .mlPrediction, caller: caller))"
            headers[.contentType] = "application/json"
            return try await client.execute(
                uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
            ) { response in
                let bytes = Array(response.body.readableBytesView)
                return (response.status, bytes.isEmpty ? .null : try WireJSON.decode(from: bytes), response.headers)
            }
        }
    }

    private func withService(deployed: Bool = true, _ body: @Sendable (Service) async throws -> Void) async throws {
        try await PredictionDatabase.with { fixture in
            let pairs = Dictionary(uniqueKeysWithValues: ServiceName.allCases.map { ($0, ServiceKeyPair()) })
            let keys = JSONWebKeySet(keys: pairs.map { $1.publicJWK(issuer: $0) })
            let upstream = FakeUpstream(keys: keys)
            let tenant = TenantID()
            let bytes = try await TrainedModel.artifact.value
            upstream.state.withLock {
                $0.lines[tenant] = TrainedModel.history.lines
                let model = DeployedModel(
                    modelId: ModelID(), version: 3, kind: "test", artifactSha256: DeployedModels.digest(of: bytes),
                    deployedAt: Date())
                if deployed { $0.deployments[tenant] = model }
                $0.artifacts[model.modelId] = bytes
            }
            try await upstream.serve { url in
                let http = HTTPClient(configuration: HTTPClientConfiguration(), logger: PostgresCluster.quietLogger)
                let bootstrap = try ServiceBootstrap(
                    name: .mlPrediction,
                    settings: ServiceSettings(
                        keys: ConfigurationKey.common(for: .mlPrediction) + PredictionSettings.keys,
                        arguments: [
                            "--tenant-admin-url", url, "--ml-training-url", url, "--database-url", fixture.url,
                            "--identity-key-file", "unused", "--identity-jwks-file", "unused", "--migrations-directory",
                            ServiceDatabases.repository.appendingPathComponent("migrations").path,
                        ]),
                    logger: PostgresCluster.quietLogger, metrics: MetricsRegistry(),
                    identity: (
                        AssertionSigner(issuer: .mlPrediction, keyPair: pairs[.mlPrediction] ?? ServiceKeyPair()),
                        AssertionVerifier(audience: .mlPrediction, keys: keys)
                    ), httpClient: http)
                let application = try PredictionApplication(bootstrap)
                let gateway = AssertionSigner(issuer: .gateway, keyPair: pairs[.gateway] ?? ServiceKeyPair())
                let built = application.build()
                for check in built.readiness where check.name != "database" {
                    let reason = await check.check()
                    #expect(reason == nil, "\(check.name)")
                }
                try await built.testable().test(.router) { client in
                    try await body(Service(client: client, upstream: upstream, gateway: gateway, tenant: tenant))
                }
                await application.database.pool.close()
                await http.shutdown()
            }
        }
    }

    private var employee: EmployeeID { TrainedModel.history.employees[1].id }
    private var project: ProjectID { TrainedModel.history.projects[0].id }
    private var question: String {
        #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 12, "requiredSkills": ["SQL"]}"#
    }

    @Test("a prediction is answered whole, and is in the log as it was answered")
    func predicts() async throws {
        try await withService { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            #expect(answer.status == .ok)
            let data = try #require(answer.body["data"])
            let hours = try #require(data["estimatedHours"]?.doubleValue)
            #expect(hours > 0 && hours < 100)
            let share = try #require(data["recommendedAllocation"]?.doubleValue)
            #expect((0...100).contains(share))
            #expect(data["model"]?["version"] == .integer(3))
            guard case .array(let others)? = data["alternativeOptions"] else {
                Issue.record("no alternatives")
                return
            }
            #expect(others.count == 5)
            let scores = others.compactMap { $0["score"]?.doubleValue }
            #expect(scores == scores.sorted(by: >))
            #expect(!others.contains { $0["employeeId"]?.stringValue == employee.description })

            let id = try #require(data["predictionId"]?.stringValue)
            let stored = try await service.send(.get, "/api/v1/predictions/\(id)")
            #expect(stored.body["data"]?["prediction"] == data)
            let list = try await service.send(.get, "/api/v1/predictions?employeeId=\(employee)&limit=1")
            #expect(list.status == .ok)
            // Another tenant learns nothing of it.
            let foreign = try await service.send(.get, "/api/v1/predictions/\(id)", tenant: TenantID())
            #expect(foreign.status == .notFound)
        }
    }

    @Test("without a deployed model the answer is 409 no_deployed_model")
    func noModel() async throws {
        try await withService(deployed: false) { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            #expect(answer.status == .conflict && answer.body["code"]?.stringValue == "no_deployed_model")
        }
    }

    @Test("a person or project that the tenant does not have is named, both at once")
    func unknownIds() async throws {
        try await withService { service in
            let body = #"{"employeeId": "\#(EmployeeID())", "projectId": "\#(ProjectID())"}"#
            let answer = try await service.send(.post, "/api/v1/predictions", body)
            #expect(answer.status == .unprocessableContent)
            #expect(
                answer.body["errors"]
                    == .array([
                        .object([
                            "field": .string("employeeId"), "message": .string("is not an employee of this tenant"),
                        ]),
                        .object(["field": .string("projectId"), "message": .string("is not a project of this tenant")]),
                    ]))
            let future = #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "asOf": "2999-01-01T00:00:00Z"}"#
            let batch = try await service.send(
                .post, "/api/v1/predictions/batch", #"{"requests": [\#(question), \#(future)]}"#)
            #expect(batch.status == .unprocessableContent)
            #expect("\(batch.body)".contains("requests[1].asOf"))
            let none = try await service.send(.get, "/api/v1/predictions")
            #expect(none.body["data"] == .array([]))
        }
    }

    @Test("a history feed that is cut short is not used")
    func cutFeed() async throws {
        try await withService { service in
            service.upstream.state.withLock { $0.cutsFeed = true }
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            #expect(answer.status == .serviceUnavailable)
        }
    }

    @Test("the same Idempotency-Key gives the same prediction, another question under it is refused")
    func idempotent() async throws {
        try await withService { service in
            let key: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k-1"]
            let first = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            let again = try await service.send(.post, "/api/v1/predictions", question, headers: key)
            #expect(first.status == .ok && first.body == again.body)
            let other = question.replacing("12", with: "13")
            let refused = try await service.send(.post, "/api/v1/predictions", other, headers: key)
            #expect(refused.status == .unprocessableContent)
            #expect(refused.body["code"]?.stringValue == "idempotency_key_reused")
        }
    }

    @Test("asked as of a moment, later history changes nothing")
    func asOf() async throws {
        try await withService { service in
            let moment = WireJSON.timestamp(SyntheticHistory.start.addingTimeInterval(15 * 86_400))
            let body = question.dropLast() + #", "asOf": "\#(moment)"}"#
            let first = try await service.send(.post, "/api/v1/predictions", String(body))
            let (other, early) = (TenantID(), SyntheticHistory.start.addingTimeInterval(15 * 86_400))
            service.upstream.state.withLock { state in
                state.deployments[other] = state.deployments[service.tenant]
                state.lines[other] = TrainedModel.history.lines.filter {
                    if case .allocation(let allocation) = $0 { allocation.createdAt < early } else { true }
                }
            }
            let then = try await service.send(.post, "/api/v1/predictions", String(body), tenant: other)
            let fields = [
                "estimatedHours", "successProbability", "confidence", "recommendedAllocation", "alternativeOptions",
            ]
            for field in fields { #expect(first.body["data"]?[field] == then.body["data"]?[field], "\(field)") }
        }
    }

    @Test("outcome and feedback are kept, a stale If-Match is refused, and the day's metrics follow")
    func outcome() async throws {
        try await withService { service in
            let answer = try await service.send(.post, "/api/v1/predictions", question)
            let id = try #require(answer.body["data"]?["predictionId"]?.stringValue)
            let hours = try #require(answer.body["data"]?["estimatedHours"]?.doubleValue)
            let read = try await service.send(.get, "/api/v1/predictions/\(id)")
            let tag = try #require(read.headers[.eTag])
            let actual = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": \#(hours)}"#, headers: [.ifMatch: tag])
            #expect(actual.status == .ok)
            let stale = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 1}"#, headers: [.ifMatch: tag])
            #expect(stale.status == .preconditionFailed)
            let feedback = try await service.send(.post, "/api/v1/predictions/\(id)/feedback", #"{"score": 4}"#)
            #expect(feedback.body["data"]?["feedbackScore"] == .integer(4))
            let bad = try await service.send(.post, "/api/v1/predictions/\(id)/feedback", #"{"score": 6, "mood": 1}"#)
            #expect(bad.status == .unprocessableContent)

            let metrics = try await service.send(.get, "/api/v1/metrics")
            guard case .array(let days)? = metrics.body["data"], let day = days.first else {
                Issue.record("no metrics: \(metrics.body)")
                return
            }
            #expect(day["predictionsCount"] == .integer(1) && day["avgAccuracy"]?.doubleValue == 100)
        }
    }

    @Test("permissions are checked again here, and nobody but the gateway is heard")
    func permissions() async throws {
        try await withService { service in
            let reader = [Permission(resource: "ml", actions: ["read"])]
            let refused = try await service.send(.post, "/api/v1/predictions", question, permissions: reader)
            #expect(refused.status == .forbidden)
            let bare = try await service.client.execute(uri: "/api/v1/predictions", method: .get) { $0.status }
            #expect(bare == .unauthorized)
        }
    }
}

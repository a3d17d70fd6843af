import Contracts
import HTTPTypes
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining

@Suite("Routes")
struct RouteTests {
    @Test("ml-training and the gateway's table agree on methods, paths and who is let in")
    func gatewayTable() async throws {
        try await TrainingService.withUnconnected { application in
            #expect(application.declared.count > 15)
            let disagreements = try GatewayTable.disagreements(of: .mlTraining, application.declared)
            #expect(disagreements == [])
            let unnoticed = try GatewayTable.unnoticedFaults(of: .mlTraining, application.declared)
            #expect(unnoticed == [])
            #expect(APIDescriptionFaults.of(application.declared) == [])
        }
    }

    @Test("before the migrations every route answers 503 with Retry-After where it needs a table")
    func unmigrated() async throws {
        try await TrainingService.with(migrated: false) { service in
            var notReady: [String] = []
            func ask(_ title: String, _ answer: TrainingService.Answered) {
                #expect(answer.status.code < 500 || answer.status == .serviceUnavailable, "\(title): \(answer.status)")
                if answer.status == .serviceUnavailable, answer.headers[.retryAfter] == "1" { notReady.append(title) }
            }
            // Archives are streams, which are cut off.
            for route in service.declared where route.method == .get && !route.path.contains("/archives/") {
                var path = route.path.replacing("{tenantId}", with: service.tenant.description)
                path.replace(/\{[^}]*\}/, with: "00000000-0000-4000-8000-000000000001")
                let issuer = route.access.issuers.first ?? .gateway
                ask(route.title, try await service.send(.get, path, from: issuer))
            }
            let report = #"{"nodeId": "00000000-0000-4000-8000-000000000001", "name": "a:1", "models": []}"#
            ask("nodes", try await service.send(.post, "/internal/v1/prediction-nodes", report, from: .mlPrediction))

            #expect(notReady.contains("nodes"))
            #expect(notReady.count > 12, "\(notReady)")
        }
    }

    @Test("docs/operations.md states settings that ml-training has, and their defaults")
    func settings() throws {
        let keys = ConfigurationKey.common(for: .mlTraining) + TrainingSettings.keys
        #expect(try SettingsTable.disagreements(of: .mlTraining, keys) == [])
    }
}

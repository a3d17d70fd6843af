import Contracts
import ServiceKit
import TestSupport
import Testing

@testable import MLPrediction

@Suite("Routes")
struct RouteTests {
    @Test("ml-prediction and the gateway's table agree on methods, paths and who is let in")
    func gatewayTable() async throws {
        try await PredictionsOverHTTP.withUnconnected { application in
            #expect(application.declared.count > 6)
            let disagreements = try GatewayTable.disagreements(of: .mlPrediction, application.declared)
            #expect(disagreements == [])
            let unnoticed = try GatewayTable.unnoticedFaults(of: .mlPrediction, application.declared)
            #expect(unnoticed == [])
            #expect(APIDescriptionFaults.of(application.declared) == [])
        }
    }

    @Test("docs/operations.md states settings that ml-prediction has, and their defaults")
    func settings() throws {
        let keys = ConfigurationKey.common(for: .mlPrediction) + PredictionSettings.keys
        #expect(try SettingsTable.disagreements(of: .mlPrediction, keys) == [])
    }
}

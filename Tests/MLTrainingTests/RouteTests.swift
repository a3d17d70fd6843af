import Contracts
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

    @Test("docs/operations.md states settings that ml-training has, and their defaults")
    func settings() throws {
        let keys = ConfigurationKey.common(for: .mlTraining) + TrainingSettings.keys
        #expect(try SettingsTable.disagreements(of: .mlTraining, keys) == [])
    }
}

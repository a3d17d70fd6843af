import Contracts
import Forecasting
import Foundation
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLPrediction

@Suite struct RowIsolationTests {
    private func prediction() -> NewPrediction {
        let request = PredictionRequest(employeeId: EmployeeID(), projectId: ProjectID(), plannedHours: 8)
        return NewPrediction(
            request: request,
            prediction: Prediction(
                predictionId: PredictionID(), recommendedAllocation: 20, allocationNote: nil, estimatedHours: 8,
                successProbability: 0.5, confidence: 60, interval: nil, intervals: [], explanation: [],
                model: PredictionModel(id: ModelID(), version: 1, kind: "test"), alternativeOptions: [], asOf: Date()),
            createdAt: Date())
    }

    @Test("every table has forced row-level security; other tenants' rows are invisible, and without a tenant all are")
    func invisible() async throws {
        try await PredictionDatabase.with { fixture in
            let (mine, other) = (TenantID(), TenantID())
            let key = IdempotencyKey(subject: "u", key: "k", requestSHA256: [1])
            _ = try await fixture.log.append([prediction()], key: key, requestedBy: "u", tenant: mine)
            try await FeatureNames(database: fixture.database).keep(FeatureSet(FeatureSchema(withPlan: true)), of: mine)
            let today = CivilDate(Date())
            #expect(
                try await fixture.metrics.daily(from: today.adding(days: -1), to: today, model: nil, tenant: mine).count
                    == 1)
            // Which only nodes of the former release write.
            try await fixture.database.withTenantRows(mine) {
                _ = try await $0.execute(
                    "INSERT INTO model_metrics SELECT \(mine), \(ModelID()), current_date, 0, NULL, NULL, 0, 0, 0, 0")
            }
            try await fixture.database.withTenantRows(mine) { connection in
                _ = try await connection.execute(
                    "INSERT INTO shadow_answers SELECT tenant_id, id, model_id, '{}' FROM predictions")
                _ = try await connection.execute(
                    """
                    INSERT INTO alarm_notices (id, tenant_id, model_id, kind, month, alarm)
                    VALUES (\(UUID()), \(mine), \(ModelID()), 'range', '2026-06', '{}')
                    """)
                _ = try await connection.execute("INSERT INTO audit_outbox (tenant_id, note) VALUES (\(mine), '{}')")
            }
            let tables = try await fixture.database.withConnection { connection in
                try await connection.query(
                    """
                    SELECT relname::text AS name, relrowsecurity AND relforcerowsecurity AS guarded FROM pg_class
                    WHERE relnamespace = 'ml_prediction'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'
                    """
                ).map { (try $0.decode("name", as: String.self), try $0.decode("guarded", as: Bool.self)) }
            }
            #expect(tables.count == 9)
            for (table, guarded) in tables {
                let count: SQL = "SELECT count(*) FROM ml_prediction.\(identifier: table)"
                func seen(by tenant: TenantID) async throws -> Int {
                    try await fixture.database.withTenantRows(tenant) {
                        try await $0.query(count)[0].decode(at: 0, as: Int.self)
                    }
                }
                let (owned, foreign) = (try await seen(by: mine), try await seen(by: other))
                let nobody = try await fixture.database.withConnection {
                    try await $0.query(count)[0].decode(at: 0, as: Int.self)
                }
                #expect(guarded && owned == 1 && foreign == 0 && nobody == 0, "\(table)")
            }
            await #expect(throws: PostgresError.self) {
                try await fixture.database.withTenantRows(other) {
                    try await $0.execute(
                        "INSERT INTO daily_model_metrics SELECT \(mine), \(ModelID()), current_date, 0, NULL, NULL, 0, 0, 0, 0, 0"
                    )
                }
            }
        }
    }

    @Test("of a batch all predictions are stored or none")
    func allOrNone() async throws {
        try await PredictionDatabase.with { fixture in
            let (tenant, twice) = (TenantID(), prediction())
            await #expect(throws: PostgresError.self) {
                _ = try await fixture.log.append(
                    [prediction(), twice, twice], key: nil, requestedBy: "u", tenant: tenant)
            }
            let stored = try await fixture.log.records(PredictionFilter(), tenant: tenant, after: nil, limit: 9)
            #expect(stored.isEmpty)
        }
    }
}

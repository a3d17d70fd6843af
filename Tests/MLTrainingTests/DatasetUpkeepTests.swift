import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// What is done about each tenant's datasets once a day.
@Suite struct DatasetUpkeepTests {
    private let tenant = TenantID()

    private func entries(
        of dataset: Dataset, _ fixture: TrainingDatabase, after: DatasetRowPosition? = nil
    ) async throws -> [DatasetScan.Entry] {
        let stored = try #require(try await fixture.datasets.dataset(dataset.id, tenant: tenant))
        var scan = DatasetScan(store: fixture.datasets, dataset: stored, tenant: tenant, after: after)
        var found: [DatasetScan.Entry] = []
        while let entry = try await scan.entry() { found.append(entry) }
        return found
    }

    private func age(_ table: String, _ column: String, days: Int, _ fixture: TrainingDatabase) async throws {
        try await fixture.asSuperuser { connection in
            _ = try await connection.execute("SET session_replication_role = replica")
            _ = try await connection.execute(
                """
                UPDATE ml_training.\(identifier: table)
                SET \(identifier: column) = \(identifier: column) - \(days) * interval '1 day'
                """)
        }
    }

    @Test("chunks of the former release are cut anew and shared; pages that were begun before go on as they would have")
    func cutting() async throws {
        try await TrainingDatabase.with { fixture in
            var history = GrowingHistory(days: 300)
            let old = try history.dataset()
            try await fixture.keep(old, of: tenant)
            try await fixture.keepAsFormerly(old, of: tenant)
            history.addDay()
            let new = try history.dataset()
            try await fixture.keep(new, of: tenant)
            let formerly = try await entries(of: old, fixture)
            #expect(try await fixture.count("former_dataset_chunks", of: tenant) == 5)
            #expect(try await fixture.upkeep().due() == [tenant])

            try await fixture.upkeep().lookAfter(tenant)

            #expect(try await fixture.count("former_dataset_chunks", of: tenant) == 0)
            #expect(try await fixture.upkeep().due() == [])
            let (shared, alone) = (try await fixture.chunks(of: tenant), try new.content.allChunks().count)
            #expect(shared.count < alone + 8 && shared.uses > 2 * alone - 8, "\(shared), \(alone)")
            let now = try await entries(of: old, fixture)
            #expect(now.map(\.position) == formerly.map(\.position) && now.map(\.point) == formerly.map(\.point))
            let rest = try await entries(of: old, fixture, after: formerly[2_500].position)
            #expect(rest.map(\.position) == formerly[2_501...].map(\.position))
            #expect(try await fixture.datasets.history(old.id, tenant: tenant).allocationCount == 3_600)

            // A node of the former release writes once more.
            history.addDay()
            let late = try history.dataset()
            try await fixture.keep(late, of: tenant)
            try await fixture.keepAsFormerly(late, of: tenant)
            #expect(try await fixture.upkeep().due() == [tenant])
        }
    }

    @Test("a damaged dataset stays as it is, and does not keep the others from being cut")
    func damaged() async throws {
        try await TrainingDatabase.with { fixture in
            let (damaged, whole) = (try GrowingHistory(days: 30).dataset(), try GrowingHistory(days: 30).dataset())
            for dataset in [damaged, whole] {
                try await fixture.keep(dataset, of: tenant)
                try await fixture.keepAsFormerly(dataset, of: tenant)
            }
            try await fixture.asSuperuser { connection in
                _ = try await connection.execute("SET session_replication_role = replica")
                _ = try await connection.execute(
                    """
                    UPDATE ml_training.former_dataset_chunks
                    SET content = convert_to(replace(convert_from(content, 'UTF8'), 'Swift', 'Shift'), 'UTF8')
                    WHERE dataset_id = \(damaged.id)
                    """)
            }
            try await fixture.upkeep().lookAfter(tenant)
            #expect(try await fixture.count("former_dataset_chunks", of: tenant) == 1)
            #expect(try await fixture.datasets.history(whole.id, tenant: tenant).allocationCount == 360)
            await #expect(throws: DatasetDamaged.self) {
                try await fixture.datasets.history(damaged.id, tenant: tenant)
            }
        }
    }

    @Test(
        "rows go after the days that are set, but for those of the deployed model and of open jobs; shared chunks stay")
    func retention() async throws {
        try await TrainingDatabase.with { fixture in
            var history = GrowingHistory(days: 100)
            var kept: [Dataset] = []
            for _ in 0..<3 {
                kept.append(try history.dataset())
                try await fixture.keep(kept[kept.count - 1], of: tenant)
                history.addDay()
            }
            let models = try await fixture.registry.models(tenant: tenant, status: nil, after: nil, limit: 9)
            let deployed = try #require(models.first { $0.version == 2 })
            _ = try await fixture.registry.deploy(deployed.id, tenant: tenant, force: false, by: "ada")
            try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            let open = try history.dataset()
            try await fixture.datasets.store(open, for: ticket)
            try await age("training_datasets", "created_at", days: 40, fixture)
            let before = try await fixture.chunks(of: tenant)

            try await fixture.upkeep(contentDays: 41).lookAfter(tenant)
            #expect(try await fixture.chunks(of: tenant) == before)
            try await fixture.upkeep(contentDays: 0).lookAfter(tenant)
            #expect(try await fixture.chunks(of: tenant) == before)
            try await fixture.upkeep(contentDays: 39).lookAfter(tenant)

            let after = try await fixture.chunks(of: tenant)
            #expect(after.count < before.count && after.uses < before.uses)
            for dataset in [kept[1], open] {
                _ = try await fixture.datasets.history(dataset.id, tenant: tenant)
            }
            for dataset in [kept[0], kept[2]] {
                let gone = await #expect(throws: ProblemError.self) { try await entries(of: dataset, fixture) }
                #expect(gone?.status == .notFound)
                #expect(try await fixture.datasets.dataset(dataset.id, tenant: tenant) != nil)
            }
        }
    }

    @Test("of the outcomes that schedules look up only the latest dataset's stay")
    func outcomes() async throws {
        try await TrainingDatabase.with { fixture in
            var history = GrowingHistory(days: 40)
            for _ in 0..<3 {
                try await fixture.keep(try history.dataset(), of: tenant)
                history.addDay()
            }
            #expect(try await fixture.count("training_dataset_outcomes", of: tenant) == 3)
            try await fixture.upkeep().lookAfter(tenant)
            let left = try await fixture.database.withTenantRows(tenant) { connection in
                try await connection.query(
                    """
                    SELECT o.dataset_id = (SELECT id FROM training_datasets ORDER BY as_of DESC LIMIT 1) AS is_latest
                    FROM training_dataset_outcomes o
                    """
                ).map { try $0.decode("is_latest", as: Bool.self) }
            }
            #expect(left == [true])
        }
    }

    @Test("chunks without a dataset go, though not while another transaction may find them")
    func unused() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.keep(try GrowingHistory(days: 5).dataset(), of: tenant)
            try await fixture.database.withTenantRows(tenant) { connection in
                _ = try await connection.execute("DELETE FROM dataset_chunk_uses")
            }
            try await fixture.database.withTenantRows(tenant) { connection in
                try await DatasetChunks.keepFound(of: tenant, connection)
                try await fixture.upkeep().lookAfter(tenant)
                #expect(try await fixture.chunks(of: tenant).count > 0)
                #expect(try await fixture.upkeep().due() == [tenant])
            }
            try await fixture.upkeep().lookAfter(tenant)
            #expect(try await fixture.chunks(of: tenant).count == 0)
            #expect(try await fixture.upkeep().due() == [])
        }
    }

    @Test("what has come of a restore that was never finished goes after the days that are set")
    func unfinishedRestores() async throws {
        try await TrainingDatabase.with { fixture in
            let dataset = try GrowingHistory(days: 60).dataset()
            try await fixture.keep(dataset, of: tenant)
            try await fixture.database.withTenantRows(tenant) { connection in
                for statement: SQL in [
                    "DELETE FROM dataset_chunk_uses WHERE first_line > 0",
                    "INSERT INTO restored_contents VALUES (\(tenant), \(dataset.content.contentSHA256))",
                    "INSERT INTO restored_pieces VALUES (\(tenant), 'model_artifacts', 'x', 0, 0, 'x')",
                    "INSERT INTO restored_models VALUES (\(tenant), \(ModelID()), '{}')",
                ] {
                    _ = try await connection.execute(statement)
                }
            }
            let tables = ["restored_pieces", "restored_models", "restored_contents", "dataset_chunk_uses"]
            for table in tables.dropLast() { try await age(table, "received_at", days: 6, fixture) }
            try await fixture.upkeep().lookAfter(tenant)
            for table in tables { #expect(try await fixture.count(table, of: tenant) == 1, "\(table)") }
            for table in tables.dropLast() { try await age(table, "received_at", days: 2, fixture) }
            try await fixture.upkeep().lookAfter(tenant)
            for table in tables { #expect(try await fixture.count(table, of: tenant) == 0, "\(table)") }
        }
    }

    @Test("whose turn it is shows tenants' ids and nothing else of theirs")
    func door() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.keep(try GrowingHistory(days: 5).dataset(), of: tenant)
            try await fixture.database.withTransaction { connection in
                try await connection.setLocal(settings: ["erm.queue": "upkeep"])
                #expect(try await connection.query("SELECT * FROM dataset_upkeep").count == 1)
                for table in RowIsolationTests.tables where table != "dataset_upkeep" {
                    #expect(try await connection.query("SELECT FROM \(identifier: table)").isEmpty, "\(table)")
                }
                #expect(try await connection.execute("UPDATE dataset_upkeep SET done_at = now()") == 0)
            }
        }
    }
}

import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// Datasets of one history, stored as chunks that they share.
@Suite struct SharedDatasetTests {
    private let tenant = TenantID()

    @Test("a dataset of an unchanged history adds nothing, one with ten new bookings little, one with an edit a chunk")
    func growth() async throws {
        try await TrainingDatabase.with { fixture in
            var history = GrowingHistory(days: 800)
            let first = try history.dataset()
            try await fixture.keep(first, of: tenant)
            let whole = try await fixture.chunks(of: tenant)
            #expect(first.content.lineCount > 25_000 && whole.count > 50)

            try await fixture.keep(try history.dataset(), of: tenant)
            let unchanged = try await fixture.chunks(of: tenant)
            #expect(unchanged.bytes == whole.bytes && unchanged.uses == 2 * whole.count)

            for hour in 0..<10 { history.book(at: Double(history.days) * 86_400 - Double(hour)) }
            let grown = try history.dataset(asOf: history.asOf)
            try await fixture.keep(grown, of: tenant)
            let more = try await fixture.chunks(of: tenant)
            #expect(more.bytes - whole.bytes < whole.bytes / 20, "\(more) after \(whole)")

            history.edit(4_000)
            let edited = try history.dataset()
            try await fixture.keep(edited, of: tenant)
            #expect(try await fixture.chunks(of: tenant).count <= more.count + 2)

            for dataset in [first, grown, edited] {
                let read = try await fixture.datasets.history(dataset.id, tenant: tenant)
                #expect(read.allocationCount == (try dataset.content.history()).allocationCount)
            }
        }
    }

    @Test("each day's dataset of a growing company adds what is new that day, not the company again")
    func daily() async throws {
        try await TrainingDatabase.with { fixture in
            var history = GrowingHistory(days: 800)
            try await fixture.keep(try history.dataset(), of: tenant)
            let first = try await fixture.chunks(of: tenant)
            for _ in 0..<9 {
                history.addDay()
                try await fixture.keep(try history.dataset(), of: tenant)
            }
            let tenth = try await fixture.chunks(of: tenant)
            #expect(tenth.bytes < first.bytes * 3 / 2, "\(tenth) after \(first)")
            #expect(tenth.uses > 9 * first.uses)
        }
    }

    @Test("two tenants with the same history have a copy each, and the purge of one leaves the other's")
    func tenants() async throws {
        try await TrainingDatabase.with { fixture in
            let (history, other) = (GrowingHistory(days: 60), TenantID())
            let (mine, others) = (try history.dataset(), try history.dataset())
            try await fixture.keep(mine, of: tenant)
            try await fixture.keep(others, of: other)
            let chunks = try await fixture.chunks(of: tenant)
            #expect(try await fixture.chunks(of: other) == chunks)
            _ = try await fixture.database.withTenantRows(tenant) { connection in
                try await connection.setLocal(settings: ["erm.queue": "claim"])
                return try await TenantRows.remove(tenant, from: "ml_training", on: connection)
            }
            #expect(try await fixture.chunks(of: tenant).count == 0)
            #expect(try await fixture.count("dataset_upkeep", of: tenant) == 0)
            #expect(try await fixture.chunks(of: other) == chunks)
            #expect(try await fixture.datasets.history(others.id, tenant: other).allocationCount == 720)
        }
    }

    @Test("nodes of the former release read the new datasets by their own statements, chunk by chunk")
    func formerRelease() async throws {
        try await TrainingDatabase.with { fixture in
            let dataset = try GrowingHistory(days: 200).dataset()
            try await fixture.keep(dataset, of: tenant)
            var (digest, ordinal, skipped) = (SHA256(), -1, 0)
            try await fixture.database.withTenantRows(tenant) { connection in
                while let row = try await connection.query(
                    """
                    SELECT ordinal, convert_from(content, 'UTF8') AS content FROM training_dataset_chunks
                    WHERE dataset_id = \(dataset.id) AND ordinal > \(ordinal)
                        AND (ordinal >= \(0) OR substring(content FROM 1 FOR 13) <> '{"allocation"'::bytea)
                    ORDER BY ordinal LIMIT 1
                    """
                ).first {
                    ordinal = try row.decode("ordinal")
                    digest.update(data: Array(try row.decode("content", as: String.self).utf8))
                }
                skipped = try await connection.query(
                    """
                    SELECT ordinal FROM training_dataset_chunks WHERE dataset_id = \(dataset.id)
                        AND (ordinal >= \(ordinal) OR substring(content FROM 1 FOR 13) <> '{"allocation"'::bytea)
                    """
                ).count
            }
            #expect(digest.finalize().hex == dataset.content.contentSHA256)
            let all = try await fixture.chunks(of: tenant).count
            #expect(skipped > 1 && skipped < all)
        }
    }

    @Test("a chunk cannot be changed, nor be stored under another digest than its own")
    func immutable() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.keep(try GrowingHistory(days: 5).dataset(), of: tenant)
            for statement: SQL in [
                "UPDATE dataset_chunks SET content = 'planted'", "UPDATE dataset_chunk_uses SET line_count = 1",
                "INSERT INTO dataset_chunks (tenant_id, sha256, content) VALUES (\(tenant), sha256('a'), 'b')",
                "DELETE FROM dataset_chunks",
            ] {
                await #expect(throws: PostgresError.self) {
                    try await fixture.database.withTenantRows(tenant) { try await $0.execute(statement) }
                }
            }
        }
    }
}

import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// What becomes of deleted people in datasets.
@Suite struct DatasetErasureTests {
    private let tenant = TenantID()
    private let history = GrowingHistory(days: 60)

    private var person: EmployeeID {
        get throws { try #require(EmployeeID(history.people[3])) }
    }

    /// - Returns: whether nothing is left of the person.
    private func erase(
        _ fixture: TrainingDatabase, of tenant: TenantID? = nil, isDeleted: Bool = true
    ) async throws -> Bool {
        let erasure = Erasure(tenantId: tenant ?? self.tenant, employeeId: try person, isDeleted: isDeleted)
        return try await DatasetErasure(database: fixture.database).erase([erasure]) == [erasure]
    }

    /// How many chunks of any tenant say the person's id.
    private func chunks(_ fixture: TrainingDatabase) async throws -> Int {
        let id = try person.description
        return try await fixture.asSuperuser { connection in
            try await connection.query(
                """
                SELECT (SELECT count(*) FROM ml_training.dataset_chunks WHERE position(convert_to(\(id), 'UTF8') IN content) > 0)
                    + (SELECT count(*) FROM ml_training.former_dataset_chunks
                        WHERE position(convert_to(\(id), 'UTF8') IN content) > 0)
                """)[0].decode(at: 0)
        }
    }

    @Test("a deleted person's lines go from every dataset; digest, counts and report are of what is left")
    func deleted() async throws {
        try await TrainingDatabase.with { fixture in
            var growing = history
            let (former, foreign) = (try growing.dataset(), try growing.dataset())
            try await fixture.keep(former, of: tenant)
            try await fixture.keepAsFormerly(former, of: tenant)
            let stranger = TenantID()
            try await fixture.keep(foreign, of: stranger)
            growing.addDay()
            let newest = try growing.dataset()
            try await fixture.keep(newest, of: tenant)
            func stored(_ dataset: Dataset, of tenant: TenantID) async throws -> TrainingDataset {
                try #require(try await fixture.datasets.dataset(dataset.id, tenant: tenant))
            }
            func report(_ dataset: Dataset) async throws -> DatasetReport {
                try await DatasetReports(store: fixture.datasets).report(
                    of: try await stored(dataset, of: tenant), tenant: tenant)
            }
            #expect(try await report(newest).people.distinct == 20)

            // Of a person who stays a dataset holds what bookings hold: no name.
            #expect(try await erase(fixture, isDeleted: false))
            #expect(try await stored(newest, of: tenant).contentSha256 == newest.content.contentSHA256)

            #expect(try await erase(fixture))

            for dataset in [former, newest] {
                let (row, left) = (try await stored(dataset, of: tenant), try await report(dataset))
                let all = try dataset.content.history().allocations
                let own = all.filter { $0.employee == history.people[3] }
                #expect(row.forgottenPeople == 1 && row.contentSha256 != dataset.content.contentSHA256)
                #expect(row.rowCount == dataset.content.rowCount - own.count { $0.completedAt != nil })
                // Whole, or its digest would not be that of its lines.
                let read = try await fixture.datasets.history(dataset.id, tenant: tenant)
                #expect(own.count > 30 && read.allocationCount == all.count - own.count)
                #expect(read.allocations.allSatisfy { $0.employee != history.people[3] })
                #expect(left.rows == row.rowCount && left.people.distinct == 19)
            }
            // What is left is shared as ever, and nothing else is left.
            let shared = try await fixture.chunks(of: tenant)
            #expect(shared.uses > shared.count)
            #expect(try await fixture.count("former_dataset_chunks", of: tenant) == 0)
            #expect(try await stored(foreign, of: stranger).contentSha256 == foreign.content.contentSHA256)
            let foreignChunks = try await chunks(fixture)
            #expect(foreignChunks > 0)
            // Done again it changes nothing.
            let digest = try await stored(newest, of: tenant).contentSha256
            #expect(try await erase(fixture))
            #expect(try await stored(newest, of: tenant).contentSha256 == digest)
            #expect(try await erase(fixture, of: stranger))
            #expect(try await chunks(fixture) == 0)
        }
    }

    @Test("people who are deleted together are taken out of a dataset together, and who is only nameless stays in it")
    func together() async throws {
        try await TrainingDatabase.with { fixture in
            let dataset = try history.dataset()
            try await fixture.keep(dataset, of: tenant)
            try await fixture.asSuperuser { connection in
                try await connection.executeScript(
                    """
                    CREATE TABLE public.rewrites (dataset uuid);
                    CREATE FUNCTION public.note_rewrite() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
                        'BEGIN INSERT INTO public.rewrites VALUES (NEW.id); RETURN NULL; END';
                    CREATE TRIGGER note_rewrite AFTER UPDATE ON ml_training.training_datasets
                        FOR EACH ROW EXECUTE FUNCTION public.note_rewrite();
                    """)
            }
            let people = try history.people.prefix(4).map { try #require(EmployeeID($0)) }
            let erasures = people.enumerated().map { number, person in
                Erasure(tenantId: tenant, employeeId: person, isDeleted: number < 3)
            }

            let done = try await DatasetErasure(database: fixture.database).erase(erasures)

            let rewrites: Int = try await fixture.asSuperuser { connection in
                try await connection.query("SELECT count(*) FROM public.rewrites")[0].decode(at: 0)
            }
            let read = try await fixture.datasets.history(dataset.id, tenant: tenant)
            let gone = Set(history.people.prefix(3))
            #expect(done == erasures && rewrites == 1)
            #expect(try await fixture.datasets.dataset(dataset.id, tenant: tenant)?.forgottenPeople == 3)
            #expect(read.allocations.allSatisfy { !gone.contains($0.employee) })
            #expect(read.allocations.contains { $0.employee == history.people[3] })
        }
    }

    @Test("while a job collects or reads a dataset, or one is being stored, the erasure is repeated")
    func repeated() async throws {
        try await TrainingDatabase.with { fixture in
            let old = try history.dataset()
            try await fixture.keep(old, of: tenant)
            try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            // It collects, perhaps from a feed that it began to read before.
            #expect(try await !erase(fixture))
            #expect(try await chunks(fixture) == 0)
            let late = try history.dataset()
            try await fixture.datasets.store(late, for: ticket)
            #expect(try await !erase(fixture))
            let read = try await fixture.datasets.history(late.id, tenant: tenant)
            #expect(read.allocations.contains { $0.employee == history.people[3] })

            try await fixture.registry.register(
                TrainingDatabase.newModel(dataset: late.id, passedGates: true), for: ticket)
            try await fixture.database.withTenantRows(tenant) { connection in
                try await DatasetChunks.keepFound(of: tenant, connection)
                #expect(try await !erase(fixture))
            }
            #expect(try await erase(fixture))
            #expect(try await chunks(fixture) == 0)
        }
    }

    @Test("another person's booking stays, though a label of it names the id; a damaged dataset loses its content")
    func others() async throws {
        try await TrainingDatabase.with { fixture in
            let id = try person.description
            var source = DatasetSource(months: 240, asOf: history.asOf)
            let other = Forecasting.Allocation(
                id: AllocationID().description, employee: EmployeeID().description, project: ProjectID().description,
                labels: ["employee": id], plannedHours: 8, actualHours: 8, decidedAt: GrowingHistory.start,
                completedAt: GrowingHistory.start + 3_600)
            try source.add(.allocation(other))
            let dataset = try Dataset(name: "test", source: source)
            try await fixture.keep(dataset, of: tenant)
            let damaged = try history.dataset()
            try await fixture.keep(damaged, of: tenant)
            try await fixture.asSuperuser { connection in
                _ = try await connection.execute("SET session_replication_role = replica")
                _ = try await connection.execute(
                    "DELETE FROM ml_training.dataset_chunk_uses WHERE dataset_id = \(damaged.id) AND first_line > 500")
            }

            #expect(try await erase(fixture))

            let stored = try await fixture.datasets.dataset(dataset.id, tenant: tenant)
            #expect(stored?.contentSha256 == dataset.content.contentSHA256 && stored?.forgottenPeople == nil)
            #expect(try await fixture.datasets.history(dataset.id, tenant: tenant).allocationCount == 1)
            let rest = try await fixture.datasets.chunks(
                of: damaged.id, tenant: tenant, from: 0, skippingAllocationsBefore: 0)
            #expect(rest.isEmpty)
        }
    }
}

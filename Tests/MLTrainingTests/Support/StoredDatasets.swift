import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceStorage
import TestSupport

@testable import MLTraining

/// A company's history as it grows day by day: a booking every two hours, finished after five days, and how busy each of its people
/// was on each day.
struct GrowingHistory {
    static let start = 1_736_121_600.0
    let people = (0..<20).map(Self.id)
    private let project = Self.id(99)
    private var allocations: [Forecasting.Allocation] = []

    /// - Parameter days: how long it has been going on.
    init(days: Int) {
        for _ in 0..<days { addDay() }
    }

    var days: Int { allocations.count / 12 }
    var asOf: Date { Date(timeIntervalSince1970: Self.start + Double(days) * 86_400) }

    mutating func addDay() {
        let day = days
        for hour in 0..<12 { book(at: Double(day) * 86_400 + Double(hour) * 7_200) }
    }

    mutating func book(at seconds: Double) {
        let (number, decided) = (allocations.count, Self.start + seconds)
        allocations.append(
            Forecasting.Allocation(
                id: Self.id(100 + number), employee: people[number % 20], project: project, skills: ["Swift"],
                labels: ["priority": "high"], plannedHours: Double(2 + number % 30), allocationPercent: 50,
                actualHours: Double(2 + number % 30) * 1.25, start: decided, decidedAt: decided,
                completedAt: decided + 5 * 86_400))
    }

    /// The same in each run, and with it where chunks end.
    private static func id(_ number: Int) -> String {
        let digits = String(number)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    mutating func edit(_ number: Int) { allocations[number].plannedHours += 1 }

    func dataset(asOf moment: Date? = nil) throws -> Dataset {
        var source = DatasetSource(months: 240, asOf: moment ?? asOf)
        for person in people { try source.add(.employee(EmployeeFacts(id: person))) }
        try source.add(.project(ProjectFacts(id: project)))
        for day in 0..<days {
            for person in people {
                try source.add(
                    .capacity(
                        CapacityDay(employee: person, day: Self.start + Double(day) * 86_400, utilisation: 80)))
            }
        }
        for allocation in allocations { try source.add(.allocation(allocation)) }
        return try Dataset(name: "test", source: source)
    }
}

extension TrainingDatabase {
    /// Stores a dataset for a job of its own, which succeeds.
    @discardableResult
    func keep(_ dataset: Dataset, of tenant: TenantID) async throws -> DatasetID {
        try await enqueue(tenant)
        guard let ticket = try await queue.claim(worker: "test", lease: lease) else { throw NothingToClaim() }
        try await datasets.store(dataset, for: ticket)
        try await registry.register(Self.newModel(dataset: dataset.id, passedGates: true), for: ticket)
        return dataset.id
    }

    /// Puts a dataset's lines where the former release had them: in chunks of 2,000, by the statement of that release.
    func keepAsFormerly(_ dataset: Dataset, of tenant: TenantID) async throws {
        let lines = try dataset.content.allChunks().flatMap(\.content).split(separator: UInt8(ascii: "\n"))
        try await database.withTenantRows(tenant) { connection in
            try await connection.execute("DELETE FROM dataset_chunk_uses WHERE dataset_id = \(dataset.id)")
            for (ordinal, start) in stride(from: 0, to: lines.count, by: 2_000).enumerated() {
                let part = lines[start..<min(start + 2_000, lines.count)]
                let text = part.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
                try await connection.execute(
                    """
                    INSERT INTO training_dataset_chunks (tenant_id, dataset_id, ordinal, line_count, content)
                    VALUES (\(tenant), \(dataset.id), \(ordinal), \(part.count), convert_to(\(text), 'UTF8'))
                    """)
            }
        }
    }

    /// Bytes of the tenant's chunks as they are stored, and how many there are.
    func chunks(of tenant: TenantID) async throws -> (bytes: Int, count: Int, uses: Int) {
        try await database.withTenantRows(tenant) { connection in
            let row = try await connection.query(
                """
                SELECT coalesce(sum(pg_column_size(content)), 0)::bigint AS bytes, count(*) AS count,
                    (SELECT count(*) FROM dataset_chunk_uses) AS uses FROM dataset_chunks
                """)[0]
            return (try row.decode("bytes"), try row.decode("count"), try row.decode("uses"))
        }
    }

    func count(_ table: String, of tenant: TenantID) async throws -> Int {
        try await database.withTenantRows(tenant) {
            try await $0.query("SELECT count(*) FROM \(identifier: table)")[0].decode(at: 0)
        }
    }

    func upkeep(contentDays: Int = 0) -> DatasetUpkeep {
        DatasetUpkeep(
            database: database, contentDays: contentDays, restoreDays: 7, logger: PostgresCluster.quietLogger)
    }
}

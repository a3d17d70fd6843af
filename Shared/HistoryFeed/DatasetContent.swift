import Contracts
import Crypto
public import Forecasting
public import Foundation

/// What a dataset holds: canonical lines in chunks, and the digest over them. The same history gives the same digest, in
/// whatever order its lines came and however often.
///
/// A chunk is put together when it is asked for, so that a large dataset is not held twice.
public struct DatasetContent: Sendable {
    public struct Chunk: Sendable, Equatable {
        public let lineCount: Int
        /// NDJSON.
        public let content: [UInt8]
    }

    public let spanStart: Date
    public let asOf: Date
    /// Training points: completed allocations inside the span.
    public let rowCount: Int
    public let featureCount: Int
    public let lineCount: Int
    /// Lower-case hex SHA-256 of the chunks' bytes in order.
    public let contentSHA256: String
    /// Which allocations the training points are.
    public let outcomes: OutcomeFingerprints
    /// Whether outcomes of `asOf` or later were left out.
    public let leavesOutOutcomes: Bool

    private let facts: [DatasetLine]
    private let allocations: [LineArena.Place]
    private let arena: LineArena

    /// Lines per chunk: some 500 kB each, so that a chunk is a small unit of memory and of network.
    public static let linesPerChunk = 2_000

    /// CPU work that grows with the history: call it off the cooperative pool.
    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    public init(_ source: DatasetSource) throws {
        spanStart = source.spanStart
        asOf = source.asOf
        leavesOutOutcomes = source.leavesOutOutcomes
        arena = source.arena
        facts =
            source.employees.values.sorted { $0.id < $1.id }.map(DatasetLine.employee)
            + source.projects.values.sorted { $0.id < $1.id }.map(DatasetLine.project)
            + source.capacity.sorted { $0.key < $1.key }.flatMap { employee, days in
                days.sorted { $0.key < $1.key }
                    .map { .capacity(CapacityDay(employee: employee, day: $0.key, utilisation: $0.value)) }
            }
        // By decision, then by id.
        allocations = source.allocations.map { (decidedAt: $1.decidedAt, id: $0, place: $1.place) }
            .sorted { $0.decidedAt != $1.decidedAt ? $0.decidedAt < $1.decidedAt : $0.id < $1.id }
            .map(\.place)
        lineCount = facts.count + allocations.count
        outcomes = OutcomeFingerprints(ids: source.allocations.lazy.filter(\.value.isCompleted).map(\.key))
        rowCount = outcomes.count
        featureCount = FeatureSchema(withPlan: true, labelKeys: source.labelKeys).features.count
        var digest = SHA256()
        for index in 0..<Self.chunkCount(lines: lineCount) {
            digest.update(
                data: try Self.chunk(index, of: facts, allocations, in: arena).content)
        }
        contentSHA256 = Self.hex(digest)
    }

    /// Lower-case.
    static func hex(_ digest: SHA256) -> String {
        digest.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Gathers a history as it streams in, then puts it in order.
    /// - Throws: what the stream throws, and as ``init(_:)``.
    public static func collect(
        _ changes: some AsyncSequence<HistoryChange, any Error>, months: Int, asOf: Date
    ) async throws -> DatasetContent {
        var source = DatasetSource(months: months, asOf: asOf)
        for try await change in changes { try source.add(change) }
        return try DatasetContent(source)
    }

    public var chunkCount: Int { Self.chunkCount(lines: lineCount) }

    /// - Parameter index: below ``chunkCount``.
    public func chunk(_ index: Int) throws -> Chunk {
        try Self.chunk(index, of: facts, allocations, in: arena)
    }

    private static func chunkCount(lines: Int) -> Int { (lines + linesPerChunk - 1) / linesPerChunk }

    private static func chunk(
        _ index: Int, of facts: [DatasetLine], _ allocations: [LineArena.Place], in arena: LineArena
    ) throws -> Chunk {
        let lines = index * linesPerChunk..<min((index + 1) * linesPerChunk, facts.count + allocations.count)
        var content: [UInt8] = []
        content.reserveCapacity(lines.count * 320)
        for line in lines {
            if line < facts.count {
                try facts[line].write(to: &content)
            } else {
                arena.append(allocations[line - facts.count], to: &content)
            }
        }
        return Chunk(lineCount: lines.count, content: content)
    }
}

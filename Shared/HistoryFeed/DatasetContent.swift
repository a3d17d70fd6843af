import Basics
import Contracts
import Crypto
public import Forecasting
public import Foundation
import Synchronization

/// What a dataset holds: canonical lines in chunks, and the digest over them. The same history gives the same digest, in
/// whatever order its lines came and however often.
///
/// Chunks are put together while they are read, one at a time.
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
    /// The label keys that have features of their own, sorted.
    public let labelKeys: [String]
    public let lineCount: Int
    /// Lower-case hex SHA-256 of the chunks' bytes in order.
    public let contentSHA256: String
    /// Which allocations the training points are.
    public let outcomes: OutcomeFingerprints
    /// Whether outcomes of `asOf` or later were left out.
    public let leavesOutOutcomes: Bool

    private let runs: [SortedRun]

    /// CPU work that grows with the history: call it off the cooperative pool.
    /// - Throws: ``SpillError``.
    public init(_ source: DatasetSource) throws {
        spanStart = source.spanStart
        asOf = source.asOf
        leavesOutOutcomes = source.leavesOutOutcomes
        runs = try source.lines.runs()
        lineCount = runs.reduce(0) { $0 + $1.lineCount }
        outcomes = OutcomeFingerprints(runs.flatMap(\.completed))
        rowCount = outcomes.count
        labelKeys = source.labelKeys(of: runs.reduce(into: []) { $0.formUnion($1.labelSets) })
        featureCount = FeatureSchema(withPlan: true, labelKeys: labelKeys).features.count
        var digest = SHA256()
        let chunks = try Chunks(runs)
        while let chunk = try chunks.next() { digest.update(data: chunk.content) }
        contentSHA256 = digest.finalize().hex
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

    /// All chunks in their order.
    /// - Throws: ``SpillError``.
    public func chunks() throws -> Chunks { try Chunks(runs) }

    /// Reads a dataset's chunks one after the other. What does not fit into memory comes from disk: call it off the
    /// cooperative pool.
    public final class Chunks: Sendable {
        private let state: Mutex<(merger: RunMerger, cutter: ChunkCutter)>

        fileprivate init(_ runs: [SortedRun]) throws {
            state = Mutex((try RunMerger(runs), ChunkCutter()))
        }

        /// nil at the end.
        /// - Throws: ``SpillError``.
        public func next() throws -> Chunk? {
            try state.withLock { state in
                try state.cutter.next { try state.merger.appendLine(to: &$0) }
            }
        }
    }
}

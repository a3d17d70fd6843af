import Basics
import Dispatch
import Forecasting
import Foundation
import Synchronization

/// Puts a dataset's lines in order, however many they are, within bounded memory. Of what is said of one thing the last
/// counts.
///
/// Lines are spread over partitions by what they are said of. Whenever they take more memory than allowed, all partitions
/// are spilt to disk. At the end each partition, which holds everything that is said of its things, is sorted in memory
/// by itself; the runs so made are merged as they are read.
struct LineSorter: Sendable {
    /// So many that each partition of a hundred million lines is a small part of memory.
    private static let partitionBits = 8

    private let memoryBytes: Int
    private let directory: URL
    private var partitions = [Partition](repeating: Partition(), count: 1 << partitionBits)
    private var heldBytes = 0
    /// nil while memory has been enough.
    private var file: SpillFile?

    private struct Partition: Sendable {
        var spilled: [SpillFile.Extent] = []
        var held: [UInt8] = []

        var bytes: Int { spilled.reduce(held.count) { $0 + $1.count } }
    }

    /// - Parameter memoryBytes: how much is held before it is spilt into a file in the directory.
    init(memoryBytes: Int, directory: URL) {
        self.memoryBytes = memoryBytes
        self.directory = directory
    }

    var hasSpilled: Bool { file != nil }

    /// - Parameter line: nil when there is no such thing (any more).
    /// - Throws: `EncodingError` for a number that JSON cannot hold, ``SpillError``.
    mutating func put(_ key: LineKey, _ line: DatasetLine?, note: LineNote = LineNote()) throws {
        let fingerprint = key.fingerprint
        let partition = Int((fingerprint &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - Self.partitionBits))
        let before = partitions[partition].held.count
        try LineRecord.write(key, line, fingerprint: fingerprint, note: note, to: &partitions[partition].held)
        heldBytes += partitions[partition].held.count - before
        if heldBytes > memoryBytes { try spill() }
    }

    private mutating func spill() throws {
        let file = try self.file ?? SpillFile(in: directory)
        self.file = file
        for index in partitions.indices where !partitions[index].held.isEmpty {
            partitions[index].spilled.append(try file.append(partitions[index].held))
            partitions[index].held.removeAll(keepingCapacity: true)
        }
        heldBytes = 0
    }

    /// What was put in, each partition in order by itself. On all cores: call it off the cooperative pool.
    /// - Throws: ``SpillError``.
    func runs() throws -> [SortedRun] {
        let target = hasSpilled ? try SpillFile(in: directory) : nil
        let done = Mutex<(runs: [SortedRun], failure: (any Error)?)>(([], nil))
        DispatchQueue.concurrentPerform(iterations: partitions.count) { index in
            do {
                guard let run = try run(of: partitions[index], target: target) else { return }
                done.withLock { $0.runs.append(run) }
            } catch {
                done.withLock { $0.failure = error }
            }
        }
        return try done.withLock { done in
            if let failure = done.failure { throw failure }
            return done.runs
        }
    }

    private func run(of partition: Partition, target: SpillFile?) throws -> SortedRun? {
        var records: [UInt8] = []
        records.reserveCapacity(partition.bytes)
        if let file { for extent in partition.spilled { try file.read(extent, to: &records) } }
        records += partition.held
        return records.isEmpty ? nil : try SortedRun(of: records, target: target)
    }
}

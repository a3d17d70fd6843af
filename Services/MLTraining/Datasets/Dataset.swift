import Contracts
import Crypto
import Forecasting
import Foundation

/// What a job learns from, as it is stored: canonical lines in chunks, and the digest over them.
struct Dataset: Sendable {
    struct Chunk: Sendable, Equatable {
        let lineCount: Int
        /// NDJSON.
        let content: [UInt8]
    }

    let id: DatasetID
    let name: String
    let spanStart: Date
    let asOf: Date
    /// Training points: completed allocations inside the span.
    let rowCount: Int
    let featureCount: Int
    let lineCount: Int
    let chunks: [Chunk]
    /// Lower-case hex SHA-256 of the chunks' bytes in order.
    let contentSHA256: String
    /// Its completed allocations.
    let outcomes: OutcomeFingerprints
    /// Where the history feed goes on after what is in here; nil when some of it was left out.
    let watermark: String?

    /// Lines per chunk: some 300 kB each, so that a chunk is a small unit of memory and of network.
    static let linesPerChunk = 2_000

    /// CPU work that grows with the history: call it off the cooperative pool.
    /// - Parameter watermark: of the feed that filled the source; nil when there was none.
    init(id: DatasetID = DatasetID(), name: String, source: DatasetSource, watermark: String? = nil) throws {
        let lines = source.lines
        var chunks: [Chunk] = []
        var digest = SHA256()
        for start in stride(from: 0, to: lines.count, by: Self.linesPerChunk) {
            let part = lines[start..<min(start + Self.linesPerChunk, lines.count)]
            var content: [UInt8] = []
            for line in part {
                content += try WireJSON.encode(line)
                content.append(UInt8(ascii: "\n"))
            }
            digest.update(data: content)
            chunks.append(Chunk(lineCount: part.count, content: content))
        }
        self.id = id
        self.name = name
        self.spanStart = Date(timeIntervalSince1970: source.spanStart)
        self.asOf = Date(timeIntervalSince1970: source.asOf)
        self.chunks = chunks
        self.lineCount = lines.count
        self.contentSHA256 = digest.finalize().hex
        let completed = lines.compactMap { line in
            if case .allocation(let allocation) = line, allocation.completedAt != nil { allocation.id } else { nil }
        }
        self.rowCount = completed.count
        self.outcomes = OutcomeFingerprints(ids: completed)
        self.watermark = source.leavesOutOutcomes ? nil : watermark
        let labels = lines.reduce(into: Set<String>()) { keys, line in
            if case .allocation(let allocation) = line { keys.formUnion(allocation.labels.keys) }
        }
        self.featureCount = FeatureSchema(withPlan: true, labelKeys: labels.sorted()).features.count
    }
}

/// A stored dataset read back chunk by chunk into a history.
struct DatasetReader: Sendable {
    private var digest = SHA256()
    private var employees: [EmployeeFacts] = []
    private var projects: [ProjectFacts] = []
    private var capacity: [CapacityDay] = []
    private var allocations: [Forecasting.Allocation] = []

    init() {}

    mutating func read(_ chunk: [UInt8]) throws {
        digest.update(data: chunk)
        for line in chunk.split(separator: UInt8(ascii: "\n")) {
            switch try WireJSON.decode(DatasetLine.self, from: line) {
            case .employee(let facts): employees.append(facts)
            case .project(let facts): projects.append(facts)
            case .capacity(let day): capacity.append(day)
            case .allocation(let allocation): allocations.append(allocation)
            }
        }
    }

    /// - Throws: `DatasetDamaged` when the bytes are not those that were stored.
    func history(expecting contentSHA256: String) throws -> History {
        guard digest.finalize().hex == contentSHA256 else { throw DatasetDamaged() }
        return History(allocations: allocations, projects: projects, employees: employees, capacity: capacity)
    }
}

/// The stored rows do not have the digest they were stored under.
struct DatasetDamaged: Error {}

extension Sequence<UInt8> {
    /// Lower-case hex.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

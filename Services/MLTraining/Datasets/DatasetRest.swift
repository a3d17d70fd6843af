import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import HistoryFeed

/// What is left of a dataset without the lines about some people, chunk by chunk.
struct DatasetRest: Sendable {
    private let people: Set<String>
    private let spanStart: Double
    private var cutter = ChunkCutter()
    private var (before, after) = (SHA256(), SHA256())
    private var line = 0
    private(set) var removedLines = 0
    /// Training points among them.
    private(set) var removedPoints = 0
    /// Those of whom there were lines.
    private(set) var removedPeople: Set<String> = []

    /// - Parameter people: their ids.
    init(without people: Set<String>, spanStart: Date) {
        self.people = people
        self.spanStart = spanStart.timeIntervalSince1970
    }

    /// Lower-case hex SHA-256 of what was taken so far.
    var formerSHA256: String { before.finalize().hex }

    /// Of what is left of it.
    var sha256: String { after.finalize().hex }

    /// The chunks that end with the next of the dataset.
    /// - Parameter isOthers: whether no line is about one of the people.
    mutating func take(_ chunk: String, isOthers: Bool) -> [DatasetChunks.New] {
        let bytes = Array(chunk.utf8)
        before.update(data: bytes)
        return placed(cutter.take(isOthers ? bytes : remaining(bytes)))
    }

    mutating func end() -> [DatasetChunks.New] { placed(cutter.rest().map { [$0] } ?? []) }

    private mutating func placed(_ chunks: [DatasetContent.Chunk]) -> [DatasetChunks.New] {
        chunks.map { chunk in
            defer { line += chunk.lineCount }
            after.update(data: chunk.content)
            return DatasetChunks.New(chunk, firstLine: line)
        }
    }

    private mutating func remaining(_ bytes: [UInt8]) -> [UInt8] {
        var rest: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let parsed = try? DatasetLine(parsing: line)
            guard let person = parsed?.person, people.contains(person) else {
                rest += line
                rest.append(UInt8(ascii: "\n"))
                continue
            }
            removedLines += 1
            removedPeople.insert(person)
            if case .allocation(let booking)? = parsed, let completed = booking.completedAt, completed >= spanStart {
                removedPoints += 1
            }
        }
        return rest
    }
}

extension DatasetLine {
    /// Whom it is about; nil for a project.
    fileprivate var person: String? {
        switch self {
        case .employee(let facts): facts.id
        case .capacity(let day): day.employee
        case .allocation(let allocation): allocation.employee
        case .project: nil
        }
    }
}

import Basics
import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import Synchronization

/// Where uploads are kept until they have come whole: room on a disk, shared by the imports of this node.
final class SpoolSpace: Sendable {
    let directory: URL
    let limitBytes: Int
    /// What one spool holds in memory, and reads back at once.
    let chunkBytes: Int
    private let used = Mutex(0)

    init(directory: URL, limitBytes: Int, chunkBytes: Int = 1 << 20) {
        self.directory = directory
        self.limitBytes = limitBytes
        self.chunkBytes = chunkBytes
    }

    /// What all spools hold together.
    var usedBytes: Int { used.withLock { $0 } }

    /// - Throws: 413 where one spool alone needs more than there is, 503 where the others leave too little.
    fileprivate func take(_ bytes: Int, for spoolBytes: Int) throws {
        guard spoolBytes <= limitBytes else {
            throw ProblemError(
                status: .contentTooLarge, code: .payloadTooLarge,
                "The file needs more than the \(limitBytes) bytes in which this platform keeps uploads; send it in parts."
            )
        }
        try used.withLock { used in
            guard used + bytes <= limitBytes else {
                throw ProblemError.unavailable(
                    "Other uploads fill the room for uploads; try again in a moment.", retryAfter: .seconds(10))
            }
            used += bytes
        }
    }

    fileprivate func giveBack(_ bytes: Int) { used.withLock { $0 -= bytes } }
}

/// The good rows of one upload as lines of a COPY: up to ``SpoolSpace/chunkBytes`` in memory, the rest in a file without a name, which is
/// gone with its last user, however the process ends.
final class ImportSpool: Sendable {
    private struct State {
        var tail: [UInt8] = []
        var file: SpillFile?
        var extents: [SpillFile.Extent] = []
        var bytes = 0
    }

    private let space: SpoolSpace
    private let state = Mutex(State())

    init(in space: SpoolSpace) { self.space = space }

    deinit { space.giveBack(state.withLock { $0.bytes }) }

    /// For one writer at a time.
    /// - Throws: 413; 503 where there is no room.
    func append(_ lines: [UInt8]) async throws {
        guard !lines.isEmpty else { return }
        let chunk = try state.withLock { state -> [UInt8]? in
            try space.take(lines.count, for: state.bytes + lines.count)
            state.bytes += lines.count
            state.tail += lines
            guard state.tail.count >= space.chunkBytes else { return nil }
            defer { state.tail = [] }
            return state.tail
        }
        guard let chunk else { return }
        // A disk may keep its writer waiting.
        try await ComputeThread.run(named: "import spool") { [self] in
            do {
                let file = try state.withLock { $0.file } ?? SpillFile(in: space.directory)
                let extent = try file.append(chunk)
                state.withLock { state in
                    state.file = file
                    state.extents.append(extent)
                }
            } catch let error as SpillError {
                throw ProblemError.unavailable(
                    "The platform has no room for the upload at the moment; try again later.",
                    retryAfter: .seconds(30), cause: error)
            }
        }
    }

    /// All that was appended, in order.
    var chunks: Chunks { Chunks(spool: self) }

    struct Chunks: AsyncSequence {
        typealias Element = [UInt8]
        fileprivate let spool: ImportSpool

        func makeAsyncIterator() -> Iterator { Iterator(spool: spool) }
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let spool: ImportSpool
        private var next = 0

        fileprivate init(spool: ImportSpool) { self.spool = spool }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let (file, extents, tail) = spool.state.withLock { ($0.file, $0.extents, $0.tail) }
            defer { next += 1 }
            guard let file, next < extents.count else { return next == extents.count && !tail.isEmpty ? tail : nil }
            let extent = extents[next]
            return try await ComputeThread.run(named: "import spool") {
                var bytes: [UInt8] = []
                try file.read(extent, to: &bytes)
                return bytes
            }
        }

        mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }
    }
}

import Basics
import Contracts
import Foundation
import HTTPTypes
import NIOCore
import ServiceKit
import Synchronization

/// Where whole files are kept on their way in or out: room on a disk, shared by the tenants of this node. None of them takes more than
/// half, so that none keeps all others waiting.
final class SpoolSpace: Sendable {
    enum Contents: String, Sendable {
        case uploads, exports
    }

    let contents: Contents
    let directory: URL
    let limitBytes: Int
    /// What one spool holds in memory, and reads back at once.
    let chunkBytes: Int
    /// How long a spool may hold in memory what is taken while it is being filled; nil where it is taken afterwards.
    let longestHeld: Duration?
    private let used = Mutex<[TenantID: Int]>([:])

    init(
        for contents: Contents, in directory: URL, limitBytes: Int, chunkBytes: Int = 1 << 20,
        longestHeld: Duration? = nil
    ) {
        self.contents = contents
        self.directory = directory
        self.limitBytes = limitBytes
        self.chunkBytes = chunkBytes
        self.longestHeld = longestHeld
    }

    /// What all spools hold together.
    var usedBytes: Int { used.withLock { $0.values.reduce(0, +) } }

    /// What one tenant may take.
    var shareBytes: Int { limitBytes / 2 }

    /// - Throws: 413 for a spool that alone needs more than a tenant may take; 429 where the tenant's other spools leave too little,
    ///   503 where those of other tenants do.
    fileprivate func take(_ bytes: Int, for tenant: TenantID, ofSpool spoolBytes: Int) throws {
        guard spoolBytes <= shareBytes else { throw tooLarge }
        try used.withLock { used in
            try require(bytes, for: tenant, in: used)
            used[tenant, default: 0] += bytes
        }
    }

    /// - Throws: 429 or 503 where a spool could not even begin.
    func requireRoom(for tenant: TenantID) throws {
        try used.withLock { try require(1, for: tenant, in: $0) }
    }

    private func require(_ bytes: Int, for tenant: TenantID, in used: [TenantID: Int]) throws {
        guard used[tenant, default: 0] + bytes <= shareBytes else {
            throw ProblemError.rateLimited(
                "Your organisation's other \(contents) fill its half of the room for \(contents); try again when one has ended.",
                retryAfter: .seconds(10))
        }
        guard used.values.reduce(0, +) + bytes <= limitBytes else {
            throw ProblemError.unavailable(
                "Other \(contents) fill the room for \(contents); try again in a moment.", retryAfter: .seconds(10))
        }
    }

    fileprivate func giveBack(_ bytes: Int, of tenant: TenantID) {
        guard bytes > 0 else { return }
        used.withLock { used in
            let left = used[tenant, default: 0] - bytes
            used[tenant] = left > 0 ? left : nil
        }
    }

    private var tooLarge: ProblemError {
        let advice =
            switch contents {
            case .uploads: "send the file in parts"
            case .exports: "name fewer files"
            }
        return ProblemError(
            status: .contentTooLarge, code: .payloadTooLarge,
            "That needs more than the \(shareBytes) bytes in which this platform keeps one tenant's \(contents); \(advice)."
        )
    }
}

/// The bytes of one file: up to ``SpoolSpace/chunkBytes`` in memory, the rest in a file without a name, which is gone with its last user,
/// however the process ends.
final class Spool: Sendable {
    private struct State {
        var tail: [UInt8] = []
        /// Since when nothing was put into the file.
        var tailBegan = ContinuousClock.now
        var file: SpillFile?
        var extents: [SpillFile.Extent] = []
        var bytes = 0
    }

    private let space: SpoolSpace
    private let tenant: TenantID
    private let state = Mutex(State())

    init(in space: SpoolSpace, of tenant: TenantID) {
        self.space = space
        self.tenant = tenant
    }

    deinit { discard() }

    /// Gives all room back.
    func discard() {
        let bytes = state.withLock { state in
            defer { state = State() }
            return state.bytes
        }
        space.giveBack(bytes, of: tenant)
    }

    /// For one writer at a time.
    /// - Throws: 413; 429 or 503 where there is no room.
    func append(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let chunk = try state.withLock { state -> [UInt8]? in
            try space.take(bytes.count, for: tenant, ofSpool: state.bytes + bytes.count)
            state.bytes += bytes.count
            state.tail += bytes
            let isOld = space.longestHeld.map { .now - state.tailBegan >= $0 } ?? false
            guard isOld || state.tail.count >= space.chunkBytes else { return nil }
            defer { (state.tail, state.tailBegan) = ([], .now) }
            return state.tail
        }
        guard let chunk else { return }
        // A disk may keep its writer waiting.
        try await ComputeThread.run(named: "spool") { [self] in
            do {
                let file = try state.withLock { $0.file } ?? SpillFile(in: space.directory)
                let extent = try file.append(chunk)
                state.withLock { state in
                    state.file = file
                    state.extents.append(extent)
                }
            } catch let error as SpillError {
                throw ProblemError.unavailable(
                    "The platform has no room for \(space.contents) at the moment; try again later.",
                    retryAfter: .seconds(30), cause: error)
            }
        }
    }

    /// All that was appended, in order.
    var chunks: Chunks { Chunks(spool: self) }

    struct Chunks: AsyncSequence {
        typealias Element = [UInt8]
        fileprivate let spool: Spool

        func makeAsyncIterator() -> Iterator { Iterator(spool: spool) }
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let spool: Spool
        private var next = 0

        fileprivate init(spool: Spool) { self.spool = spool }

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let (file, extents, tail) = spool.state.withLock { ($0.file, $0.extents, $0.tail) }
            defer { next += 1 }
            guard let file, next < extents.count else { return next == extents.count && !tail.isEmpty ? tail : nil }
            let extent = extents[next]
            return try await ComputeThread.run(named: "spool") {
                var bytes: [UInt8] = []
                try file.read(extent, to: &bytes)
                return bytes
            }
        }

        mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }

        /// Whether what comes next is no longer being appended to.
        fileprivate var isNextWhole: Bool { spool.state.withLock { next < $0.extents.count } }
    }
}

extension Spool {
    /// Hands over all that is appended, piece by piece at the pace at which `write` takes them, while it is being filled: who takes is kept
    /// waiting by the filling, but never the other way round. Gives the room back.
    /// - Parameter fill: hands what is to be appended to the closure it is given.
    /// - Returns: what `fill` gives.
    func pour<Result: Sendable>(
        isolation: isolated (any Actor)? = #isolation,
        whileFilledBy fill:
            @escaping @Sendable (_ append: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> Result,
        into write: (ByteBuffer) async throws -> Void
    ) async throws -> Result {
        let (growth, grows) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        return try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask {
                defer { grows.finish() }
                return try await fill { bytes in
                    try await self.append(bytes)
                    grows.yield()
                }
            }
            var chunks = chunks.makeAsyncIterator()
            for await _ in growth {
                while chunks.isNextWhole, let chunk = try await chunks.next(isolation: isolation) {
                    try await ByteBuffer(bytes: chunk).writeInPieces(to: write)
                }
            }
            guard let result = try await group.next() else { throw CancellationError() }
            while let chunk = try await chunks.next(isolation: isolation) {
                try await ByteBuffer(bytes: chunk).writeInPieces(to: write)
            }
            discard()
            return result
        }
    }
}

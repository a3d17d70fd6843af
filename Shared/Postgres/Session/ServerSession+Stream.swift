import Synchronization

/// A result that is being read row by row; while it is open its connection can do nothing else.
final class ActiveStream: Sendable {
    private let abandoned = Atomic<Bool>(false)
    enum Kind { case rows, copyOut, copyIn }

    let kind: Kind
    let startedInTransaction: Bool

    init(_ kind: Kind, startedInTransaction: Bool) {
        self.kind = kind
        self.startedInTransaction = startedInTransaction
    }

    var isAbandoned: Bool { abandoned.load(ordering: .acquiring) }

    /// Ends reading. The remaining rows are discarded before the connection's next use.
    func abandon() { abandoned.store(true, ordering: .releasing) }
}

extension ServerSession {
    /// Sends the statement; its rows are then read by `nextRows`.
    func openStream(_ statement: RenderedSQL) async throws -> ActiveStream {
        let traits = knownTraits.of(statement.text)
        let stream = ActiveStream(.rows, startedInTransaction: libpq.transactionStatus != .idle)
        do {
            try await send(statement, traits)
            note(traits)
            guard libpq.useSingleRowMode() else { throw refused() }
        } catch let error as PostgresError {
            throw error.running(statement.text)
        }
        activeStream = stream
        return stream
    }

    /// The rows that are there now, at least one; empty at the end. Rows not yet asked for wait in the socket, so a slow
    /// reader slows the server instead of filling memory.
    func nextRows(of stream: ActiveStream, atMost limit: Int) async throws -> [LibpqResult] {
        guard activeStream === stream else { return [] }
        var rows: [LibpqResult] = []
        while rows.isEmpty || (rows.count < limit && !libpq.isBusy) {
            guard let result = try await nextResult() else {
                activeStream = nil
                namespaces.transactionEnded(ifIdle: libpq.transactionStatus == .idle)
                return rows
            }
            switch result.status {
            case .singleTuple: rows.append(result)
            case .tuples, .command, .empty: continue
            case .failed:
                let failure = error(from: result)
                try await discardRest()
                throw failure
            default:
                throw lost("COPY in a row stream")
            }
        }
        return rows
    }

    private func discardRest() async throws {
        defer { activeStream = nil }
        while !isLost, try await nextResult() != nil {}
    }

    /// Ends a stream that was given up half-way.
    /// - Parameter keepingTransaction: cancelling would fail the transaction around it, so then the rest is read.
    func finishStream(keepingTransaction: Bool) async throws {
        guard let stream = activeStream else { return }
        let isCancelled = !(keepingTransaction && stream.startedInTransaction)
        if isCancelled {
            let number = cancelSwitch.begin()
            cancelSwitch.cancel(number)
        }
        do {
            if stream.kind == .copyOut { while try await nextCopyChunk(of: stream) != nil {} }
            if stream.kind == .copyIn { try await submit(libpq.endCopy(failure: "given up")) }
            try await discardRest()
        } catch let error as PostgresError where error.code == .timedOut {
            activeStream = nil
        }
        if isCancelled, await cancelSwitch.end() == false { throw lost("the cancel request was not answered") }
        if isCancelled { _ = try? await runScript("") }
        if isLost { throw lost() }
    }
}

/// Which statements of a batch are prepared.
enum BatchPreparation {
    case none
    /// Those prepared already or occurring more than once.
    case repeated
    /// Every one, for batches that are run again and again.
    case all
}

/// Several statements in one round trip.
extension ServerSession {
    /// Runs the statements in order in libpq's pipeline mode. Outside a transaction they are one implicit transaction:
    /// all or nothing.
    /// - Returns: one result per statement.
    func runBatch(_ statements: [RenderedSQL], preparing: BatchPreparation) async throws -> [LibpqResult] {
        guard !statements.isEmpty else { return [] }
        let names = try await preparedNames(for: statements, preparing)
        guard libpq.enterPipeline() else { throw refused() }
        let outcome: (results: [LibpqResult], failure: PostgresError?)
        do {
            outcome = try await exchange(statements, names)
        } catch {
            // Half-way through a pipeline there is no way back to a known state.
            isLost = true
            throw error
        }
        for statement in statements { note(knownTraits.of(statement.text)) }
        namespaces.transactionEnded(ifIdle: libpq.transactionStatus == .idle)
        if let failure = outcome.failure {
            // Prepared statements that no longer fit their tables must not fail the next batch too.
            for text in names.keys { forget(text) }
            throw failure
        }
        return outcome.results
    }

    private func exchange(
        _ statements: [RenderedSQL], _ names: [String: String]
    ) async throws -> ([LibpqResult], PostgresError?) {
        var results: [LibpqResult] = []
        results.reserveCapacity(statements.count)
        var failure: PostgresError?
        var sent = 0
        // Sent in slices with their answers fetched between, so that neither side's buffers grow with the batch.
        while sent < statements.count {
            let slice = sent..<min(sent + 256, statements.count)
            for index in slice { try enqueue(statements[index], name: names[statements[index].text]) }
            sent = slice.upperBound
            guard libpq.requestFlush(isLast: sent == statements.count) else { throw refused() }
            try await flush()
            try await receive(slice, of: statements, into: &results, &failure)
            if failure != nil, sent < statements.count {
                guard libpq.synchronizePipeline() else { throw refused() }
                try await flush()
                sent = statements.count
            }
        }
        try await finishPipeline()
        return (results, failure)
    }

    private func enqueue(_ statement: RenderedSQL, name: String?) throws {
        let accepted =
            if let name {
                libpq.send(prepared: name, binds: statement.binds)
            } else {
                libpq.send(text: statement.text, binds: statement.binds)
            }
        guard accepted else { throw refused() }
    }

    private func receive(
        _ slice: Range<Int>, of statements: [RenderedSQL], into results: inout [LibpqResult],
        _ failure: inout PostgresError?
    ) async throws {
        for index in slice {
            while let result = try await nextResult() {
                switch result.status {
                case .failed:
                    var error = error(from: result).running(statements[index].text)
                    error.batchIndex = index
                    failure = failure ?? error
                    if isLost { throw error }
                case .copyIn, .copyOut: throw lost("COPY in a batch")
                case .pipelineAborted: continue
                default: results.append(result)
                }
            }
        }
    }

    private func finishPipeline() async throws {
        while let result = try await nextResult() {
            if result.status == .pipelineSync { break }
            if result.status == .failed { throw error(from: result) }
        }
        guard libpq.leavePipeline() else { throw lost("the pipeline did not end") }
    }

    private func isPrepared(_ text: String) -> Bool {
        namespaces.current.map { cache.contains(StatementCache.Key(namespace: $0, text: text)) } ?? false
    }

    /// Prepares the statements that are worth it.
    private func preparedNames(
        for statements: [RenderedSQL], _ preparation: BatchPreparation
    ) async throws -> [String: String] {
        guard preparation != .none else { return [:] }
        var counts: [String: Int] = [:]
        for statement in statements { counts[statement.text, default: 0] += 1 }
        var names: [String: String] = [:]
        // Half of the cache at most, so that preparing one cannot evict another of the same batch.
        for (text, count) in counts where names.count < cache.capacity / 2 {
            if preparation == .all || count > 1 || isPrepared(text) {
                names[text] = try await preparedName(for: text, knownTraits.of(text))
            }
        }
        return names
    }
}

import Basics

/// One session at the server: the only user of its libpq connection, and what is known about the session's state.
///
/// Being an actor makes each libpq call exclusive; `operation` makes each whole exchange exclusive, for an actor lets
/// other calls in while one waits for the socket.
actor ServerSession {
    let configuration: PostgresConfiguration
    nonisolated let reactor: Reactor
    nonisolated let cancelSwitch: CancelSwitch
    let libpq: LibpqConnection

    /// The lease that may use the session now; 0 is none.
    var lease: UInt64 = 0
    var isBusy = false
    var isLost = false
    var activeStream: ActiveStream?
    var cache: StatementCache
    var knownTraits = KnownTraits()
    var namespaces = NamespaceTracker()
    /// Something may have been changed that outlives a transaction.
    var isSessionTouched = false
    /// The roles it has acted as.
    private var roles: Set<String> = []
    private let retiresAt: ContinuousClock.Instant
    /// While set, every wait for the server ends here and the connection counts as lost.
    var waitDeadline: ContinuousClock.Instant?

    private init(libpq: sending LibpqConnection, configuration: PostgresConfiguration, reactor: Reactor) {
        self.configuration = configuration
        self.reactor = reactor
        cache = StatementCache(capacity: configuration.statementCacheSize)
        cancelSwitch = CancelSwitch(
            canceller: libpq.canceller, reactor: reactor, descriptor: libpq.descriptor,
            grace: configuration.cleanUpTimeout)
        self.libpq = libpq
        retiresAt = .now + configuration.maximumAge * Double.random(in: 0.8...1)
    }

    /// What the server process has read of a role's tables stays in its memory.
    func note(role: String) { roles.insert(role) }

    private var isWornOut: Bool { roles.count >= configuration.maximumRoles || .now >= retiresAt }

    /// - Throws: `connectionFailed` if no connection is made within the connect timeout.
    static func connect(_ configuration: PostgresConfiguration, reactor: Reactor) async throws -> ServerSession {
        let deadline = ContinuousClock.now + configuration.connectTimeout
        let libpq = try await SystemThread.run(named: "pg-connect") { () throws(PostgresError) -> LibpqConnection in
            try LibpqConnection.connect(parameters: configuration.connectionParameters, deadline: deadline)
        }
        let session = ServerSession(libpq: libpq, configuration: configuration, reactor: reactor)
        try await session.prepareForUse()
        return session
    }

    private func prepareForUse() async throws {
        // The decoders read ISO dates only; a role or database may be set to another style.
        guard let style = libpq.parameter("DateStyle"), !style.hasPrefix("ISO") else { return }
        waitDeadline = .now + configuration.connectTimeout
        defer { waitDeadline = nil }
        _ = try await runScript("set datestyle to iso")
    }

    func close() {
        isLost = true
        lease = 0
        if !isBusy { libpq.finish() }
    }

    // MARK: Leases

    func beginLease(_ number: UInt64) {
        lease = number
    }

    /// Whether an idle connection still stands. Without `askServer` this only looks for a hang-up, which costs nothing.
    func isAlive(askServer: Bool) async -> Bool {
        guard !isLost, !isBusy else { return false }
        // An idle connection that hears something hears a notice, a changed setting, or its end: the server will tell.
        guard askServer || libpq.hasInput else { return true }
        isBusy = true
        waitDeadline = .now + configuration.cleanUpTimeout
        defer {
            isBusy = false
            waitDeadline = nil
        }
        do {
            _ = try await runScript("")
            return true
        } catch {
            return false
        }
    }

    /// Takes the session back and cleans it.
    /// - Returns: whether the session may be lent again; if not, it must be closed.
    func endLease() async -> Bool {
        lease = 0
        guard !isLost, !isWornOut else { return false }
        // The borrower kept the connection beyond its loan and still uses it: the connection cannot be reused.
        guard !isBusy else {
            close()
            return false
        }
        isBusy = true
        waitDeadline = .now + configuration.cleanUpTimeout
        defer {
            isBusy = false
            waitDeadline = nil
        }
        do {
            try await finishStream(keepingTransaction: false)
            if libpq.transactionStatus == .inTransaction || libpq.transactionStatus == .inFailedTransaction {
                _ = try await runScript("rollback")
            }
            if isSessionTouched { try await resetSession() }
            return libpq.transactionStatus == .idle && !isLost
        } catch {
            return false
        }
    }

    private func resetSession() async throws {
        _ = try await runScript("discard all")
        cache.forgetAll()
        namespaces = NamespaceTracker()
        isSessionTouched = false
        try await prepareForUse()
    }

    // MARK: Operations

    /// Runs one exchange with the server for the holder of `lease`, cancelled at the server if the task is.
    func operate<R: Sendable>(
        lease: UInt64, stream: ActiveStream? = nil, ignoringCancellation: Bool = false,
        _ body: () async throws -> R
    ) async throws -> R {
        guard lease == self.lease, lease != 0 else {
            throw PostgresError(.connectionReturned, "The database connection was used after it had been returned.")
        }
        guard !isBusy, activeStream == nil || activeStream === stream || activeStream?.isAbandoned == true else {
            throw PostgresError(.connectionBusy, "The database connection is already running a statement.")
        }
        guard !isLost else { throw lost() }
        guard ignoringCancellation || !Task.isCancelled else { throw Self.cancelled }
        isBusy = true
        defer {
            isBusy = false
            if isLost { libpq.finish() }
        }
        if activeStream !== stream { try await finishStream(keepingTransaction: true) }
        guard !ignoringCancellation else { return try await body() }
        return try await cancellable(body)
    }

    private func cancellable<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        let number = cancelSwitch.begin()
        let outcome: Result<R, any Error>
        do {
            outcome = .success(
                try await withTaskCancellationHandler(operation: body, onCancel: { cancelSwitch.cancel(number) }))
        } catch {
            outcome = .failure(error)
        }
        guard let isDelivered = await cancelSwitch.end() else { return try outcome.get() }
        if isDelivered, !isLost {
            // A last exchange proves that no cancellation is still on its way to the next statement.
            if activeStream == nil { await absorbLateCancellation() }
        } else {
            isLost = true
        }
        switch outcome {
        case .success(let value): return value
        case .failure(let error as PostgresError) where [.timedOut, .connectionLost].contains(error.code):
            throw Self.cancelled
        case .failure(let error): throw error
        }
    }

    private func absorbLateCancellation() async {
        waitDeadline = .now + configuration.cleanUpTimeout
        defer { waitDeadline = nil }
        do {
            _ = try await runScript("")
        } catch {
            // The error of this empty statement is the late cancellation itself; a dead connection is noted in isLost.
        }
    }

    static var cancelled: PostgresError {
        PostgresError(.cancelled, "The task was cancelled; its statement was cancelled at the server.")
    }

    func lost(_ message: String? = nil) -> PostgresError {
        isLost = true
        var error = PostgresError(.connectionLost, "The connection to the database was lost.")
        error.serverMessage = message
        return error
    }
}

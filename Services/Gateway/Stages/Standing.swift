import Synchronization

/// Whether the reader of an answer that takes long may still have it, or the sender of a long body may still send it.
///
/// A logout, a suspension or a lost role ends transfers under way, not only later requests. Permissions are checked every
/// ``pause``, also while nothing is sent, and before a piece is sent that the last check does not cover: if permissions cannot
/// be checked, nothing more is sent.
final class Standing: Sendable {
    /// With the time for which silence at tenant-admin is trusted, or an answer remembered, within the second in which a revocation must
    /// act.
    static let pause = Duration.milliseconds(300)

    private let recheck: @Sendable () async throws -> Void
    private let confirmedAt = Mutex(ContinuousClock.now)

    init(recheck: @escaping @Sendable () async throws -> Void) { self.recheck = recheck }

    /// Whether the last answer still covers what is sent now.
    var isFresh: Bool { ContinuousClock.now - confirmedAt.withLock { $0 } < Self.pause }

    /// - Throws: why the reader is refused by now, or that it cannot be found out.
    func requireFresh() async throws {
        if !isFresh { try await require() }
    }

    /// The same, however recent the last answer is: before what cannot be taken back.
    ///
    /// - Throws: as ``requireFresh()``.
    func require() async throws {
        let asked = ContinuousClock.now
        try await recheck()
        confirmedAt.withLock { $0 = max($0, asked) }
    }

    /// Checks until the task is cancelled or the reader is refused; then calls `refused`.
    func watch(_ refused: (any Error) -> Void) async {
        do {
            while true {
                try await Task.sleep(for: Self.pause)
                try await requireFresh()
            }
        } catch {
            if !Task.isCancelled { refused(error) }
        }
    }
}

/// Runs `operation` and cancels it when the client may no longer have asked.
///
/// - Parameters:
///   - standing: the client's; nil where it need not be watched.
///   - refused: told why the client may not; says how long `operation` may still take.
/// - Throws: what `operation` throws; once cancelled, that is a cancellation.
func withStandingWatched<Value: Sendable>(
    _ standing: Standing?, refused: @escaping @Sendable (any Error) -> Duration,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let standing else { return try await operation() }
    let task = Task { try await operation() }
    let watch = Task {
        var patience: Duration?
        await standing.watch { patience = refused($0) }
        guard let patience else { return }
        try? await Task.sleep(for: patience)
        task.cancel()
    }
    defer { watch.cancel() }
    return try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}

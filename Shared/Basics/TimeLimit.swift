/// The result of `work`; nil when it takes longer than `limit`: then `work` is cancelled, and its end is waited for.
///
/// A cancelled caller gets what the cancelled `work` returns or throws.
/// - Throws: what `work` throws.
public func withTimeLimit<Value: Sendable, Failure: Error>(
    _ limit: Duration, sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    _ work: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value? {
    let result = await withTaskGroup(of: Result<Value?, Failure>?.self) { group in
        group.addTask {
            do throws(Failure) { return .success(try await work()) } catch { return .failure(error) }
        }
        group.addTask {
            do { try await sleep(limit) } catch { return nil }
            return .success(nil)
        }
        defer { group.cancelAll() }
        for await case let result? in group { return result }
        return .success(nil)
    }
    return try result.get()
}

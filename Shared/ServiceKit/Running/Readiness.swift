import Basics
import Contracts

/// Asking checks, none of which may take long.
enum Readiness {
    /// How long a check may take before it counts as not ready.
    static let patience = Duration.seconds(2)

    /// - Returns: nil when `body` takes longer than `limit`; then it is cancelled.
    static func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async -> Value
    ) async -> Value? {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}

extension [ReadinessCheck] {
    /// All of them at once, in their order.
    func health() async -> [DependencyHealth] {
        await withTaskGroup(of: (Int, DependencyHealth).self) { group in
            for (index, check) in enumerated() {
                group.addTask {
                    let late = "no answer within \(DurationText.text(Readiness.patience))"
                    let reason = await Readiness.within(Readiness.patience) { await check.check() }
                    return (index, DependencyHealth(name: check.name, reason: reason ?? late))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

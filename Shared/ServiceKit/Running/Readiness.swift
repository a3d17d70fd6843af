import Basics
import Contracts

/// Asking checks, none of which may take long.
enum Readiness {
    /// How long a check may take before it counts as not ready.
    static let patience = Duration.seconds(2)
}

extension [ReadinessCheck] {
    /// All of them at once, in their order.
    func health() async -> [DependencyHealth] {
        await withTaskGroup(of: (Int, DependencyHealth).self) { group in
            for (index, check) in enumerated() {
                group.addTask {
                    let late = "no answer within \(DurationText.text(Readiness.patience))"
                    let reason = await withTimeLimit(Readiness.patience) { await check.check() }
                    let health = DependencyHealth(
                        name: check.name, reason: reason ?? late, isRequired: check.isRequired())
                    return (index, health)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

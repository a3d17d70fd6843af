import Contracts
import Foundation
import Synchronization

/// What a small tenant notices of a large one: while its history is imported, and while the node loads it.
struct PredictLargeTenantTrial {
    let rows: Int
    let seconds: Double

    private static let people = 2_000

    func run(_ platform: PlatformClient) async throws {
        let small = try await TemporaryTenant(platform)
        let large = try await TemporaryTenant(platform)
        do {
            try await run(small, large, platform)
        } catch {
            try? await small.remove(platform)
            try? await large.remove(platform)
            throw error
        }
        try await small.remove(platform)
        try await large.remove(platform)
    }

    private func run(_ small: TemporaryTenant, _ large: TemporaryTenant, _ platform: PlatformClient) async throws {
        let question = try await PredictionCompany(people: 20, allocations: 20).fill(small.client).with(5)
        let load = try PredictionLoad(url: platform.url, token: try await small.token(), question: question)
        let alone = try await load.measure(connections: 1, seconds: seconds)
        alone.show("small_alone")

        let company = PredictionCompany(people: Self.people, allocations: rows / Self.people)
        let importing = try await beside(load) { try await company.load(large.client) }
        importing.figures.show("small_beside_import")

        let first = try await company.question(large.client).with(0)
        let asking = try PredictionLoad(url: platform.url, token: try await large.token(), question: first)
        let loading = try await beside(load) { _ = try await asking.once() }
        print("load_\(rows)_rows_ms=\((loading.seconds * 1_000).fixed(0))")
        loading.figures.show("small_beside_load")
        print("small_beside_load_to_alone_p99=\((loading.figures.p99 / alone.p99).fixed(2))")
    }

    /// Asks the small tenant's question as long as the work goes on.
    private func beside(
        _ load: PredictionLoad, _ work: @escaping @Sendable () async throws -> Void
    ) async throws -> (figures: PredictionLoad.Figures, seconds: Double) {
        let isOver = Mutex(false)
        let start = ContinuousClock.now
        async let seconds = {
            defer { isOver.withLock { $0 = true } }
            try await work()
            return (ContinuousClock.now - start) / .seconds(1)
        }()
        let figures = try await load.run(connections: 1) { _ in isOver.withLock { $0 } }
        return (figures, try await seconds)
    }
}

import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import ServiceKit
import Synchronization

/// Artefacts taken apart, verified and kept by their digest, the least recently used going first. What is refused is fetched and
/// tried again only after a while.
final class HeldModels: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What it took to have a model in memory.
    struct Load: Sendable, Equatable {
        /// To fetch the artefact from ml-training.
        let fetching: Duration
        /// To decode, verify and warm the model, the wait for a thread included.
        let verifying: Duration
    }

    struct Limits: Sendable {
        /// Decoded models held at once.
        var models = 2_000
        /// About how many bytes those take at most, unless a single one takes more.
        var bytes = 1 << 30
    }

    private struct Held {
        let model: ReadyModel
        let bytes: Int
        var usedAt: UInt64
        /// Whose it is: equal artefacts may be several tenants' models.
        var tenants: Set<TenantID>

        mutating func use(by tenant: TenantID, at use: UInt64) -> ReadyModel {
            usedAt = use
            tenants.insert(tenant)
            return model
        }
    }

    private struct State {
        var held: [String: Held] = [:]
        var refusals = RefusedModels()
        var uses: UInt64 = 0
    }

    private let source: any ModelSource
    private let limits: Limits
    private let now: @Sendable () -> Instant
    private let report: @Sendable (ModelRefusal, DeployedModel, TenantID) -> Void
    private let loaded: @Sendable (Load, DeployedModel, TenantID) -> Void
    private let state = Mutex(State())
    private let loads = SingleFlight<String, ReadyModel>()
    /// A node that has just started is asked by many tenants at once: answers do not stand in one line with all their models.
    private let gate = ComputeGate()

    /// - Parameters:
    ///   - report: told of each model that is refused.
    ///   - loaded: told of each other one.
    init(
        source: any ModelSource, limits: Limits, now: @escaping @Sendable () -> Instant,
        report: @escaping @Sendable (ModelRefusal, DeployedModel, TenantID) -> Void,
        loaded: @escaping @Sendable (Load, DeployedModel, TenantID) -> Void
    ) {
        self.source = source
        self.limits = limits
        self.now = now
        self.report = report
        self.loaded = loaded
    }

    /// nil for one that is not in memory.
    func held(_ deployment: DeployedModel, by tenant: TenantID) -> ReadyModel? {
        state.withLock { state in
            state.uses += 1
            return state.held[deployment.artifactSha256]?.use(by: tenant, at: state.uses)
        }
    }

    /// Lets go of what is no other tenant's.
    func forget(_ tenant: TenantID) {
        let gone = state.withLock { state in
            let gone = state.held.filter { $0.value.tenants == [tenant] }
            state.held = state.held.filter { gone[$0.key] == nil }
            for digest in state.held.keys { state.held[digest]?.tenants.remove(tenant) }
            return gone
        }
        // Freed here, outside of the lock.
        _ = gone
    }

    /// Why an artefact is refused; nil for one that is not, or was not asked for lately.
    func refusal(of digest: String) -> ModelRefusal? {
        let time = now()
        return state.withLock { $0.refusals.refusal(of: digest, now: time) }
    }

    /// - Throws: ``ModelRefusal``; `ProblemError` 503 when ml-training cannot be asked.
    func model(_ deployment: DeployedModel, of tenant: TenantID) async throws -> ReadyModel {
        if let held = held(deployment, by: tenant) { return held }
        return try await load(deployment, of: tenant).value
    }

    /// Fetches a model and holds it, whether a request waits for it or not.
    @discardableResult
    func load(_ deployment: DeployedModel, of tenant: TenantID) -> Flight<ReadyModel> {
        loads.flight(for: deployment.artifactSha256) { try await self.fetch(deployment, tenant) }
    }

    private func fetch(_ deployment: DeployedModel, _ tenant: TenantID) async throws -> ReadyModel {
        let digest = deployment.artifactSha256
        if let refusal = refusal(of: digest) { throw refusal }
        // A request that came just after a load had ended finds the loaded model.
        if let held = held(deployment, by: tenant) { return held }
        let asked = now()
        let bytes = try await source.artifact(deployment, tenant: tenant)
        let fetched = now()
        do {
            // Decoding and trying out take as long as many answers: no thread of those is used for it.
            let model = try await gate.run(named: "load-model") { try Self.verified(bytes, expecting: digest) }
            // Decoded, and laid out once more for many people, a model takes about three times its artefact.
            hold(model, digest, of: tenant, bytes: 3 * bytes.count)
            loaded(Load(fetching: fetched - asked, verifying: now() - fetched), deployment, tenant)
            return model
        } catch let refusal as ModelRefusal {
            let time = now()
            state.withLock { $0.refusals.refuse(digest, refusal, now: time) }
            report(refusal, deployment, tenant)
            throw refusal
        }
    }

    private func hold(_ model: ReadyModel, _ digest: String, of tenant: TenantID, bytes: Int) {
        state.withLock { state in
            state.refusals.accept(digest)
            state.uses += 1
            state.held[digest] = Held(model: model, bytes: bytes, usedAt: state.uses, tenants: [tenant])
            while state.held.count > 1,
                state.held.count > limits.models || state.held.values.reduce(0, { $0 + $1.bytes }) > limits.bytes,
                let oldest = state.held.min(by: { $0.value.usedAt < $1.value.usedAt })
            {
                state.held[oldest.key] = nil
            }
        }
    }

    /// Lower-case hex SHA-256.
    static func digest(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hex }

    private static func verified(_ bytes: [UInt8], expecting digest: String) throws -> ReadyModel {
        guard Self.digest(of: bytes) == digest else { throw ModelRefusal.damaged }
        let model: ReadyModel
        do { model = ReadyModel(try ForecastModel(decoding: bytes)) } catch { throw ModelRefusal.damaged }
        if let fault = ModelSelfTest.fault(of: model) { throw ModelRefusal(cause: .selfTest, reason: fault) }
        return model
    }
}

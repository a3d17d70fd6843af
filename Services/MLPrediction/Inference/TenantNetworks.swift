import Contracts
import HTTPTypes
import ServiceKit

/// Where the list of a tenant's models comes from.
protocol ServableModelSource: Sendable {
    /// Newest version first, without archived ones.
    func servable(tenant: TenantID) async throws -> [ServableModel]
}

/// Tenants' networks by the names that the Open Inference Protocol knows them by: the registry's name of the models, for the
/// network of one kind of question with `_with_plan` or `_without_plan` behind it.
///
/// Which models there are is known as which one is deployed is (``TenantFacts``).
final class TenantNetworks: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A network that answers.
    struct Served: Sendable {
        let name: String
        let version: Int
        /// All that answer under the name, the oldest first.
        let versions: [Int]
        let network: InferenceNetwork
    }

    /// A tenant's models, and each name they go by.
    private struct Catalogue: Sendable {
        struct Entry: Sendable {
            let part: NetworkPart
            /// Newest first.
            let versions: [ServableModel]
            /// The oldest first.
            let numbers: [Int]
        }

        let models: [ServableModel]
        let entries: [String: Entry]

        init(_ models: [ServableModel]) {
            self.models = models
            var entries: [String: Entry] = [:]
            for (name, versions) in Dictionary(grouping: models, by: \.name) {
                let numbers = Array(versions.map(\.version).reversed())
                // A name as it is goes before one that is made of another.
                for part in NetworkPart.allCases where part == .any || entries[name + part.rawValue] == nil {
                    entries[name + part.rawValue] = Entry(part: part, versions: versions, numbers: numbers)
                }
            }
            self.entries = entries
        }
    }

    private let models: DeployedModels
    private let catalogues: TenantFacts<Catalogue>
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - news: as of ``TenantFacts``.
    ///   - patience: as of ``TenantFacts``.
    init(
        source: any ServableModelSource, models: DeployedModels, staleAfter: Duration = .milliseconds(500),
        news: @escaping @Sendable (TenantID, Instant) -> TenantNews.Since = { _, _ in .unknown },
        patience: Duration = .milliseconds(250), now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.models = models
        self.now = now
        catalogues = TenantFacts(
            staleAfter: staleAfter, patience: patience, maximumCount: 1_000, news: news, now: now
        ) { tenant in
            let models = try await source.servable(tenant: tenant)
            return models.isEmpty ? nil : Catalogue(models)
        }
    }

    /// - Parameter version: as in the path; nil for the deployed one.
    /// - Throws: `ProblemError`: 404 for a name or a version that the tenant does not have; 503 where ml-training would have to be asked
    ///   and cannot be.
    func network(named name: String, version: String?, tenant: TenantID) async throws -> Served {
        let start = now()
        do {
            let catalogue = try await catalogues.fact(of: tenant)?.fact
            return try await network(named: name, version: version, tenant: tenant, in: catalogue)
        } catch let error as ProblemError where error.status == .notFound {
            // The client may know of a model or a deployment that the list is older than.
            let catalogue = try await catalogues.fact(of: tenant, askedAfter: start)
            return try await network(named: name, version: version, tenant: tenant, in: catalogue)
        }
    }

    private func network(
        named name: String, version: String?, tenant: TenantID, in catalogue: Catalogue?
    ) async throws -> Served {
        guard let entry = catalogue?.entries[name] else {
            throw ProblemError(
                status: .notFound, code: .notFound, "There is no model of this name; see /v2/repository/index.")
        }
        let (found, ready) = try await answering(entry, version: version, tenant: tenant)
        guard let network = ready.networks[entry.part] else {
            throw ProblemError(
                status: .notFound, code: .notFound,
                "This version of the model has no such network; name another version.")
        }
        return Served(
            name: name, version: found, versions: entry.numbers, network: network)
    }

    /// The same where all of it is in memory and up to date, and nil otherwise.
    func networkAtHand(named name: String, version: String?, tenant: TenantID) -> Served? {
        guard let entry = catalogues.factAtHand(of: tenant)?.entries[name],
            let (found, ready) = answeringAtHand(entry, version: version, tenant: tenant),
            let network = ready.networks[entry.part]
        else { return nil }
        return Served(name: name, version: found, versions: entry.numbers, network: network)
    }

    private func answeringAtHand(
        _ entry: Catalogue.Entry, version: String?, tenant: TenantID
    ) -> (version: Int, model: ReadyModel)? {
        if let version {
            guard let found = entry.versions.first(where: { String($0.version) == version }) else { return nil }
            return models.readyAtHand(found, of: tenant).map { (found.version, $0) }
        }
        guard let deployed = models.modelAtHand(of: tenant),
            entry.versions.contains(where: { $0.version == deployed.version })
        else { return nil }
        return (deployed.version, deployed.ready)
    }

    private func answering(
        _ entry: Catalogue.Entry, version: String?, tenant: TenantID
    ) async throws -> (version: Int, model: ReadyModel) {
        if let version {
            guard let found = entry.versions.first(where: { String($0.version) == version }) else {
                throw ProblemError(
                    status: .notFound, code: .notFound,
                    "There is no such version of this model; see /v2/repository/index.")
            }
            return (found.version, try await models.ready(found, of: tenant))
        }
        // As predictions have it: where the deployed one is refused, the one before. The baseline has no network.
        let deployed = try await models.model(of: tenant)
        if deployed.isBaseline, let refused = deployed.refused { throw refused.refusal }
        guard !deployed.isBaseline, entry.versions.contains(where: { $0.version == deployed.version }) else {
            throw ProblemError(
                status: .notFound, code: .notFound,
                "No version of this model is deployed; deploy one, or name a version.")
        }
        return (deployed.version, deployed.ready)
    }

    /// Why a version does not answer, as far as this node has tried.
    func refusal(of model: ServableModel) -> ModelRefusal? { models.refusal(of: model.artifactSha256) }

    /// The tenant is suspended or gone.
    func forget(_ tenant: TenantID) { catalogues.forget(tenant) }

    /// Newest version first.
    func servable(_ tenant: TenantID) async throws -> [ServableModel] {
        try await catalogues.fact(of: tenant)?.fact.models ?? []
    }
}

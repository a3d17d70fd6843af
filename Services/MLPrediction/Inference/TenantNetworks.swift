import Basics
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
/// Which models there are is known for at most half a second, as which one is deployed is.
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
        }

        let models: [ServableModel]
        let entries: [String: Entry]

        init(_ models: [ServableModel]) {
            self.models = models
            var entries: [String: Entry] = [:]
            for (name, versions) in Dictionary(grouping: models, by: \.name) {
                // A name as it is goes before one that is made of another.
                for part in NetworkPart.allCases where part == .any || entries[name + part.rawValue] == nil {
                    entries[name + part.rawValue] = Entry(part: part, versions: versions)
                }
            }
            self.entries = entries
        }
    }

    private let source: any ServableModelSource
    private let models: DeployedModels
    private let catalogues: FreshCache<TenantID, Catalogue>

    init(
        source: any ServableModelSource, models: DeployedModels, staleAfter: Duration = .milliseconds(500),
        now: @escaping @Sendable () -> Instant = { ContinuousClock.now }
    ) {
        self.source = source
        self.models = models
        catalogues = FreshCache(maximumAge: staleAfter, maximumCount: 1_000, now: now)
    }

    /// - Parameter version: as in the path; nil for the deployed one.
    /// - Throws: `ProblemError`: 404 for a name or a version that the tenant does not have.
    func network(named name: String, version: String?, tenant: TenantID) async throws -> Served {
        guard let entry = try await catalogue(of: tenant).entries[name] else {
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
            name: name, version: found, versions: entry.versions.map(\.version).reversed(), network: network)
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
        // As predictions have it: where the deployed one is refused, the one before.
        let deployed = try await models.model(of: tenant)
        guard !deployed.isBaseline, entry.versions.contains(where: { $0.version == deployed.version }) else {
            throw ProblemError(
                status: .notFound, code: .notFound,
                "No version of this model is deployed; deploy one, or name a version.")
        }
        return (deployed.version, deployed.ready)
    }

    /// Why a version does not answer, as far as this node has tried.
    func refusal(of model: ServableModel) -> ModelRefusal? { models.refusal(of: model.artifactSha256) }

    /// Newest version first.
    func servable(_ tenant: TenantID) async throws -> [ServableModel] { try await catalogue(of: tenant).models }

    private func catalogue(of tenant: TenantID) async throws -> Catalogue {
        let catalogue = try await catalogues.value(for: tenant) { [source] in
            Catalogue(try await source.servable(tenant: tenant))
        }
        // An empty list is not cached, so that a first model is found at once.
        if catalogue.models.isEmpty { catalogues.forget(tenant) }
        return catalogue
    }
}

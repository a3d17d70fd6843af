import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import Postgres
import ServiceKit

/// A trained model on its way into the registry.
struct NewModel: Sendable {
    let id: ModelID
    let name: String
    let modelType: String
    let kind: String
    let passedGates: Bool
    let refusals: [GateRefusal]
    let accuracy: Double?
    let precision: Double?
    let recall: Double?
    let f1: Double?
    let metrics: JSONValue
    let card: String
    let hyperparameters: JSONValue
    let datasetID: DatasetID
    let artifact: [UInt8]
    /// For the model of a scheduled job: how it does beside the one that serves.
    var automaticDeployment: AutomaticDeployment?

    /// Lower-case hex.
    var artifactSHA256: String { Self.digest(of: artifact) }

    static func digest(of artifact: [UInt8]) -> String { SHA256.hash(data: artifact).hex }
}

/// Why a model cannot be put into or taken out of service.
enum DeploymentRefusal: Error, Sendable, Equatable {
    case unknownModel
    /// It did not pass its gates, and `force` was not given.
    case notValidated
    case archived
    /// The deployed model cannot be archived.
    case deployed
    case nothingToRollBackTo
}

/// How a model came to be deployed.
enum DeploymentReason: String, Sendable, PostgresEncodable {
    case deploy, rollback, schedule
}

/// A model put into service.
struct Deployed: Sendable {
    let model: Model
    /// nil when it served already.
    let isForced: Bool?
}

/// A model's bytes in one of its forms, and their digest.
struct Artifact: Sendable {
    let version: Int
    let sha256: String
    let content: [UInt8]
}

/// Where a list of models goes on.
struct ModelPosition: Codable, Sendable {
    let version: Int

    init(version: Int) { self.version = version }

    private enum CodingKeys: CodingKey { case version }

    /// - Throws: `DecodingError` for a number that the column cannot hold: a cursor is the client's word.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        version = Int(try container.decode(Int32.self, forKey: .version))
    }
}

/// Where a list of deployments goes on.
struct DeploymentPosition: Codable, Sendable {
    let number: Int
}

/// One line of the deployment history and its place in it.
struct RecordedDeployment: Sendable {
    let number: Int
    let deployment: ModelDeployment
}

/// A tenant's models and which of them is deployed. At most one is, whatever happens at the same time.
protocol ModelRegistry: Sendable {
    /// Registers the model under the tenant's next version and ends its job, both or neither.
    /// - Throws: `AttemptEnd.leaseLost`.
    /// Where the tenant's schedule deploys automatically and `model.automaticDeployment` allows it, the model is deployed
    /// in the same moment.
    func register(_ model: NewModel, for ticket: JobTicket) async throws
    func model(_ id: ModelID, tenant: TenantID) async throws -> Model?
    /// Newest version first.
    func models(tenant: TenantID, status: ModelStatus?, after: ModelPosition?, limit: Int) async throws
        -> [ModelSummary]
    /// The newest that are not archived, the newest first.
    func servable(tenant: TenantID) async throws -> [ServableModel]
    /// Deploying the deployed model changes nothing.
    /// - Parameter check: gets the model while deployments wait; nothing changes when it throws.
    /// - Throws: `DeploymentRefusal`.
    func deploy(
        _ id: ModelID, tenant: TenantID, force: Bool, note: String?, by author: Author,
        check: @Sendable (Model) throws -> Void
    ) async throws -> Deployed
    /// Puts the model that was deployed before the present one back into service.
    /// - Throws: `DeploymentRefusal`.
    func rollback(tenant: TenantID, by author: Author) async throws -> Deployed
    /// - Parameter check: as of ``deploy(_:tenant:force:note:by:check:)``.
    /// - Throws: `DeploymentRefusal`.
    func archive(
        _ id: ModelID, tenant: TenantID, by author: Author, check: @Sendable (Model) throws -> Void
    ) async throws -> Model
    /// Newest first.
    func deployments(tenant: TenantID, after: DeploymentPosition?, limit: Int) async throws -> [RecordedDeployment]
    func deployed(tenant: TenantID) async throws -> DeployedModel?
    /// The one that served at a past moment, by the deployment history.
    func deployed(tenant: TenantID, at moment: Date) async throws -> DeployedModel?
    func artifact(_ id: ModelID, tenant: TenantID) async throws -> Artifact?
}

import Contracts
import Hummingbird
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/datasets | ml: read |
/// | GET | /api/v1/datasets/{datasetId} | ml: read |
struct DatasetsController: Sendable {
    let store: any DatasetStore

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("datasets", use: list)
            .get("datasets/:datasetId", use: dataset)
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        let page = try request.pageQuery()
        let after = try RowCursor.decode(DatasetPosition.self, from: page.cursor)
        let found = try await store.datasets(tenant: caller.tenant, after: after, limit: page.limit + 1)
        return try Answer.page(found, limit: page.limit) {
            DatasetPosition(createdAtMicroseconds: $0.createdAt.microsecondsSince1970, id: $0.id)
        }
    }

    private func dataset(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        let id: DatasetID = try context.identifier("datasetId")
        guard let dataset = try await store.dataset(id, tenant: caller.tenant) else {
            throw ProblemError.notFound("Dataset")
        }
        return try Answer.resource(dataset, tag: EntityTag(of: dataset), for: request)
    }
}

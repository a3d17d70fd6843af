import Contracts
import Crypto
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | POST | /api/v1/training/jobs | ml: train |
/// | GET | /api/v1/training/jobs | ml: read |
/// | GET | /api/v1/training/jobs/{jobId} | ml: read |
/// | DELETE | /api/v1/training/jobs/{jobId} | ml: train |
/// | GET | /api/v1/training/jobs/{jobId}/events | ml: read |
struct TrainingJobsController: Sendable {
    let jobs: TrainingJobs
    let store: any JobStore
    let watches: JobWatches

    init(jobs: TrainingJobs, store: any JobStore) {
        self.jobs = jobs
        self.store = store
        self.watches = JobWatches(store: store)
    }

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("training/jobs", use: start)
            .get("training/jobs", use: list)
            .get("training/jobs/:jobId", use: job)
            .delete("training/jobs/:jobId", use: cancel)
            .get("training/jobs/:jobId/events", use: events)
    }

    private func start(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.train, on: .ml)
        try request.rejectQuery()
        let payload = try await request.payload(CreateTrainingJobRequest.self, context: context)
        let key = try request.idempotencyKey(of: caller, for: payload)
        let started = try await jobs.start(
            payload, tenant: caller.tenant, by: caller.subject, key: key, trace: context.trace)
        return try Answer.accepted(started)
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        let page = try request.pageQuery()
        let after = try RowCursor.decode(NewestFirst<JobEntity>.self, from: page.cursor)
        let found = try await store.jobs(tenant: caller.tenant, after: after, limit: page.limit + 1)
        return try Answer.page(found, limit: page.limit) {
            NewestFirst(createdAt: $0.createdAt, id: $0.id)
        }
    }

    private func job(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        var query = try QueryParameters(request)
        let progress = query.integer("progress", 0...1_000) ?? 100
        try query.finish()
        let id: JobID = try context.identifier("jobId")
        guard let job = try await store.job(id, tenant: caller.tenant, progress: progress) else {
            throw ProblemError.notFound("Training job")
        }
        return try Answer.resource(job, tag: EntityTag(of: job), for: request)
    }

    private func cancel(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.train, on: .ml)
        try request.rejectQuery()
        let id: JobID = try context.identifier("jobId")
        switch try await store.cancel(id, tenant: caller.tenant) {
        case .unknownJob: throw ProblemError.notFound("Training job")
        case .alreadyFinal(let status):
            throw ProblemError.conflict("The job has already \(status.ending).", code: .jobNotCancellable)
        case .accepted:
            guard let job = try await store.job(id, tenant: caller.tenant, progress: 0) else {
                throw ProblemError.notFound("Training job")
            }
            return try Answer.accepted(job)
        }
    }

    private func events(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        try request.rejectQuery()
        let id: JobID = try context.identifier("jobId")
        guard try await store.standing(id, tenant: caller.tenant) != nil else {
            throw ProblemError.notFound("Training job")
        }
        let lastSeen = request.headers[.lastEventID].flatMap { Int($0) } ?? 0
        // Before the status is sent, so that one too many is told.
        let watch = try watches.watch(id, tenant: caller.tenant)
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await JobEvents(watch: watch).stream(afterEpoch: lastSeen) {
                    try await writer.write(ByteBuffer(bytes: $0))
                }
                try await writer.finish(nil)
            })
    }
}

extension TrainingJobStatus {
    /// "The job has already …"
    fileprivate var ending: String {
        switch self {
        case .failed: "failed"
        case .cancelled: "been cancelled"
        case .queued, .running, .succeeded: "succeeded"
        }
    }
}

extension HTTPField.Name {
    static let lastEventID = Self("Last-Event-ID")!
}

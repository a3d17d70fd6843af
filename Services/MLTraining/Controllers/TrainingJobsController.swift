import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Training as durable background jobs.
struct TrainingJobsController: Controller {
    let jobs: TrainingJobs
    let store: any JobStore
    let watches: JobWatches

    init(jobs: TrainingJobs, store: any JobStore) {
        self.jobs = jobs
        self.store = store
        self.watches = JobWatches(store: store)
    }

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "training/jobs", "startTraining", .may(.train, .ml), takes: [.idempotencyKey],
            fails: [.quotaExceeded], use: start)
        routes.on(.get, "training/jobs", "listTrainingJobs", .may(.read, .ml), use: list)
        routes.on(.get, "training/jobs/{jobId}", "getTrainingJob", .may(.read, .ml), use: job)
        routes.on(
            .delete, "training/jobs/{jobId}", "cancelTrainingJob", .may(.train, .ml), fails: [.jobNotCancellable],
            use: cancel)
        routes.on(
            .get, "training/jobs/{jobId}/events", "watchTrainingJob", .may(.read, .ml), takes: [.lastEventID],
            use: events)
    }

    private func start(
        _ call: TenantCall, _ payload: CreateTrainingJobRequest
    ) async throws -> Accepted<TrainingJobStarted> {
        Accepted(
            try await jobs.start(
                payload, tenant: call.tenant, by: call.caller.author, key: try call.idempotencyKey(for: payload),
                trace: call.context.trace))
    }

    private func list(
        _ call: TenantCall, _ page: PageQuery<NewestFirst<JobEntity>>
    ) async throws -> Listed<TrainingJob> {
        let found = try await store.jobs(tenant: call.tenant, after: page.after, limit: page.readLimit)
        return try Listed(found, page) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    private func job(_ call: TenantCall, _ query: JobQuery) async throws -> Tagged<TrainingJob> {
        guard let job = try await store.job(try call.id("jobId"), tenant: call.tenant, progress: query.progress) else {
            throw ProblemError.notFound("Training job")
        }
        return try Tagged(job)
    }

    private func cancel(_ call: TenantCall) async throws -> Accepted<TrainingJob> {
        let id: JobID = try call.id("jobId")
        switch try await store.cancel(id, tenant: call.tenant, by: call.caller.author) {
        case .unknownJob: throw ProblemError.notFound("Training job")
        case .alreadyFinal(let status):
            throw ProblemError.conflict("The job has already \(status.ending).", code: .jobNotCancellable)
        case .accepted:
            guard let job = try await store.job(id, tenant: call.tenant, progress: 0) else {
                throw ProblemError.notFound("Training job")
            }
            return Accepted(job)
        }
    }

    private func events(_ call: TenantCall) async throws -> Download<EventStream> {
        let id: JobID = try call.id("jobId")
        guard try await store.standing(id, tenant: call.tenant) != nil else {
            throw ProblemError.notFound("Training job")
        }
        try call.require(.lastEventID)
        let lastSeen = call.request.headers[.lastEventID].flatMap { Int($0) } ?? 0
        // Before the status is sent, so that a refusal beyond the limit is still a problem.
        let watch = try watches.watch(id, tenant: call.tenant)
        return Download(
            EventStream.self, headers: .notStored,
            body: ResponseBody { writer in
                try await JobEvents(watch: watch).stream(afterEpoch: lastSeen) {
                    try await writer.write(ByteBuffer(bytes: $0))
                }
                try await writer.finish(nil)
            })
    }
}

/// How many epochs of progress to show, the newest.
struct JobQuery: RouteQuery {
    let progress: Int

    init(_ query: inout QueryParameters) { progress = query.integer("progress", 0...1_000, default: 100) }
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

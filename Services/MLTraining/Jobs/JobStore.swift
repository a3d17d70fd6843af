import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// A training job to be queued, with every default filled in.
struct NewJob: Sendable, Codable {
    var id = JobID()
    let modelType: String
    let months: Int
    let epochs: Int
    let seed: Int
    let asOf: Date
    var hyperparameters = TrainingHyperparameters()
    /// Who asked, as the gateway established it.
    let requestedBy: String
    var origin = JobOrigin.request
    /// Of the request that asked.
    var requestID: String?
}

/// What a job comes from.
enum JobOrigin: String, Sendable, Codable {
    /// A user's request.
    case request
    /// The tenant's schedule was due.
    case schedule
}

enum Cancellation: Sendable, Equatable {
    /// It ends as soon as its worker notices, or has ended already when none held it.
    case accepted(TrainingJobStatus)
    case alreadyFinal(TrainingJobStatus)
    case unknownJob
}

/// Where a job stands, for those who watch it.
struct JobStanding: Sendable, Equatable {
    let status: TrainingJobStatus
    let stage: String
    let attempts: Int
}

/// What workers spent on one job of the tenant, in the end or so far.
struct MeasuredJob: Sendable, Equatable {
    let months: Int
    let epochs: Int
    let busySeconds: Double
}

/// A tenant's training jobs as its people see them.
protocol JobStore: Sendable {
    /// Queues the job and remembers the answer under the key, both or neither. With a key already used for the same
    /// request, gives that answer instead.
    /// - Throws: `IdempotencyKeyReused`.
    func enqueue(_ job: NewJob, answer: TrainingJobStarted, key: IdempotencyKey?, tenant: TenantID) async throws
        -> TrainingJobStarted
    /// What this key's first request was answered; nil for a new key.
    /// - Throws: `IdempotencyKeyReused`.
    func answer(to key: IdempotencyKey, tenant: TenantID) async throws -> TrainingJobStarted?
    /// - Parameter progress: how many of the newest epochs to give along.
    func job(_ id: JobID, tenant: TenantID, progress: Int) async throws -> TrainingJob?
    /// Newest first, without progress.
    func jobs(tenant: TenantID, after: NewestFirst<JobEntity>?, limit: Int) async throws -> [TrainingJob]
    func cancel(_ id: JobID, tenant: TenantID, by author: Author) async throws -> Cancellation
    func standing(_ id: JobID, tenant: TenantID) async throws -> JobStanding?
    /// Oldest first.
    func progress(_ id: JobID, tenant: TenantID, afterEpoch: Int, limit: Int) async throws -> [EpochProgress]
    /// The tenant's latest succeeded jobs.
    func measuredJobs(tenant: TenantID, limit: Int) async throws -> [MeasuredJob]
    /// What workers spent on the tenant's jobs first taken up since then, and its jobs that have not ended.
    func workload(tenant: TenantID, since start: Date) async throws -> (busySeconds: Double, open: [MeasuredJob])
}

/// A job in a worker's hands.
struct JobTicket: Sendable {
    let id: JobID
    let tenant: TenantID
    /// The fencing number of this claim.
    let attempt: Int
    let modelType: String
    let months: Int
    let epochs: Int
    let seed: Int
    let asOf: Date
    let hyperparameters: TrainingHyperparameters
    let datasetID: DatasetID?
    var origin = JobOrigin.request
    let lifecycle: JobLifecycle
}

/// The queue as its workers see it.
protocol JobQueue: Sendable {
    /// The next job that is due or whose worker fell silent; nil when there is none. No two callers get the same claim.
    func claim(worker: String, lease: Duration) async throws -> JobTicket?
    /// - Returns: whether its owner wants it cancelled.
    /// - Throws: `AttemptEnd.leaseLost`, as every method below.
    func renew(_ ticket: JobTicket, lease: Duration) async throws -> Bool
    func record(_ batch: ProgressBatch, ticket: JobTicket) async throws
    func checkpoint(_ ticket: JobTicket) async throws -> [UInt8]?
    func dropCheckpoint(_ ticket: JobTicket) async throws
    func end(_ ticket: JobTicket, by step: JobLifecycle.Step) async throws
    /// Jobs that are ready and not begun, and the age of the oldest.
    func waiting() async throws -> (count: Int, oldestSeconds: Double?)
}

/// How long a job will take, going by those that the tenant has had.
enum TrainingEstimate {
    /// What is gone by before a tenant has had a job: the demo company's (6,000 allocations), as measured on one core.
    static let first = MeasuredJob(months: 25, epochs: 100, busySeconds: 26)

    /// Seconds; nil before any job was measured. The mean of the three most alike: what a job costs grows with rows and
    /// with epochs, but neither in proportion, so what like jobs took is a better guess than a rate.
    static func seconds(months: Int, epochs: Int, measured: [MeasuredJob]) -> Double? {
        func distance(_ job: MeasuredJob) -> Double {
            abs(Foundation.log(Double(job.months) / Double(months)))
                + abs(Foundation.log(Double(job.epochs) / Double(epochs)))
        }
        let nearest = measured.sorted { distance($0) < distance($1) }.prefix(3)
        guard !nearest.isEmpty else { return nil }
        return nearest.reduce(0) { $0 + $1.busySeconds } / Double(nearest.count)
    }
}

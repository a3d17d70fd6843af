import ArgumentParser
import Contracts
import Foundation

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train on the tenant's history.")

    @OptionGroup var training: JobOptions
    @Option(help: "Learn only from what was known before this moment (ISO 8601).") var asOf: String?
    @Flag(help: "Stay until the job has ended, with a bar of progress and loss.") var watch = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let moment = try asOf.map { text in
            guard let date = WireJSON.date(text) else {
                throw ValidationError("--as-of must be like 2026-01-31T12:00:00Z")
            }
            return date
        }
        let request = CreateTrainingJobRequest(
            months: training.months, epochs: training.epochs, seed: training.seed, asOf: moment,
            hyperparameters: training.hyperparameters)
        try await withClient(PlatformClient.loggedIn(patience: watch ? .long : .short)) { client in
            let started: TrainingJobStarted = try await client.post("/api/v1/training/jobs", request)
            guard watch else {
                return try output.show(started) { started in
                    let time = started.estimatedTime.map { ", about \(Int($0.rounded(.up))) s" } ?? ""
                    return "Training job \(started.jobId) has started\(time)."
                }
            }
            let job = try await TrainingWatch(client: client).untilEnd(of: started.jobId)
            try output.show(job) { TrainingWatch.summary($0) }
        }
    }
}

/// What a training job learns from and how; also of a schedule's jobs.
struct JobOptions: ParsableArguments {
    @Option(help: "Months of history to learn from, 1 to 240.") var months: Int?
    @Option(help: "Passes of the networks over it, 10 to 1000.") var epochs: Int?
    @Option(help: "Seed; equal seeds and histories give equal models.") var seed: Int?
    @Option(help: "Step size of the base network, 0.00001 to 0.1.") var learningRate: Double?
    @Option(help: "Rows per step of the base network, 1 to 4096.") var batchSize: Int?
    @Option(help: "Share of units the base network drops out, 0 to 0.9.") var dropout: Double?
    @Option(help: "The most trees of a boosted model, 1 to 2000.") var maximumTrees: Int?
    @Option(help: "Seconds of a nominal core to search for settings, 0 to 600.") var searchSeconds: Double?

    /// nil when none is given.
    var hyperparameters: TrainingHyperparameters? {
        let given = TrainingHyperparameters(
            learningRate: learningRate, batchSize: batchSize, dropout: dropout, maximumTrees: maximumTrees,
            searchSeconds: searchSeconds)
        return given == TrainingHyperparameters() ? nil : given
    }
}

/// Follows a training job and draws its progress.
struct TrainingWatch {
    let client: PlatformClient

    /// The job once it has ended.
    ///
    /// - Throws: ``CommandFailure`` with the job's own words when it failed or was cancelled.
    func untilEnd(of id: JobID) async throws -> TrainingJob {
        let bar = ProgressBar("training")
        defer { bar.finish() }
        while true {
            let job: TrainingJob = try await client.get("/api/v1/training/jobs/\(id)?progress=1")
            let epoch = job.progress.last
            bar.show(
                Double(epoch?.epoch ?? 0) / Double(max(job.epochs, 1)),
                epoch.map { "\(job.stage) · epoch \($0.epoch)/\(job.epochs) · loss \($0.loss.fixed(5))" } ?? job.stage)
            switch job.status {
            case .queued, .running: try await Task.sleep(for: .milliseconds(200))
            case .succeeded: return job
            case .failed: throw CommandFailure("Training failed: \(job.error ?? "the job gives no reason")")
            case .cancelled: throw CommandFailure("The training job was cancelled.")
            }
        }
    }

    static func summary(_ job: TrainingJob) -> String {
        let seconds = zip2(job.startedAt, job.finishedAt).map { " in \($1.timeIntervalSince($0).fixed(1)) s" } ?? ""
        let made = "Training job \(job.id) made model \(job.modelId?.description ?? "–")\(seconds)."
        return ([made] + (job.refusals ?? []).map(\.sentence)).joined(separator: "\n")
    }

    private static func zip2<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
        guard let a, let b else { return nil }
        return (a, b)
    }
}

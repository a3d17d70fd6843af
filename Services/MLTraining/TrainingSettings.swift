import Foundation
import ServiceKit

/// What this service lets its operator choose, beside what every service does.
enum TrainingSettings {
    static let keys: [ConfigurationKey] = [
        ConfigurationKey(
            "training.workers", .integer(0...256),
            default: "\(max(1, ProcessInfo.processInfo.activeProcessorCount - 1))",
            help: "How many jobs this node trains at once, each on a core of its own; 0 only serves requests."),
        ConfigurationKey(
            "training.lease", .duration(.milliseconds(500) ... .seconds(600)), default: "5s",
            help: "A job's lease; without renewal another worker takes the job."),
        ConfigurationKey(
            "training.poll", .duration(.milliseconds(50) ... .seconds(60)), default: "500ms",
            help: "How often an idle worker looks for jobs."),
        ConfigurationKey(
            "training.schedules", .duration(.milliseconds(50) ... .seconds(86_400)), default: "5m",
            help: "Interval between checks of each tenant's training schedule."),
        ConfigurationKey(
            "retention.dataset-days", .integer(0...36_500), default: "365",
            help: "How long the rows of datasets are kept; 0 for as long as the tenant."),
        ConfigurationKey(
            "retention.restore-days", .integer(2...3650), default: "7",
            help: "How long what has come of a restore that was not finished is kept."),
    ]
}

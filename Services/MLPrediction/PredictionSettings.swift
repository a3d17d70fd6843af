import ServiceKit

/// What this service lets its operator choose, beside what every service does.
enum PredictionSettings {
    static let keys: [ConfigurationKey] =
        Webhook.keys(
            help:
                "Where drift alarms are sent, as tenant-admin's messages are; without it they are read from their feed."
        )
        + [
            ConfigurationKey(
                "predictions.under-way", .integer(1...100_000), default: "256",
                help:
                    "How many requests for predictions and inference are worked on at once; those beyond are answered 503 at once."
            ),
            ConfigurationKey(
                "watch.interval", .duration(.seconds(1) ... .seconds(86_400)), default: "15m",
                help: "Interval of each tenant's background work: outcomes, the shadow model, alarms."),
            ConfigurationKey(
                "shadow.waiting", .integer(0...1_000_000), default: "4096",
                help: "The most questions that wait for the shadow model's answer; further ones get none."),
            ConfigurationKey(
                "mirror.fresh", .duration(.zero ... .seconds(60)), default: "250ms",
                help: "Age at which a mirror is refreshed."),
            ConfigurationKey(
                "mirror.limit", .duration(.milliseconds(100) ... .seconds(600)), default: "1s",
                help: "No prediction is made from a history older than this."),
            ConfigurationKey(
                "mirror.patience", .duration(.milliseconds(100) ... .seconds(600)), default: "15s",
                help:
                    "How long a request waits for a history to be loaded; less than the gateway waits for the request."),
            ConfigurationKey(
                "mirror.tenants", .integer(1...100_000), default: "2000",
                help: "How many tenants' histories are held in memory."),
            ConfigurationKey(
                "mirror.rows", .integer(1_000...1_000_000_000), default: "5000000",
                help: "How many rows of history are held in memory, all tenants together."),
            ConfigurationKey(
                "mirror.bytes", .integer(1_048_576...1_099_511_627_776), default: "4294967296",
                help:
                    "About how many bytes of memory histories may take, all tenants together; the least recently used go first."
            ),
            ConfigurationKey(
                "models.memory", .integer(1_048_576...1_099_511_627_776), default: "1073741824",
                help: "About how many bytes of memory decoded models may take; the least recently used go first."),
            ConfigurationKey(
                "models.fresh", .duration(.zero ... .seconds(60)), default: "500ms",
                help: "Cache lifetime of a tenant's deployment."),
            ConfigurationKey(
                "models.patience", .duration(.milliseconds(1) ... .seconds(600)), default: "250ms",
                help: "How long ml-training is waited for before the model that was deployed last answers, unconfirmed."
            ),
            ConfigurationKey(
                "models.held", .integer(1...10_000), default: "2000",
                help: "How many decoded models are held in memory; a tenant in use needs its own."),
            ConfigurationKey(
                "models.bytes", .integer(1_024...4_294_967_296), default: "268435456",
                help: "Largest model artefact that is loaded."),
        ]
}

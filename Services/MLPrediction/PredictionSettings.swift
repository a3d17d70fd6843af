import ServiceKit

/// What this service lets its operator choose, beside what every service does.
enum PredictionSettings {
    static let keys: [ConfigurationKey] = [
        ConfigurationKey(
            "predictions.under-way", .integer(1...100_000), default: "256",
            help: "How many requests for predictions are worked on at once; those beyond are answered 503 at once."),
        ConfigurationKey(
            "mirror.fresh", .duration(.zero ... .seconds(60)), default: "250ms",
            help: "A tenant's history in memory is asked for changes when it is older than this."),
        ConfigurationKey(
            "mirror.limit", .duration(.milliseconds(100) ... .seconds(600)), default: "1s",
            help: "No prediction is made from a history older than this."),
        ConfigurationKey(
            "mirror.patience", .duration(.milliseconds(100) ... .seconds(600)), default: "15s",
            help: "How long a request waits for a history to be loaded; less than the gateway waits for the request."),
        ConfigurationKey(
            "mirror.tenants", .integer(1...100_000), default: "200",
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
            help: "How long it is taken as known which model a tenant has deployed."),
        ConfigurationKey(
            "models.patience", .duration(.milliseconds(1) ... .seconds(600)), default: "250ms",
            help: "How long ml-training is waited for before the model that was deployed last answers, unconfirmed."),
        ConfigurationKey(
            "models.held", .integer(1...10_000), default: "64", help: "How many decoded models are held in memory."),
        ConfigurationKey(
            "models.bytes", .integer(1_024...4_294_967_296), default: "268435456",
            help: "Largest model artefact that is loaded."),
    ]
}

import ServiceKit

/// What tenant-admin can be told beside the settings of every service.
enum TenantAdminSettings {
    static let keys: [ConfigurationKey] = [
        .init(
            "imports.max-concurrent", .integer(1...100), default: "4",
            help: "How many imports may be under way; each holds a database connection."),
        .init(
            "delivery.webhook-url", .text,
            help: "Where invitations and password resets are sent; without it the operator fetches them."),
        .init(
            "delivery.webhook-secret", .secret,
            help: "Signs what is sent to the webhook; at least 16 bytes, required with it."),
    ]
}

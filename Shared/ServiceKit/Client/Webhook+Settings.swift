extension Webhook {
    /// The settings of a service that sends to the operator's webhook.
    ///
    /// - Parameter help: what is sent there, and what becomes of it without a webhook.
    public static func keys(help: String) -> [ConfigurationKey] {
        [
            ConfigurationKey("delivery.webhook-url", .text, help: help),
            ConfigurationKey(
                "delivery.webhook-secret", .secret,
                help: "Signs what is sent to the webhook; at least 16 bytes, required with it."),
        ]
    }

    /// nil: the operator has set no webhook.
    ///
    /// - Throws: `ConfigurationError` for a URL or a secret that cannot be used.
    public init?(_ bootstrap: ServiceBootstrap) throws {
        guard let url = bootstrap.settings.optionalString("delivery.webhook-url") else { return nil }
        try self.init(
            url: url, secret: bootstrap.settings.optionalSecret("delivery.webhook-secret") ?? "",
            client: bootstrap.httpClient)
    }
}

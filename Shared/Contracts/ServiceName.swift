/// The services, as issuer and audience of internal assertions and as `service` in logs.
public enum ServiceName: String, Codable, Sendable, CaseIterable {
    case gateway
    case tenantAdmin = "tenant-admin"
    case mlTraining = "ml-training"
    case mlPrediction = "ml-prediction"
}

/// Header fields the platform gives a meaning to.
public enum HeaderName {
    public static let requestID = "X-Request-ID"
    public static let tenantID = "X-Tenant-ID"
    public static let traceparent = "traceparent"
    public static let idempotencyKey = "Idempotency-Key"
    public static let ifMatch = "If-Match"
    public static let etag = "ETag"
    public static let retryAfter = "Retry-After"
    public static let authorization = "Authorization"
    /// On an answer of tenant-admin to the gateway: the e-mail address, as base64url, of the account whose owner has just been
    /// authenticated by a one-time token. The gateway removes this header.
    public static let provenAccount = "X-ERM-Proven-Account"
}

/// The keys of log metadata. One thing has one key in every service, so that one search finds its lines in all of them.
public enum LogKey {
    public static let requestID = "request.id"
    public static let traceID = "trace.id"
    public static let tenantID = "tenant.id"
    public static let userID = "user.id"
    public static let sessionID = "session.id"
    public static let jobID = "job.id"
    public static let jobAttempt = "job.attempt"
    public static let jobStep = "job.step"
    public static let modelID = "model.id"
    public static let modelKind = "model.kind"
    public static let modelVersion = "model.version"
    public static let messageID = "message.id"
    /// A user's id or `api-key:<id>`.
    public static let actor = "actor"
    public static let clientAddress = "client.address"

    public static let method = "http.method"
    /// The route's template, never the path.
    public static let route = "http.route"
    public static let status = "http.status"
    public static let problemCode = "problem.code"
    public static let bytesIn = "http.bytes.in"
    public static let bytesOut = "http.bytes.out"
    /// The connection ended before the answer did.
    public static let isCut = "http.cut"
    /// A pseudonym of the account of an attempted login.
    public static let account = "account"
    public static let durationMilliseconds = "duration.ms"
    /// Of a model: to fetch its artefact, and to verify and warm it.
    public static let fetchMilliseconds = "fetch.ms"
    public static let verifyMilliseconds = "verify.ms"
    public static let upstream = "upstream"
    public static let upstreamAddress = "upstream.address"
    /// The addresses of an upstream's nodes.
    public static let upstreamNodes = "upstream.nodes"
    public static let service = "service.name"
    public static let file = "file"
    /// The thumbprint of the identity key that signs, and how many are kept.
    public static let signingKey = "key.id"
    public static let keyCount = "keys"
    public static let listener = "listener"
    public static let port = "port"

    public static let schema = "schema"
    public static let migration = "migration"
    public static let sqlState = "sql.state"
    public static let rowCount = "rows"
    public static let tenantCount = "tenants"

    public static let error = "error"
    public static let reason = "reason"
    public static let attempt = "attempt"
    /// How long until the next attempt.
    public static let retryDelay = "retry.delay"
}

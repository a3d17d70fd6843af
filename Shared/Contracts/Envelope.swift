/// The body of every successful answer.
public struct Success<Payload: Codable & Sendable>: Codable, Sendable {
    public let success: Bool
    public let data: Payload
    /// Present on lists only.
    public let page: Page?
    /// Present on writes of people's time and bookings only.
    public let warnings: [PlanningWarning]?

    public init(_ data: Payload, page: Page? = nil, warnings: [PlanningWarning]? = nil) {
        self.success = true
        self.data = data
        self.page = page
        self.warnings = warnings
    }
}

/// Where a list goes on.
public struct Page: Codable, Sendable, Equatable {
    /// Opaque; pass it as `?cursor=`. nil on the last page.
    public let nextCursor: String?

    public init(nextCursor: String?) { self.nextCursor = nextCursor }

    public func encode(to encoder: any Encoder) throws {
        // An explicit null says "that was all", which an absent key would not.
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(nextCursor, forKey: .nextCursor)
    }

    public static let defaultLimit = 50
    public static let maximumLimit = 500
    /// Of a cursor.
    public static let maximumCursorBytes = 2048
}

/// The body of every failure: `application/problem+json`, RFC 9457, with the platform's own members.
public struct Problem: Codable, Sendable {
    public let success: Bool
    /// One clear sentence.
    public let error: String
    public let code: ErrorCode
    public let type: String
    public let title: String
    public let status: Int
    public let detail: String
    public let requestId: String
    public let errors: [FieldError]

    public init(
        status: Int, title: String, code: ErrorCode, error: String, requestId: String, errors: [FieldError] = []
    ) {
        self.success = false
        self.error = error
        self.code = code
        self.type = "urn:erm:problem:\(code.rawValue)"
        self.title = title
        self.status = status
        self.detail = error
        self.requestId = requestId
        self.errors = errors
    }

    public static let mediaType = "application/problem+json"
}

/// A stable, machine-readable reason. Codes are added, never renamed.
public struct ErrorCode: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    // The request.
    public static let malformedRequest = Self(rawValue: "malformed_request")
    public static let validationFailed = Self(rawValue: "validation_failed")
    public static let notFound = Self(rawValue: "not_found")
    public static let methodNotAllowed = Self(rawValue: "method_not_allowed")
    public static let conflict = Self(rawValue: "conflict")
    public static let preconditionFailed = Self(rawValue: "precondition_failed")
    public static let payloadTooLarge = Self(rawValue: "payload_too_large")
    public static let headersTooLarge = Self(rawValue: "headers_too_large")
    public static let requestTimeout = Self(rawValue: "request_timeout")
    public static let unsupportedMediaType = Self(rawValue: "unsupported_media_type")
    public static let idempotencyKeyReused = Self(rawValue: "idempotency_key_reused")
    public static let answerErased = Self(rawValue: "answer_erased")
    public static let rateLimited = Self(rawValue: "rate_limited")

    // Who is asking.
    public static let tenantRequired = Self(rawValue: "tenant_required")
    public static let tenantMismatch = Self(rawValue: "tenant_mismatch")
    public static let tenantUnavailable = Self(rawValue: "tenant_unavailable")
    public static let notAuthenticated = Self(rawValue: "not_authenticated")
    public static let invalidCredentials = Self(rawValue: "invalid_credentials")
    public static let tokenExpired = Self(rawValue: "token_expired")
    public static let lockedOut = Self(rawValue: "locked_out")
    public static let permissionDenied = Self(rawValue: "permission_denied")

    // The work.
    public static let overbooked = Self(rawValue: "overbooked")
    public static let importFailed = Self(rawValue: "import_failed")
    public static let quotaExceeded = Self(rawValue: "quota_exceeded")
    public static let notEnoughHistory = Self(rawValue: "not_enough_history")
    public static let noDeployedModel = Self(rawValue: "no_deployed_model")
    public static let modelNotValidated = Self(rawValue: "model_not_validated")
    public static let jobNotCancellable = Self(rawValue: "job_not_cancellable")

    // Our side.
    public static let upstreamTimeout = Self(rawValue: "upstream_timeout")
    public static let upstreamFailed = Self(rawValue: "upstream_failed")
    public static let serviceUnavailable = Self(rawValue: "service_unavailable")
    public static let internalError = Self(rawValue: "internal_error")
}

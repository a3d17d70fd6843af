import Contracts

/// Which problems a route may answer: those that follow from what it takes, and those of its own.
enum RouteProblems {
    /// Codes by status.
    static func of(_ route: DeclaredRoute) -> [(status: Int, codes: [String])] {
        var codes: Set<ErrorCode> = [
            .malformedRequest, .validationFailed, .headersTooLarge, .rateLimited, .internalError, .upstreamFailed,
            .serviceUnavailable, .upstreamTimeout,
        ]
        switch route.access {
        case .anyone: codes.formUnion([.notAuthenticated, .tenantUnavailable])
        case .namedTenant: codes.formUnion([.notAuthenticated, .tenantRequired, .tenantMismatch, .tenantUnavailable])
        case .signedIn:
            codes.formUnion([
                .notAuthenticated, .tokenExpired, .invalidCredentials, .tenantMismatch, .tenantUnavailable,
            ])
        case .permission:
            codes.formUnion([
                .notAuthenticated, .tokenExpired, .invalidCredentials, .permissionDenied, .tenantRequired,
                .tenantMismatch, .tenantUnavailable,
            ])
        case .platformOperator, .services:
            codes.formUnion([
                .notAuthenticated, .tokenExpired, .invalidCredentials, .permissionDenied, .tenantMismatch,
                .tenantUnavailable,
            ])
        }
        if !route.pathParameters.isEmpty { codes.insert(.notFound) }
        if route.body != nil { codes.formUnion([.payloadTooLarge, .unsupportedMediaType, .requestTimeout]) }
        if route.headers.contains(.ifMatch) { codes.insert(.preconditionFailed) }
        if route.headers.contains(.idempotencyKey) { codes.insert(.idempotencyKeyReused) }
        codes.formUnion(route.fails)
        let byStatus = Dictionary(grouping: codes, by: status)
        return byStatus.map { ($0, $1.map(\.rawValue).sorted()) }.sorted { $0.status < $1.status }
    }

    /// The status that goes with a code.
    private static func status(of code: ErrorCode) -> Int {
        switch code {
        case .malformedRequest, .tenantRequired: 400
        case .notAuthenticated, .invalidCredentials, .tokenExpired: 401
        case .permissionDenied, .tenantMismatch, .tenantUnavailable, .quotaExceeded: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .conflict, .modelNotValidated, .jobNotCancellable, .noDeployedModel: 409
        case .preconditionFailed: 412
        case .payloadTooLarge: 413
        case .unsupportedMediaType: 415
        case .rateLimited, .lockedOut: 429
        case .headersTooLarge: 431
        case .internalError: 500
        case .upstreamFailed: 502
        case .serviceUnavailable: 503
        case .upstreamTimeout: 504
        default: 422
        }
    }
}

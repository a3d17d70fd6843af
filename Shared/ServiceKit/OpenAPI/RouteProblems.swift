import Contracts
import HTTPTypes

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
        if route.headers.contains(.idempotencyKey) { codes.formUnion([.idempotencyKeyReused, .answerErased]) }
        codes.formUnion(route.fails)
        let byStatus = Dictionary(grouping: codes) { status(of: $0).code }
        return byStatus.map { ($0, $1.map(\.rawValue).sorted()) }.sorted { $0.status < $1.status }
    }

    /// Refers to the code's example among ``examples``.
    static func example(_ code: String) -> JSONValue {
        .object(["$ref": .string("#/components/examples/\(code)")])
    }

    /// A problem of each code, by the code.
    static var examples: [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: statuses.map { code, status in
                let problem = ProblemError(status: status, message: nil, headers: [:])
                let errors: [JSONValue] =
                    code == .validationFailed
                    ? [
                        .object(["field": .string("limit"), "message": .string("must be a whole number from 1 to 500")])
                    ]
                    : []
                let members: [String: JSONValue] = [
                    "success": .bool(false), "error": .string(problem.sentence), "code": .string(code.rawValue),
                    "type": .string("urn:erm:problem:\(code)"), "title": .string(status.reasonPhrase),
                    "status": .integer(status.code), "detail": .string(problem.sentence),
                    "requestId": .string("5e0f6c1d2b7a4980"), "errors": .array(errors),
                ]
                return (code.rawValue, .object(["value": .object(members)]))
            })
    }

    /// The status that goes with a code.
    private static func status(of code: ErrorCode) -> HTTPResponse.Status {
        guard let status = statuses[code] else { preconditionFailure("no status is listed for the code \(code)") }
        return status
    }

    private static let statuses: [ErrorCode: HTTPResponse.Status] = [
        .malformedRequest: .badRequest, .tenantRequired: .badRequest,
        .notAuthenticated: .unauthorized, .invalidCredentials: .unauthorized, .tokenExpired: .unauthorized,
        .permissionDenied: .forbidden, .tenantMismatch: .forbidden, .tenantUnavailable: .forbidden,
        .quotaExceeded: .forbidden,
        .notFound: .notFound, .methodNotAllowed: .methodNotAllowed, .requestTimeout: .requestTimeout,
        .conflict: .conflict, .overbooked: .conflict, .modelNotValidated: .conflict, .jobNotCancellable: .conflict,
        .noDeployedModel: .notFound, .answerErased: .gone,
        .preconditionFailed: .preconditionFailed, .payloadTooLarge: .contentTooLarge,
        .unsupportedMediaType: .unsupportedMediaType,
        .validationFailed: .unprocessableContent, .idempotencyKeyReused: .unprocessableContent,
        .importFailed: .unprocessableContent, .notEnoughHistory: .unprocessableContent,
        .rateLimited: .tooManyRequests, .lockedOut: .tooManyRequests, .headersTooLarge: .requestHeaderFieldsTooLarge,
        .internalError: .internalServerError, .upstreamFailed: .badGateway, .serviceUnavailable: .serviceUnavailable,
        .upstreamTimeout: .gatewayTimeout,
    ]
}

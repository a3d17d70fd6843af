public import Contracts
import HTTPTypes
public import Hummingbird

// What writes of people's time and bookings answer: the resource, and beside it the `warnings` for the planner.

/// `?dryRun=true`: says all that would happen and does nothing.
public struct WriteMode: RouteQuery {
    public let isDryRun: Bool

    public init(_ query: inout QueryParameters) { isDryRun = query.bool("dryRun") ?? false }
}

/// 201, a new resource and where it is; 200 for one that a dry run did not make.
public struct CreatedWithWarnings<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let warnings: [PlanningWarning]
    let headers: HTTPFields
    let isDryRun: Bool

    /// - Parameter path: of the resource below the API's root.
    public init(
        _ payload: Payload, _ warnings: [PlanningWarning], tag: EntityTag, at path: String, _ mode: WriteMode
    ) {
        self.payload = payload
        self.warnings = warnings
        isDryRun = mode.isDryRun
        headers = mode.isDryRun ? [:] : [.location: "/api/v1/\(path)", .eTag: tag.headerValue]
    }

    public static var description: AnswerDescription {
        .init(.created, .ok, content: [.data(Payload.self)], headers: [.eTag, .location], hasWarnings: true)
    }

    public func response(to request: Request) throws -> Response {
        try Answer.data(payload, status: isDryRun ? .ok : .created, headers: headers, warnings: warnings)
    }
}

/// 200, a resource as it is now, or as it would be after a dry run.
public struct ChangedWithWarnings<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let warnings: [PlanningWarning]
    let tag: EntityTag?

    public init(_ payload: Payload, _ warnings: [PlanningWarning], tag: EntityTag, _ mode: WriteMode) {
        self.payload = payload
        self.warnings = warnings
        // A version that does not exist can be held to nothing.
        self.tag = mode.isDryRun ? nil : tag
    }

    public static var description: AnswerDescription {
        .init(.ok, content: [.data(Payload.self)], headers: [.eTag], hasWarnings: true)
    }

    public func response(to request: Request) throws -> Response {
        try Answer.data(payload, headers: tag.map { [.eTag: $0.headerValue] } ?? [:], warnings: warnings)
    }
}

/// 204 when there is nothing to say; 200 with what is gone, or would be, where there are warnings or it was a dry run.
public struct RemovedWithWarnings<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let warnings: [PlanningWarning]
    let isDryRun: Bool

    public init(_ payload: Payload, _ warnings: [PlanningWarning], _ mode: WriteMode) {
        self.payload = payload
        self.warnings = warnings
        isDryRun = mode.isDryRun
    }

    public static var description: AnswerDescription {
        .init(.noContent, .ok, content: [.data(Payload.self)], hasWarnings: true)
    }

    public func response(to request: Request) throws -> Response {
        if warnings.isEmpty && !isDryRun { return Answer.noContent() }
        return try Answer.data(payload, warnings: warnings)
    }
}

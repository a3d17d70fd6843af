import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/training/schedule | ml: read |
/// | PUT | /api/v1/training/schedule | ml: train; with `deployAutomatically` ml: deploy too |
/// | DELETE | /api/v1/training/schedule | ml: train |
struct ScheduleController: Sendable {
    let store: any ScheduleStore
    let wake: WakeSignal
    let now: @Sendable () -> Date

    init(store: any ScheduleStore, wake: WakeSignal, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.wake = wake
        self.now = now
    }

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("training/schedule", use: schedule)
            .put("training/schedule", use: put)
            .delete("training/schedule", use: delete)
    }

    private func schedule(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        try request.rejectQuery()
        guard let stored = try await store.schedule(tenant: caller.tenant) else {
            throw ProblemError.notFound("Training schedule")
        }
        return try answer(stored)
    }

    private func put(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.train, on: .ml)
        try request.rejectQuery()
        let payload = try await request.payload(TrainingScheduleRequest.self, context: context)
        if payload.deployAutomatically == true, !caller.permissions.allow(.deploy, on: .ml) {
            throw ProblemError.permissionDenied("Deploying automatically needs the permission ml: deploy.")
        }
        let setting = ScheduleSetting(payload, by: caller.subject)
        let stored = try await store.put(setting, tenant: caller.tenant, by: context.author()) {
            try Self.check($0, request)
        }
        wake.wakeAll()
        return try answer(stored)
    }

    private func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.train, on: .ml)
        try request.rejectQuery()
        guard
            try await store.delete(
                tenant: caller.tenant, by: context.author(), check: { try Self.check($0, request) })
        else {
            throw ProblemError.notFound("Training schedule")
        }
        return Answer.noContent()
    }

    /// The tag is of the setting, which is what `If-Match` protects; the state beside it changes by itself, so a GET is
    /// always answered in full.
    private func answer(_ stored: StoredSchedule) throws -> Response {
        try Answer.data(
            stored.answer(at: now()), headers: [.eTag: EntityTag(version: stored.revision).headerValue])
    }

    private static func check(_ revision: Int?, _ request: Request) throws {
        guard let revision else {
            // Nothing there can match any tag, `*` included.
            if request.headers[.ifMatch] != nil { throw ProblemError.preconditionFailed() }
            return
        }
        try EntityTag(version: revision).checkIfMatch(request)
    }
}

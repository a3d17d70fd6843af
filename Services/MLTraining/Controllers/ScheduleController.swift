import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Training at regular intervals.
struct ScheduleController: Controller {
    let store: any ScheduleStore
    let wake: WakeSignal
    let now: @Sendable () -> Date

    init(store: any ScheduleStore, wake: WakeSignal, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.wake = wake
        self.now = now
    }

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .get, "training/schedule", "getTrainingSchedule", .may(.read, .ml), fails: [.notFound], use: schedule)
        // Deploying automatically needs ml:deploy too.
        routes.on(.put, "training/schedule", "putTrainingSchedule", .may(.train, .ml), takes: [.ifMatch], use: put)
        routes.on(
            .delete, "training/schedule", "deleteTrainingSchedule", .may(.train, .ml), takes: [.ifMatch],
            fails: [.notFound], use: delete)
    }

    private func schedule(_ call: TenantCall) async throws -> ScheduleAnswer {
        guard let stored = try await store.schedule(tenant: call.tenant) else {
            throw ProblemError.notFound("Training schedule")
        }
        return answer(stored)
    }

    private func put(_ call: TenantCall, _ payload: TrainingScheduleRequest) async throws -> ScheduleAnswer {
        if payload.deployAutomatically == true, !call.caller.permissions.allow(.deploy, on: .ml) {
            throw ProblemError.permissionDenied("Deploying automatically needs the permission ml: deploy.")
        }
        let setting = ScheduleSetting(payload, by: call.caller.subject)
        let stored = try await store.put(setting, tenant: call.tenant, by: call.author) { try Self.check($0, call) }
        wake.wakeAll()
        return answer(stored)
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        guard
            try await store.delete(tenant: call.tenant, by: call.author, check: { try Self.check($0, call) })
        else {
            throw ProblemError.notFound("Training schedule")
        }
        return NoContent()
    }

    private func answer(_ stored: StoredSchedule) -> ScheduleAnswer {
        ScheduleAnswer(schedule: stored.answer(at: now()), tag: EntityTag(version: stored.revision))
    }

    private static func check(_ revision: Int?, _ call: TenantCall) throws {
        try call.checkIfMatch(tag: revision.map { EntityTag(version: $0) })
    }
}

/// The tag is of the setting, which is what `If-Match` protects; the state beside it changes by itself, so a GET is always
/// answered in full.
struct ScheduleAnswer: RouteAnswer {
    let schedule: TrainingSchedule
    let tag: EntityTag

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.data(TrainingSchedule.self)], headers: [.eTag])
    }

    func response(to request: Request) throws -> Response {
        try Answer.data(schedule, headers: [.eTag: tag.headerValue])
    }
}

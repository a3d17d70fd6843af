import Contracts
import Foundation
import HTTPTypes
import ServiceKit

/// How much training a tenant's plan allows.
protocol TrainingAllowance: Sendable {
    /// Hours per calendar month.
    /// - Throws: `ProblemError` 503 when it cannot be asked, 403 when the tenant is not active.
    func hours(of tenant: TenantID, trace: TraceContext) async throws -> Int
}

/// tenant-admin's word on it, asked each time: a job is rare, and a raised limit counts at once.
struct TenantAdminAllowance: TrainingAllowance {
    let client: ServiceClient

    func hours(of tenant: TenantID, trace: TraceContext) async throws -> Int {
        do {
            return try await client.get(
                "/internal/v1/tenants/\(tenant)/limits", as: TenantLimits.self, trace: trace
            ).mlTrainingHours
        } catch let problem as ProblemError where problem.status == .forbidden {
            throw problem
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // Fails closed: without an answer there is no allowance.
            throw ProblemError.unavailable(
                "The plan's training hours cannot be looked up at the moment; try again.", cause: error)
        }
    }
}

/// Holds tenants to their plan's `ml_training_hours`.
struct TrainingQuota: Sendable {
    let store: any JobStore
    let allowance: any TrainingAllowance
    let now: @Sendable () -> Date

    init(store: any JobStore, allowance: any TrainingAllowance, now: @escaping @Sendable () -> Date = { Date() }) {
        self.store = store
        self.allowance = allowance
        self.now = now
    }

    /// - Throws: `ProblemError` 503 when the plan cannot be asked.
    func usage(of tenant: TenantID, trace: TraceContext) async throws -> TrainingUsage {
        let allowed = try await allowance.hours(of: tenant, trace: trace)
        let month = CalendarMonth(now())
        let (busySeconds, open) = try await store.workload(tenant: tenant, since: month.span.lowerBound)
        let measured = open.isEmpty ? [] : try await store.measuredJobs(tenant: tenant, limit: 20)
        let reserved = open.reduce(0.0) { sum, job in
            let estimate = TrainingEstimate.seconds(months: job.months, epochs: job.epochs, measured: measured) ?? 0
            return sum + max(0, estimate - job.busySeconds)
        }
        return TrainingUsage(
            month: month.description, usedHours: busySeconds / 3600, openJobs: open.count,
            reservedHours: reserved / 3600, allowedHours: allowed)
    }

    /// - Throws: `ProblemError` 403 `quota_exceeded` when nothing remains of this month's hours, and as ``usage(of:trace:)``.
    func requireRoom(for tenant: TenantID, trace: TraceContext) async throws {
        let usage = try await usage(of: tenant, trace: trace)
        guard usage.remainingHours <= 0 else { return }
        throw ProblemError.permissionDenied(Self.sentence(usage, CalendarMonth(now())), code: .quotaExceeded)
    }

    /// For a job about to be taken up: open jobs do not count against it, being one of them.
    /// - Throws: `AttemptEnd.failed` when the month's hours are used up, and as ``usage(of:trace:)``.
    func requireHours(for tenant: TenantID) async throws {
        let usage = try await usage(of: tenant, trace: TraceContext())
        guard usage.usedHours >= Double(usage.allowedHours) else { return }
        let spent = TrainingUsage(
            month: usage.month, usedHours: usage.usedHours, openJobs: 0, reservedHours: 0,
            allowedHours: usage.allowedHours)
        throw AttemptEnd.failed(
            JobFailure(code: .quotaExceeded, sentence: Self.sentence(spent, CalendarMonth(now()))))
    }

    private static func sentence(_ usage: TrainingUsage, _ month: CalendarMonth) -> String {
        let jobs = "\(usage.openJobs) open job\(usage.openJobs == 1 ? "" : "s")"
        let reserved = usage.reservedHours > 0 ? ", and \(words(usage.reservedHours)) are needed by \(jobs)" : ""
        return "The plan allows \(usage.allowedHours) training hours a month: \(words(usage.usedHours)) are used"
            + "\(reserved). More are there from \(CivilDate(month.span.upperBound)), or with a larger plan."
    }

    /// Two digits are enough for people.
    private static func words(_ hours: Double) -> String {
        hours.formatted(.number.precision(.fractionLength(0...2)).grouping(.never).locale(Locale(identifier: "en_US")))
    }
}

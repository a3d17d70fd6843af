import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

/// What was known when: bookings and projects as first decided, beside what they say today.
@Suite("Decision versions")
struct DecisionVersionTests {
    @Test("edits after the decision change nothing that a model may know of it, and every version is kept")
    func editsAfterTheDecision() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let booking = try await book(in: tenant.id, service)
            let decided = try await learned(booking.id, in: tenant.id, service)

            for edit in [
                #"{"allocatedHours": 99, "startDate": "2026-03-09", "endDate": "2026-06-30"}"#,
                #"{"labels": {"priority": "low"}, "requiredSkills": ["Rust"], "commitment": "soft"}"#,
                #"{"allocationPercentage": 10, "hoursPerDay": 2}"#,
            ] {
                let path = "/api/v1/allocations/\(booking.id)"
                #expect(try await service.send(.patch, path, as: service.token(tenant.id), text: edit).status == 200)
            }
            var now = try await learned(booking.id, in: tenant.id, service)
            let versions = try await Allocations(database: TenantDatabase(pool: service.pool))
                .versions(of: booking.id, in: tenant.id)

            // That it is tentative is known from the edit on, and not at the decision.
            #expect(try #require(now.softSince) > decided.decidedAt && decided.softSince == nil)
            now.softSince = nil
            #expect(now == decided)
            #expect(decided.plannedHours == 40)
            #expect(decided.skills == ["Swift"])
            #expect(decided.labels == ["priority": "high"])
            #expect(versions.map(\.version) == [4, 3, 2, 1])
            #expect(versions.map(\.allocatedHours) == [99, 99, 99, 40])
            #expect(versions.first?.validUntil == nil)
            #expect(zip(versions.dropFirst(), versions).allSatisfy { $0.validUntil == $1.validFrom })
        }
    }

    @Test("a booking reassigned to another person is decided anew, for that person, at that moment")
    func givenToSomebodyElse() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let booking = try await book(in: tenant.id, service)
            let path = "/api/v1/allocations/\(booking.id)"
            let other = try #require(
                try await service.all("employees", of: tenant.id, as: Employee.self).first {
                    $0.id != booking.employeeId
                })
            func patch(_ body: String) async throws {
                #expect(try await service.send(.patch, path, as: service.token(tenant.id), text: body).status == 200)
            }

            try await patch(#"{"allocatedHours": 60}"#)
            try await patch(#"{"employeeId": "\#(other.id)", "allocatedHours": 50}"#)
            let moved = try await learned(booking.id, in: tenant.id, service)
            try await patch(#"{"allocatedHours": 70}"#)
            let later = try await learned(booking.id, in: tenant.id, service)

            #expect(moved.employee == other.id.description)
            #expect(moved.plannedHours == 50)
            #expect(later.employee == other.id.description)
            #expect(later.plannedHours == 50)
            #expect(later.decidedAt == moved.decidedAt)
            #expect(later.decidedAt > booking.createdAt.timeIntervalSince1970)
        }
    }

    @Test("a project's dates are known as they stood at the moment asked about")
    func projectDates() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let booking = try await book(in: tenant.id, service)
            let path = "/api/v1/projects/\(booking.projectId)"
            let edit = #"{"estimatedEndDate": "2026-12-31", "endDate": "2026-02-01", "status": "completed"}"#

            #expect(try await service.send(.patch, path, as: service.token(tenant.id), text: edit).status == 200)
            let line = try #require(try await service.history(tenant.id).compactMap(\.project).first)
            let earlier = try #require(line.earlierVersions?.first)

            #expect(line.earlierVersions?.count == 1)
            #expect(earlier.estimatedEndDate == CivilDate("2026-04-30"))
            #expect(earlier.endDate == nil)
            #expect(ProjectFacts(line).earlier?.first?.dates.end == nil)
        }
    }

    @Test("history that was imported rests on the importer's word; without the word only its plan counts")
    func importedHistory() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let booking = try await book(in: tenant.id, service, createdAt: "2025-01-01T00:00:00.000Z")

            let stated = try await learned(booking.id, in: tenant.id, service)
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("UPDATE resource_allocations SET history_known = false")
            }
            let unknown = try await learned(booking.id, in: tenant.id, service)

            #expect(stated.evidence == .stated)
            #expect(stated.skills == ["Swift"])
            #expect(unknown.evidence == .unknown)
            #expect(unknown.plannedHours == 40)
            #expect(
                unknown.skills.isEmpty && unknown.labels.isEmpty && unknown.start == nil && unknown.plannedEnd == nil)
        }
    }

    // MARK: Arranging

    /// Two people, a project, and a booking of 40 hours with a skill and a label.
    @Test(
        "a booking moved after its completion is learned as it was decided for who had the work, and moved before, anew"
    )
    func movedAfterTheOutcome() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let booking = try await book(in: tenant.id, service, createdAt: "2025-01-01T00:00:00.000Z")
            let path = "/api/v1/allocations/\(booking.id)"
            func patch(_ body: String) async throws {
                #expect(try await service.send(.patch, path, as: service.token(tenant.id), text: body).status == 200)
            }
            let other = try #require(
                try await service.all("employees", of: tenant.id, as: Employee.self).first {
                    $0.id != booking.employeeId
                })
            try await patch(#"{"completedAt": "2025-02-01T00:00:00.000Z", "actualHours": 55}"#)
            let before = try await learned(booking.id, in: tenant.id, service)
            try await patch(#"{"employeeId": "\#(other.id)"}"#)
            try await patch(#"{"allocatedHours": 70, "labels": {"late": "yes"}}"#)
            let after = try await learned(booking.id, in: tenant.id, service)
            let now: Contracts.Allocation = try await service.send(.get, path, as: service.token(tenant.id)).data()

            #expect(after == before && after.employee == booking.employeeId.description)
            #expect(now.employeeId == other.id && now.decided?.employeeId == booking.employeeId)
            // Not finished any more, so that the work is the other's: decided when the booking was given to them.
            try await patch(#"{"completedAt": null, "actualHours": null}"#)
            let reopened = try await learned(booking.id, in: tenant.id, service)
            #expect(reopened.employee == other.id.description && reopened.decidedAt > before.decidedAt)
        }
    }

    private func book(
        in tenant: TenantID, _ service: TestService, createdAt: String? = nil
    ) async throws -> Contracts.Allocation {
        let token = try service.token(tenant)
        func make<T: Codable & Sendable>(_ path: String, _ body: String, _ type: T.Type) async throws -> T {
            try await service.send(.post, "/api/v1/\(path)", as: token, text: body).data(T.self)
        }
        let person = try await make("employees", #"{"externalId": "E1", "name": "Ada"}"#, Employee.self)
        _ = try await make("employees", #"{"externalId": "E2", "name": "Bob"}"#, Employee.self)
        let project = try await make(
            "projects",
            #"{"externalId": "P1", "name": "Bridge", "status": "in_progress", "estimatedEndDate": "2026-04-30"}"#,
            Project.self)
        let moment = createdAt.map { #", "createdAt": "\#($0)""# } ?? ""
        return try await make(
            "allocations",
            #"""
            {"externalId": "A1", "employeeId": "\#(person.id)", "projectId": "\#(project.id)", "allocatedHours": 40,
             "requiredSkills": ["Swift"], "labels": {"priority": "high"}, "startDate": "2026-03-02", "endDate": "2026-03-31"\#(moment)}
            """#, Contracts.Allocation.self)
    }

    /// What Forecasting makes of the booking's line in the feed.
    private func learned(
        _ id: AllocationID, in tenant: TenantID, _ service: TestService
    ) async throws -> Forecasting.Allocation {
        let lines = try await service.history(tenant).compactMap(\.allocation)
        return Forecasting.Allocation(try #require(lines.first { $0.id == id }))
    }
}

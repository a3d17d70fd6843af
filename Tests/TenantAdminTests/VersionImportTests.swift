import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Testing

@testable import TenantAdmin

/// What an import says that bookings and projects were before.
@Suite("Imports of versions")
struct VersionImportTests {
    private static let header =
        "external_id,valid_from,valid_until,allocated_hours,start_date,end_date,labels,title\n"

    private func prepared(_ service: TestService) async throws -> TenantID {
        let tenant = try await service.createTenant("acme").id
        for (kind, text) in [
            (ImportKind.employees, "external_id,name\nE1,Ann\n"),
            (.projects, "external_id,name,status\nP1,P,completed\n"),
            (
                .allocations,
                "external_id,employee_external_id,project_external_id,allocated_hours,planned_hours,start_date,end_date,created_at,title\n"
                    + "A1,E1,P1,90,40,2024-03-11,2024-04-30,2024-01-10,Third\n"
            ),
        ] {
            let reply = try await service.importCSV(kind, text, into: tenant)
            #expect(reply.status == 201, "\(reply.text)")
        }
        return tenant
    }

    private func bring(
        _ rows: String, into tenant: TenantID, _ service: TestService, _ kind: ImportKind = .allocationVersions
    ) async throws -> ImportReport {
        let reply = try await service.importCSV(
            kind, (kind == .allocationVersions ? Self.header : "") + rows, into: tenant)
        #expect(reply.status == 201, "\(reply.text)")
        return try reply.data()
    }

    @Test("versions of the past say what was decided, whatever the order in which they come, and stay as they are")
    func allocations() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let second = "A1,2024-02-01,2024-02-20,60,2024-03-04,2024-03-29,,Second\n"
            let first = "A1,2024-01-10,,40,2024-03-04,2024-03-15,priority=high,First\n"
            #expect(try await bring(second, into: tenant, service).inserted == 1)
            let report = try await bring(first + second, into: tenant, service)
            #expect(report.inserted == 1 && report.unchanged == 1 && report.warnings.isEmpty)

            let booking = try await service.all("allocations", of: tenant, as: Contracts.Allocation.self)[0]
            let decided = try #require(booking.decided)
            #expect(decided.plannedHours == 40 && decided.title == "First" && decided.labels == ["priority": "high"])
            #expect(decided.endDate == CivilDate("2024-03-15"))
            #expect(decided.decidedAt == CivilDate("2024-01-10")?.startOfDay)
            let versions = try await Allocations(database: TenantDatabase(pool: service.pool))
                .versions(of: booking.id, in: tenant)
            #expect(versions.map(\.version) == [3, 2, 1])
            #expect(versions.map(\.title) == ["Third", "Second", "First"])
            #expect(versions.map(\.allocatedHours) == [90, 60, 40])
            #expect(versions[0].validFrom == CivilDate("2024-02-20")?.startOfDay)
            #expect(versions[2].validUntil == versions[1].validFrom)
            let line = try #require(try await service.history(tenant).compactMap(\.allocation).first)
            #expect(line.earlier?.map(\.allocatedHours) == [40, 60])
            #expect(line.earlier?.map(\.employeeId) == [booking.employeeId, booking.employeeId])
            let learned = Forecasting.Allocation(line)
            #expect(learned.plannedHours == 40 && learned.evidence == .stated)

            // An edit goes on from there.
            let edited = try await service.send(
                .patch, "/api/v1/allocations/\(booking.id)", as: service.token(tenant), text: #"{"title":"Fourth"}"#)
            #expect(try edited.data(Contracts.Allocation.self).decided?.title == "First")
            #expect(try await bring(first + second, into: tenant, service).unchanged == 2)
        }
    }

    @Test("a version that contradicts a stored one, has no person, runs backwards or is too long is named by its line")
    func bad() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            _ = try await bring("A1,2024-01-10,2024-02-01,40,2024-03-04,,,\n", into: tenant, service)
            let reply = try await service.importCSV(
                .allocationVersions,
                Self.header + "A1,2024-01-10,2024-02-01,41,2024-03-04,,,\nA2,2024-01-10,,40,2024-03-04,,,\n"
                    + "A1,2024-03-10,2024-03-01,40,2024-03-04,,,\nA1,2024-01-20,,40,2024-03-04,2094-01-01,,\n"
                    + "A1,2094-01-20,,40,2024-03-04,,,\n",
                into: tenant)
            #expect(reply.status == 422)
            #expect(
                try reply.problem.errors.map(\.field) == [
                    "line 2, valid_from", "line 3, external_id", "line 4, valid_until", "line 5, end_date",
                    "line 6, valid_from",
                ])
            let odd = try await bring("A1,2024-01-05,,8,2024-03-04,,,\n", into: tenant, service)
            #expect(odd.warnings.map(\.column) == ["allocated_hours"])
        }
    }

    @Test("a project's versions of the past are what it said then")
    func projects() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let rows =
                "external_id,valid_from,valid_until,status,estimated_end_date\nP1,2024-01-01,2024-03-01,planned,2024-06-30\n"
            #expect(try await bring(rows, into: tenant, service, .projectVersions).inserted == 1)
            #expect(try await bring(rows, into: tenant, service, .projectVersions).unchanged == 1)
            let project = try await service.all("projects", of: tenant, as: Project.self)[0]
            let version = try #require(project.earlierVersions?.first)
            #expect(version.status == .planned && version.estimatedEndDate == CivilDate("2024-06-30"))
            #expect(version.validUntil == CivilDate("2024-03-01")?.startOfDay)
        }
    }
}

import Contracts
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Reports")
struct ReportTests {
    // 2024-03-04 is a Monday.
    private static let people = """
        external_id,name,department,weekly_capacity_hours,hired_on,left_on
        E1,Anna,Lab,40,,
        E2,Berta,Office,20,2024-03-06,
        E3,Cleo,Lab,40,,2024-03-04

        """
    private static let work = "external_id,name,status\nP1,Bridge,in_progress\nP2,Tunnel,cancelled\n"
    /// A1: 40 h over 10 working days. A2: 8 h at 80 % without an end: two days. A3: of a cancelled project. A4: finished on
    /// the Tuesday.
    private static let allocations =
        ImportTests.allocationHeader
        + "A1,E1,P1,50,40,,,2024-03-04,2024-03-15,,2024-03-01,\n" + "A2,E1,P1,80,12.8,,,2024-03-07,,,2024-03-01,\n"
        + "A3,E1,P2,100,40,,,2024-03-04,2024-03-08,,2024-03-01,\n"
        + "A4,E2,P1,100,12,,,2024-03-06,2024-03-08,2024-03-07T12:00:00Z,2024-03-01,\n"

    private func prepared(_ service: TestService) async throws -> TenantID {
        let tenant = try await service.createTenant("acme")
        for (kind, text) in [
            (ImportKind.employees, Self.people), (.projects, Self.work), (.allocations, Self.allocations),
            (.capacityHistory, "employee_external_id,date,utilization_rate\nE1,2024-03-04,50\nE1,2024-03-05,100\n"),
        ] {
            let reply = try await service.importCSV(kind, text, into: tenant.id)
            #expect(reply.status == 201, "\(reply.text)")
        }
        return tenant.id
    }

    private let week = "from=2024-03-04&to=2024-03-10"

    @Test(
        "utilisation counts capacity while employed, hard and soft bookings in the window, and only what was recorded")
    func utilization() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let rows = try await service.all("reports/utilization?\(week)", of: tenant, as: UtilizationRow.self)

            #expect(rows.map(\.employee?.externalId) == ["E1", "E2", "E3"])
            // E1: 5 of A1's 10 working days and all of A2; the project of A3 is cancelled.
            #expect(rows[0].capacityHours == 40)
            #expect(rows[0].plannedHours == 32.8)
            #expect(rows[0].plannedPercent == 82)
            #expect(rows[0].recordedDays == 2)
            #expect(rows[0].recordedHours == 12)
            #expect(rows[0].recordedPercent == 75)
            // E2 was hired on the Wednesday: three days of four hours. A4 was done on the Thursday.
            #expect(rows[1].capacityHours == 12)
            #expect(rows[1].hardHours == 8)
            #expect(rows[1].percent == 66.6667)
            #expect(rows[1].actualHours == nil)
            #expect(rows[1].recordedPercent == nil)
            // The last day is worked.
            #expect(rows[2].capacityHours == 8)
            #expect([rows[0].numerator, rows[0].denominator] == ["hardHours", "capacityHours"])
        }
    }

    @Test("free time is computed day by day, without finished or cancelled work")
    func availability() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let rows = try await service.all(
                "reports/availability?\(week)&period=week", of: tenant, as: AvailabilityRow.self)
            let office = try await service.all(
                "reports/availability?\(week)&department=%20OFFICE", of: tenant, as: AvailabilityRow.self)

            #expect(rows.map(\.employee.externalId) == ["E1", "E2", "E3"])
            // E1: A1 takes half of each day; A2 80 % of Thursday and Friday, which are then full.
            #expect(rows[0].committedHours == 32.8)
            #expect(rows[0].freeHours == 12)
            #expect(rows[0].freePercent == 30)
            #expect(rows[0].periods?.map(\.freeHours) == [12])
            // E2: A4 was done on the Thursday; the Friday is free.
            #expect(rows[1].freeHours == 4)
            #expect(rows[2].freeHours == 8)
            #expect(office.map(\.employee.name) == ["Berta"])
            #expect(office[0].periods == nil)
        }
    }

    @Test("over-allocations name the days, how much, and by what")
    func overAllocations() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let rows = try await service.all(
                "reports/over-allocations?from=2024-03-01&to=2024-03-31", of: tenant, as: OverAllocationRow.self)
            let before = try await service.all(
                "reports/over-allocations?from=2024-03-01&to=2024-03-06", of: tenant, as: OverAllocationRow.self)

            #expect(rows.count == 1)
            #expect(rows[0].employee.name == "Anna")
            #expect(rows[0].peakPercent == 130)
            #expect(rows[0].overHours == 4.8)
            let period = try #require(rows[0].periods.first)
            #expect(rows[0].periods.count == 1)
            #expect(period.from.description == "2024-03-07")
            #expect(period.to.description == "2024-03-08")
            #expect(period.overHours == 4.8)
            #expect(period.allocations == ["A1", "A2"])
            #expect(period.bookings.count == 2)
            #expect(before.isEmpty)
        }
    }

    @Test("rows come in pages, by employee or department; a window is asked for, in order and not too long")
    func windowsAndPages() async throws {
        try await TestService.run { service in
            let tenant = try await prepared(service)
            let token = try service.token(tenant)
            func refused(_ query: String) async throws -> [String] {
                try await service.send(.get, "/api/v1/reports/utilization?\(query)", as: token).problem.errors.map(
                    \.field)
            }
            let first = try await service.send(.get, "/api/v1/reports/utilization?\(week)&limit=1", as: token)
                .list(UtilizationRow.self)
            let next = try #require(first.next)
            let rest = try await service.send(
                .get, "/api/v1/reports/utilization?\(week)&limit=1&cursor=\(next)", as: token
            ).list(UtilizationRow.self)
            let berta = try await service.all(
                "reports/utilization?\(week)&employeeId=\(try #require(rest.items[0].employee).id)", of: tenant,
                as: UtilizationRow.self)

            let both = (first.items + rest.items).compactMap { $0.employee?.id }
                .map { "&employeeId=\($0)" }.joined()
            let together = try await service.all(
                "reports/utilization?\(week)\(both)", of: tenant, as: UtilizationRow.self)

            #expect((first.items + rest.items).map(\.employee?.externalId) == ["E1", "E2"])
            #expect(together == first.items + rest.items)
            #expect(rest.next != nil)
            #expect(berta == rest.items)
            #expect(try await refused("") == ["from", "to"])
            #expect(try await refused("from=2024-03-02&to=2024-03-01") == ["to"])
            #expect(try await refused("from=2024-01-01&to=2025-01-01") == ["to"])
            #expect(try await refused("from=2024-02-30&to=2025-01-01&colour=1") == ["from", "colour"])
            let year = try await service.send(
                .get, "/api/v1/reports/utilization?from=2024-01-01&to=2024-12-31", as: token)
            #expect(year.status == 200)
        }
    }
}

import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

/// Four people in March 2026 whose figures are worked out on paper in `WorkedFiguresTests` of the ledger: part-timers, leave,
/// holidays, soft bookings and a leaver.
struct PlannedCompany {
    let tenant: TenantID
    let employees: [String: EmployeeID]
    let projects: [String: ProjectID]

    static let window = "from=2026-03-02&to=2026-03-29"

    init(_ service: TestService) async throws {
        tenant = try await service.createTenant("acme").id
        let token = try service.token(tenant)
        var projects: [String: ProjectID] = [:]
        for (name, status) in [("P1", "in_progress"), ("P2", "in_progress"), ("P3", "on_hold"), ("P4", "cancelled")] {
            let reply = try await service.send(
                .post, "/api/v1/projects", as: token,
                text: #"{"externalId":"\#(name)","name":"Project \#(name)","status":"\#(status)"}"#)
            projects[name] = try reply.data(Project.self).id
        }
        var employees: [String: EmployeeID] = [:]
        for (name, department, fields) in [
            ("Anna", "Lab", #""hiredOn":"2020-01-01""#), ("Ben", "Lab", #""weeklyCapacityHours":24"#),
            ("Cleo", "Office", #""hiredOn":"2024-05-01","leftOn":"2026-03-18""#),
            ("Dora", "", #""hiredOn":"2026-03-11","weeklyCapacityHours":20"#),
        ] {
            let department = department.isEmpty ? "" : #""department":"\#(department)","#
            let reply = try await service.send(
                .post, "/api/v1/employees", as: token,
                text: #"{"externalId":"\#(name)","name":"\#(name)",\#(department)\#(fields)}"#)
            employees[name] = try reply.data(Employee.self).id
        }
        self.employees = employees
        self.projects = projects
        try await Self.time(service, tenant, employees)
        for (number, fields) in Self.bookings.enumerated() {
            let (person, project, rest) = fields
            let reply = try await service.send(
                .post, "/api/v1/allocations", as: token,
                text: """
                    {"externalId":"B\(number + 1)","employeeId":"\(employees[person]!)","projectId":"\(projects[project]!)",
                    "createdAt":"2026-02-01T00:00:00.000Z",\(rest)}
                    """)
            #expect(reply.status == 201, "\(reply.text)")
        }
    }

    private static let bookings = [
        ("Anna", "P1", #""allocationPercentage":50,"startDate":"2026-03-02","endDate":"2026-03-29""#),
        ("Anna", "P2", #""allocatedHours":48,"commitment":"soft","startDate":"2026-03-09","endDate":"2026-03-27""#),
        ("Anna", "P4", #""allocationPercentage":100,"startDate":"2026-03-02","endDate":"2026-03-27""#),
        ("Ben", "P1", #""hoursPerDay":6,"startDate":"2026-03-02","endDate":"2026-03-11""#),
        ("Ben", "P2", #""allocatedHours":60,"startDate":"2026-03-16","endDate":"2026-03-26""#),
        (
            "Ben", "P1",
            #""allocatedHours":16,"startDate":"2026-03-23","endDate":"2026-03-26","completedAt":"2026-03-24T17:00:00.000Z""#
        ),
        ("Cleo", "P1", #""allocatedHours":176,"startDate":"2026-03-02","endDate":"2026-03-31""#),
        ("Dora", "P3", #""allocationPercentage":100,"startDate":"2026-03-11","endDate":"2026-03-31""#),
    ]

    /// Calendars, contracts and leave, as they stand in the tables.
    private static func time(
        _ service: TestService, _ tenant: TenantID, _ employees: [String: EmployeeID]
    ) async throws {
        let (anna, ben, dora) = (employees["Anna"]!, employees["Ben"]!, employees["Dora"]!)
        try await TenantDatabase(pool: service.pool).withTenant(tenant) { connection in
            try await connection.execute("INSERT INTO calendars (name) VALUES ('Berlin'), ('Vienna')")
            try await connection.execute(
                """
                INSERT INTO holidays (calendar_id, date, name, minutes_off)
                SELECT id, CASE name WHEN 'Berlin' THEN date '2026-03-09' ELSE date '2026-03-19' END, 'Holiday',
                    CASE name WHEN 'Vienna' THEN 240 END FROM calendars WHERE NOT is_default
                """)
            try await connection.execute(
                """
                UPDATE contracts SET calendar_id = (SELECT id FROM calendars WHERE name = 'Berlin')
                WHERE employee_id = ANY(\([anna, dora]))
                """)
            try await connection.execute(
                """
                UPDATE contracts SET weekday_minutes = '{480,480,480,0,0,0,0}',
                    calendar_id = (SELECT id FROM calendars WHERE name = 'Vienna') WHERE employee_id = \(ben)
                """)
            try await connection.execute(
                """
                INSERT INTO contracts (employee_id, effective_from, weekday_minutes, calendar_id)
                SELECT \(ben), '2026-03-16', '{480,480,480,480,0,0,0}', id FROM calendars WHERE name = 'Vienna'
                """)
            try await connection.execute(
                """
                INSERT INTO leave (employee_id, first_day, last_day, status) VALUES
                    (\(anna), '2026-03-16', '2026-03-17', 'approved'), (\(anna), '2026-03-23', '2026-03-23', 'requested')
                """)
        }
    }
}

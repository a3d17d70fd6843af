import Contracts
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Dry runs of imports")
struct DryRunTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: ImportKind
        /// Brought before, besides ``company``.
        var before: [(ImportKind, String)] = []
        let file: String
        var overbooking = Overbooking.warn
        var onError: String?
        /// What the import says that it has done.
        let counts: String
        /// Whether it warns.
        var isTold = false

        init(
            _ kind: ImportKind, _ what: String, after before: [(ImportKind, String)] = [],
            overbooking: Overbooking = .warn, onError: String? = nil, _ file: String, counts: String,
            isTold: Bool = false
        ) {
            testDescription = "\(kind.rawValue): \(what)"
            self.kind = kind
            self.before = before
            self.file = file
            self.overbooking = overbooking
            self.onError = onError
            self.counts = counts
            self.isTold = isTold
        }
    }

    /// Everybody works 40 hours a week and is booked for the week from Monday, 1 March 2027.
    private static let company: [(ImportKind, String)] = [
        (.skills, "name,category\nSwift,Languages\n"),
        (.calendars, "name,is_default\nBerlin,true\nVienna,\n"),
        (.holidays, "calendar,date,name\nBerlin,2027-01-01,New\n"),
        (
            .employees,
            "external_id,name,department,hired_on\n" + (1...5).map { "E\($0),N\($0),Lab,2020-01-01\n" }.joined()
        ),
        (.leave, "external_id,employee_external_id,first_day,last_day\nL1,E1,2027-06-01,2027-06-04\n"),
        (.projects, "external_id,name,status,required_skills\nP1,a,in_progress,Swift\nP2,b,on_hold,\n"),
        (
            .allocations,
            "external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date\n"
                + (1...5).map { "A\($0),E\($0),P1,40,2027-03-01,2027-03-05\n" }.joined()
                + "B1,E1,P2,8,2027-03-01,2027-03-05\n"
        ),
    ]

    private static let cases: [Case] = [
        Case(
            .skills, "another category, and a new one", "name,category\nswift,Tools\nZig,\n",
            counts: "1 inserted, 1 updated, 0 unchanged, 0 rejected"),
        Case(
            .departments, "a new one", "name,description\nLab,b\nOffice,\n",
            counts: "1 inserted, 1 updated, 0 unchanged, 0 rejected"),
        Case(
            .calendars, "another default, the former by name", "name,is_default\nVienna,true\nBerlin,false\nRome,\n",
            counts: "1 inserted, 1 updated, 1 unchanged, 0 rejected"),
        Case(
            .calendars, "a new default, the former without a word", "name,is_default\nRome,true\nBerlin,\n",
            counts: "1 inserted, 0 updated, 1 unchanged, 0 rejected"),
        Case(
            .calendars, "a new default, the former unnamed", "name,is_default\nRome,true\nvienna,false\n",
            counts: "1 inserted, 0 updated, 1 unchanged, 0 rejected"),
        Case(
            .holidays, "of calendars that are not there",
            "calendar,date,name\nRome,2027-01-01,a\nrome,2027-01-06,b\nBerlin,2027-01-01,Newer\nOslo,2027-01-01,c\n",
            counts: "3 inserted, 1 updated, 0 unchanged, 0 rejected"),
        Case(
            .employeeSkills, "skills that are not there, in two spellings",
            "employee_external_id,skill,level\nE1,Zig,3\nE2,zig,\nE1,Swift,\nE2,Ada,\n",
            counts: "4 inserted, 0 updated, 0 unchanged, 0 rejected"),
        Case(
            .employeeSkills, "one person's skill in two spellings", onError: "skip",
            "employee_external_id,skill\nE1,Zig\nE1,zig\nE9,Zig\n",
            counts: "1 inserted, 0 updated, 0 unchanged, 2 rejected"),
        Case(
            .projects, "skills that are not there beside one that is",
            "external_id,name,status,required_skills\nP1,a,in_progress,Swift;Quite new\nP2,b,on_hold,\nP3,c,planned,quite new\n",
            counts: "1 inserted, 1 updated, 1 unchanged, 0 rejected"),
        Case(
            .projects, "one that goes on and takes more than a person has is left out", overbooking: .refuse,
            onError: "skip", "external_id,name,status\nP2,b,in_progress\nP1,other,in_progress\nP3,c,planned\n",
            counts: "1 inserted, 1 updated, 0 unchanged, 1 rejected"),
        Case(
            .projects, "one that goes on and takes more than a person has is told",
            "external_id,name,status\nP2,b,in_progress\n",
            counts: "0 inserted, 1 updated, 0 unchanged, 0 rejected", isTold: true),
        Case(
            .allocations, "skills that are not there",
            """
            external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date,required_skills
            A2,E2,P1,40,2027-03-01,2027-03-05,Quite new>=3
            C1,E3,P1,8,2027-05-03,2027-05-03,quite new
            C2,E3,P1,8,2027-05-04,2027-05-04,

            """, counts: "2 inserted, 1 updated, 0 unchanged, 0 rejected", isTold: true),
        Case(
            .allocations, "lines that take more than a person has are left out", overbooking: .refuse, onError: "skip",
            """
            external_id,employee_external_id,project_external_id,allocated_hours,start_date,end_date,required_skills
            C1,E2,P1,8,2027-03-01,2027-03-01,
            C2,E2,P1,40,2027-03-15,2027-03-19,
            A3,E3,P1,60,2027-03-01,2027-03-05,
            C3,E2,P1,8,2027-03-15,2027-03-15,
            C4,E2,P1,8,2027-03-22,2027-03-22,Quite new
            A4,E4,P1,20,2027-03-01,2027-03-05,

            """, counts: "2 inserted, 1 updated, 0 unchanged, 3 rejected", isTold: true),
        Case(
            .allocationVersions, "skills that are not there",
            "external_id,valid_from,start_date,required_skills\nA1,2024-02-01,2027-03-01,Quite new\nA1,2024-01-01,2027-03-01,\n",
            counts: "2 inserted, 0 updated, 0 unchanged, 0 rejected", isTold: true),
        Case(
            .projectVersions, "skills that are not there",
            "external_id,valid_from,status,required_skills\nP1,2024-02-01,planned,Quite new\n",
            counts: "1 inserted, 0 updated, 0 unchanged, 0 rejected"),
        Case(
            .leave, "during bookings; one that is moved, and then named by what it has become",
            """
            external_id,employee_external_id,first_day,last_day,kind
            L1,E2,2027-03-04,2027-03-08,leave
            ,E2,2027-03-04,,leave
            ,E3,2027-03-01,,leave
            L2,E3,2027-03-02,2027-03-03,sick
            L3,E4,2027-07-01,,leave

            """, counts: "3 inserted, 1 updated, 1 unchanged, 0 rejected", isTold: true),
        Case(
            .leave, "twice the same", after: [(.leave, "employee_external_id,first_day\nE1,2027-03-01\n")],
            "employee_external_id,first_day,last_day\nE1,2027-03-01,2027-03-01\nE2,2027-08-01,2027-08-02\n",
            counts: "1 inserted, 0 updated, 1 unchanged, 0 rejected"),
        Case(
            .contracts, "calendars that are not there, fewer hours in a booked week",
            after: [(.contracts, "employee_external_id,effective_from,weekly_capacity_hours\nE3,2026-01-01,40\n")],
            """
            employee_external_id,effective_from,weekly_capacity_hours,monday,calendar
            E1,2027-03-03,20,,
            E2,2027-01-01,40,,Rome
            E3,2026-01-01,,,rome
            E4,2020-01-01,40,,
            E5,2027-04-01,,8,Vienna

            """, counts: "3 inserted, 1 updated, 1 unchanged, 0 rejected", isTold: true),
        Case(
            .contracts, "holidays of another calendar in a booked week",
            after: [(.holidays, "calendar,date,name\nVienna,2027-03-03,x\n")],
            "employee_external_id,effective_from,weekly_capacity_hours,calendar\nE1,2027-01-01,40,Vienna\n",
            counts: "1 inserted, 0 updated, 0 unchanged, 0 rejected", isTold: true),
        Case(
            .employment, "an end within a booking, and another spell",
            """
            employee_external_id,first_day,last_day
            E1,2020-01-01,2027-03-02
            E1,2028-01-01,
            E2,2020-01-01,
            E3,2020-01-01,2027-12-31

            """, counts: "1 inserted, 2 updated, 1 unchanged, 0 rejected", isTold: true),
        Case(
            .employees, "departments that are not there, ends, hours and new people",
            """
            external_id,name,department,weekly_capacity_hours,effective_from,hired_on,left_on,inactive_from
            E1,N1,Lab,,,2020-01-01,2027-03-02,
            E2,N2,,20,2027-01-01,,,
            E3,N3,Office,,,,,2027-03-03
            E4,N4,lab,40,2020-01-01,,,
            E5,N5,office,,,2028-01-01,,
            E6,N6,Office,38.5,,2027-01-01,,
            E7,N7,,,,,,

            """, counts: "2 inserted, 4 updated, 1 unchanged, 0 rejected", isTold: true),
        Case(
            .employees, "a second spell of somebody who has left",
            after: [(.employees, "external_id,name,left_on\nE1,N1,2026-12-31\n")],
            "external_id,name,hired_on,left_on\nE1,N1,2027-03-03,\nE2,N2,2019-01-01,\n",
            counts: "0 inserted, 2 updated, 0 unchanged, 0 rejected", isTold: true),
    ]

    @Test(
        "a dry run says what the import then does, and writes nothing that has to be taken back", arguments: cases)
    func sameAsImport(of test: Case) async throws {
        try await TestService.run { service in
            // Twins: what a dry run leaves in the tables of the one is not in the other's.
            let (tenant, twin) = (try await Planner(service, "acme"), try await Planner(service, "twin"))
            for planner in [tenant, twin] {
                for (kind, file) in Self.company + test.before {
                    let reply = try await service.importCSV(kind, file, into: planner.tenant.id)
                    try #require(reply.status == 201, "\(reply.text)")
                }
                try await planner.set(#"{"overbooking":"\#(test.overbooking.rawValue)"}"#)
            }
            func run(_ planner: Planner, isDryRun: Bool) async throws -> ImportReport {
                try await service.importCSV(
                    test.kind, test.file, into: planner.tenant.id, onError: test.onError, isDryRun: isDryRun
                ).data()
            }
            let said = try await run(tenant, isDryRun: true)
            let done = try await run(tenant, isDryRun: false)
            _ = try await run(twin, isDryRun: false)

            #expect(said.status == .dryRun && done.status == .applied)
            #expect(done.counts == test.counts && said.counts == done.counts && said.cleared == done.cleared)
            #expect(said.errors == done.errors && said.warnings == done.warnings)
            #expect(done.warnings.isEmpty == !test.isTold)
            #expect(try await places(tenant.tenant) == places(twin.tenant))

            func places(_ tenant: Tenant) async throws -> [String] {
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { try await Self.places(on: $0) }
            }
        }
    }

    @Test("a dry run waits for no edit under way, and no edit waits for it", .timeLimit(.minutes(5)))
    func waitsForNobody() async throws {
        try await TestService.run { service in
            let planner = try await Planner(service, "acme")
            for (kind, file) in Self.company {
                let reply = try await service.importCSV(kind, file, into: planner.tenant.id)
                try #require(reply.status == 201, "\(reply.text)")
            }
            let growing = (ImportKind.projects, "external_id,name,status\nP2,b,in_progress\nP3,c,planned\n")
            try await TenantDatabase(pool: service.pool).withTenant(planner.tenant.id) { connection in
                // As edits of everything have them.
                try await TableLocks(Set(TenantTable.allCases)).take(on: connection)
                for table in ["employees", "projects", "resource_allocations", "skills"] {
                    _ = try await connection.query("SELECT FROM \(identifier: table) FOR UPDATE")
                }
                try await Quota.projects.check(
                    adding: 1, planner.tenant.limits, locking: true, on: connection)
                for (kind, file) in Self.company + [growing] {
                    let said = try await service.importCSV(kind, file, into: planner.tenant.id, isDryRun: true)
                        .data(ImportReport.self)
                    #expect(said.status == .dryRun, "\(kind)")
                }
            }
        }
    }

    /// Where in its tables' files the tenant's rows are: a row that was taken back has taken a place.
    private static func places(on connection: PostgresConnection) async throws -> [String] {
        var places: [String] = []
        for table in TenantTable.allCases.map(\.rawValue) {
            let row = try await connection.query(
                "SELECT array_agg(ctid ORDER BY ctid)::text AS places FROM \(identifier: table)")[0]
            places.append("\(table) \(try row.decode("places", as: String?.self) ?? "")")
        }
        return places
    }
}

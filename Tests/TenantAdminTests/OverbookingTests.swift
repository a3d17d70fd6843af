import Contracts
import Foundation
import HTTPTypes
import Postgres
import Synchronization
import Testing

@testable import TenantAdmin

@Suite("Overbooking")
struct OverbookingTests {
    @Test("50 writers who book one person to the limit never book more, where that is refused")
    func manyWriters() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        try await plan.book(
                            "A\(index)", ann, work, #""allocationPercentage":10"#, "2026-12-07…2026-12-11")
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let stored = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)

            #expect(replies.filter { $0.status == 201 }.count == 10)
            #expect(try replies.filter { $0.status != 201 }.allSatisfy { try $0.problem.code == .overbooked })
            #expect(stored.count == 10)
        }
    }

    @Test("the setting refuse rejects only what adds over-booking; the setting allow gives no warning of it")
    func settings() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob, work) = (
                try await plan.employee("E1"), try await plan.employee("E2"), try await plan.project()
            )
            let week = "2026-12-07…2026-12-11"
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, week)
            let warned = try await plan.book("A2", ann, work, #""allocationPercentage":50"#, week)
            let id = try warned.data(AllocationDetail.self).allocation.id
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let more = try await plan.send(.patch, "allocations/\(id)", #"{"allocationPercentage":60}"#)
            let less = try await plan.send(.patch, "allocations/\(id)", #"{"allocationPercentage":40}"#)
            let labelled = try await plan.send(.patch, "allocations/\(id)", #"{"labels":{"k":"v"}}"#)
            let soft = try await plan.book(
                "A3", ann, work, #""allocationPercentage":50,"commitment":"soft""#, week)
            let tried = try await plan.book("A4", ann, work, #""hoursPerDay":1"#, week, query: "?dryRun=true")
            let given = try await plan.send(.patch, "allocations/\(id)", #"{"employeeId":"\#(bob)"}"#)
            try await plan.set(#"{"overbooking":"allow"}"#)
            let allowed = try await plan.book("A5", ann, work, #""allocationPercentage":50"#, week)

            #expect(try warned.kinds.contains("over_capacity"))
            #expect(more.status == 409)
            #expect(less.status == 200 && labelled.status == 200)
            #expect(soft.status == 201)
            #expect(tried.status == 409)
            #expect(given.status == 200)
            #expect(allowed.status == 201)
            #expect(try !allowed.kinds.contains("over_capacity"))
        }
    }

    @Test("a tag that is stale never wins a race against another way of changing the same person")
    func staleTags() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1")
            var both = 0
            for round in 0..<40 {
                let tag = try #require(try await plan.send(.get, "employees/\(ann)").headers[.eTag])
                async let skills = plan.send(
                    .put, "employees/\(ann)/skills", #"{"skills":[{"skill":"S\#(round)","level":3}]}"#)
                async let name = plan.send(
                    .patch, "employees/\(ann)", #"{"name":"Ann \#(round)"}"#, headers: ["If-Match": tag])
                let (first, second) = (try await skills, try await name)
                #expect(first.status == 200)
                guard second.status == 200 else { continue }
                // The name was changed first, so what was answered does not know the new skill yet.
                let known = try second.data(Employee.self).skills.map(\.skill)
                if known == ["S\(round)"] { both += 1 }
            }
            #expect(both == 0)
        }
    }

    private static let header =
        "external_id,employee_external_id,project_external_id,allocation_percentage,start_date,end_date\n"

    @Test("an import warns of the over-booking it causes, by line; the setting refuse rejects only these lines")
    func imports() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            _ = try await plan.employee("E2")
            _ = try await plan.book("A0", ann, work, #""allocationPercentage":60"#, "2026-12-07…2026-12-11")
            func bring(_ rows: String, onError: String = "abort") async throws -> Reply {
                try await service.importCSV(.allocations, Self.header + rows, into: plan.tenant.id, onError: onError)
            }
            let warned = try await bring("A1,E1,P1,60,2026-12-07,2026-12-11\nA2,E2,P1,100,2026-12-07,2026-12-11\n")
            let report: ImportReport = try warned.data()
            #expect(report.inserted == 2)
            #expect(report.warnings.contains { $0.line == 2 && $0.reason.contains("hours more than the person has") })
            #expect(!report.warnings.contains { $0.line == 3 })

            try await plan.set(#"{"overbooking":"refuse"}"#)
            let rows =
                "A1,E1,P1,60,2026-12-07,2026-12-11\nB1,E2,P1,50,2026-12-14,2026-12-18\n"
                + "B2,E2,P1,50,2026-12-14,2026-12-18\nB3,E2,P1,50,2026-12-14,2026-12-18\n"
            let refused = try await bring(rows)
            #expect(try refused.problem.errors.map(\.field) == ["line 5, employee_external_id"])
            #expect(try await service.all("allocations", of: plan.tenant.id, as: Allocation.self).count == 3)
            let skipped: ImportReport = try await bring(rows, onError: "skip").data()
            #expect(skipped.inserted == 2 && skipped.unchanged == 1 && skipped.rejected == 1)
            #expect(try await service.all("allocations", of: plan.tenant.id, as: Allocation.self).count == 5)
        }
    }

    @Test("rows that an import leaves out because of over-booking never make room for a row that is written")
    func leftOutRows() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob, work) = (
                try await plan.employee("E1"), try await plan.employee("E2"), try await plan.project()
            )
            let week = "2026-12-07…2026-12-11"
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":60"#, week)
            _ = try await plan.book("B1", bob, work, #""allocationPercentage":60"#, week)
            try await plan.set(#"{"overbooking":"refuse"}"#)
            func bring(_ rows: String, isDryRun: Bool = false) async throws -> ImportReport {
                try await service.importCSV(
                    .allocations, Self.header + rows, into: plan.tenant.id, onError: "skip", isDryRun: isDryRun
                ).data()
            }
            // A new booking before a row that says what is stored already.
            let unchanged = try await bring("A2,E1,P1,50,2026-12-07,2026-12-11\nA1,E1,P1,60,2026-12-07,2026-12-11\n")
            // A new one that would fit, were the stored one gone; but it stays, since what was to become of it does not fit.
            let rows = "B2,E2,P1,50,2026-12-07,2026-12-11\nB1,E2,P1,70,2026-12-07,2026-12-11\n"
            let foreseen = try await bring(rows, isDryRun: true)
            let changed = try await bring(rows)
            let stored = try await service.all("allocations", of: plan.tenant.id, as: Allocation.self)

            #expect(unchanged.errors.map(\.line) == [2] && unchanged.unchanged == 1 && unchanged.inserted == 0)
            #expect(changed.errors.map(\.line) == [2, 3] && changed.inserted == 0 && changed.updated == 0)
            #expect(foreseen.errors == changed.errors && foreseen.inserted == 0)
            #expect(stored.map(\.externalId) == ["A1", "B1"] && stored.map(\.allocationPercentage) == [60, 60])
        }
    }

    @Test("a booking without an end cannot take what is booked years ahead, where that is refused")
    func laterYears() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let far = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, "2028-03-06…2028-03-10")
            let endless = try await plan.book("A2", ann, work, #""allocationPercentage":50"#, "2026-12-07")

            #expect(far.status == 201)
            #expect(endless.status == 409)
        }
    }

    @Test("a booking that is too much in one week cannot become too much in another one, where that is refused")
    func anotherWeek() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let all = #""allocationPercentage":100"#
            _ = try await plan.book("A1", ann, work, all, "2026-12-07…2026-12-11")
            let second = try await plan.book("A2", ann, work, all, "2026-12-07…2026-12-11")
            _ = try await plan.book("A3", ann, work, all, "2026-12-14…2026-12-18")
            let id = try second.data(AllocationDetail.self).allocation.id
            try await plan.set(#"{"overbooking":"refuse"}"#)
            func move(_ first: String, _ last: String) async throws -> Reply {
                try await plan.send(.patch, "allocations/\(id)", #"{"startDate":"\#(first)","endDate":"\#(last)"}"#)
            }
            let moved = try await move("2026-12-14", "2026-12-18")
            let imported = try await service.importCSV(
                .allocations, Self.header + "A2,E1,P1,100,2026-12-14,2026-12-18\n", into: plan.tenant.id)
            let shortened = try await move("2026-12-08", "2026-12-10")
            let free = try await move("2026-12-21", "2026-12-24")

            #expect(try moved.problem.errors.map(\.message) == ["is over-booked on 2026-12-14 to 2026-12-18"])
            #expect(try imported.problem.errors.map(\.field) == ["line 2, employee_external_id"])
            #expect(shortened.status == 200)
            #expect(free.status == 200)
        }
    }

    @Test("leave warns where a booking's hours go, on other days too, and not where it eases an over-booking")
    func leaveMovesHours() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, bob, work) = (
                try await plan.employee("E1"), try await plan.employee("E2"), try await plan.project()
            )
            _ = try await plan.book("A1", ann, work, #""allocatedHours":32"#, "2026-12-07…2026-12-11")
            _ = try await plan.book("A2", ann, work, #""allocatedHours":1.5"#, "2026-12-07…2026-12-07")
            for id in ["B1", "B2"] {
                _ = try await plan.book(id, bob, work, #""allocationPercentage":60"#, "2026-12-07…2026-12-11")
            }
            func leave(_ person: EmployeeID) async throws -> Reply {
                try await plan.send(
                    .post, "leave",
                    #"{"employeeId":"\#(person)","firstDay":"2026-12-08","lastDay":"2026-12-08","status":"approved"}"#)
            }
            let (moved, eased) = (try await leave(ann), try await leave(bob))

            // Four days of 8 hours, and 1.5 hours more on the Monday.
            #expect(try moved.kinds == ["over_capacity", "on_leave"])
            #expect(try moved.warnings.first?.bookings == ["A1", "A2"] && moved.warnings.first?.overHours == 1.5)
            #expect(try eased.kinds == ["on_leave", "on_leave"])
        }
    }

    @Test("an import that is refused for over-booking has written nothing that had to be taken back")
    func refusedUnwritten() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let held = try await plan.project("P2")
            let week = "2026-12-07…2026-12-11"
            _ = try await plan.book("A1", ann, held, #""allocationPercentage":100"#, week)
            _ = try await plan.send(.patch, "projects/\(held)", #"{"status":"on_hold"}"#)
            _ = try await plan.book("A2", ann, work, #""allocationPercentage":60"#, week)
            try await plan.set(#"{"overbooking":"refuse"}"#)
            /// The table's size, and the transaction that last wrote the project over, if it was taken back.
            func traces() async throws -> [String] {
                let row = try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) { connection in
                    try await connection.query(
                        """
                        SELECT pg_relation_size('resource_allocations')::text AS size,
                            (SELECT xmax::text FROM projects WHERE id = \(held)) AS taken_back
                        """)[0]
                }
                return [try row.decode("size"), try row.decode("taken_back")]
            }
            let before = try await traces()
            let rows = (0..<300).map { "B\($0),E1,P1,100,2026-12-07,2026-12-11\n" }.joined()
            let bookings = try await service.importCSV(.allocations, Self.header + rows, into: plan.tenant.id)
            let projects = try await service.importCSV(
                .projects, "external_id,name,status\nP2,P2,in_progress\n", into: plan.tenant.id)

            #expect(try bookings.problem.errors.count == 300)
            #expect(try projects.problem.errors.map(\.field) == ["line 2, status"])
            #expect(try await traces() == before)
        }
    }

    @Test("an import of leave or of a last day warns of the bookings it affects")
    func importsOfTime() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1", #""hiredOn":"2020-01-01""#), try await plan.project())
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":100"#, "2026-12-07…2026-12-18")
            let leave: ImportReport = try await service.importCSV(
                .leave, "employee_external_id,first_day,last_day\nE1,2026-12-09,2026-12-10\n", into: plan.tenant.id
            ).data()
            let last: ImportReport = try await service.importCSV(
                .employees, "external_id,name,left_on\nE1,E1,2026-12-11\n", into: plan.tenant.id
            ).data()

            #expect(leave.warnings.map(\.line) == [2])
            #expect(last.warnings.contains { $0.line == 2 && $0.reason.contains("not employed") })
        }
    }

    @Test("a project that goes on is judged like its bookings, by PATCH and by import, and one that stops is not")
    func projectGoesOn() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let (held, gone) = (
                try await plan.project("P2"), try await plan.project("P3")
            )
            func set(_ project: ProjectID, _ status: String, dryRun: Bool = false) async throws -> Reply {
                try await plan.send(
                    .patch, "projects/\(project)\(dryRun ? "?dryRun=true" : "")", #"{"status":"\#(status)"}"#)
            }
            _ = try await set(held, "on_hold")
            _ = try await set(gone, "cancelled")
            let week = "2026-12-07…2026-12-11"
            for (id, project, hours) in [("A1", work, 40), ("A2", held, 5), ("A3", gone, 5)] {
                #expect(try await plan.book(id, ann, project, #""allocatedHours":\#(hours)"#, week).status == 201)
            }
            let tried = try await set(held, "in_progress", dryRun: true)
            let warned = try await set(held, "in_progress")
            let back = try await set(held, "on_hold")
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let refused = try await set(held, "planned")
            let softened = try await set(gone, "on_hold")
            let alsoRefused = try await set(gone, "in_progress")
            let file = "external_id,name,status\nP2,P2,in_progress\nP3,New name,on_hold\n"
            let imported = try await service.importCSV(.projects, file, into: plan.tenant.id, onError: "skip").data(
                ImportReport.self)
            try await plan.set(#"{"overbooking":"allow"}"#)
            let allowed = try await set(held, "in_progress")

            #expect(try tried.kinds == ["over_capacity"])
            #expect(try warned.kinds == ["over_capacity"] && warned.warnings[0].bookings?.sorted() == ["A1", "A2"])
            #expect(try back.status == 200 && back.kinds == [])
            #expect(try refused.problem.code == .overbooked && refused.problem.errors.first?.field == "status")
            #expect(softened.status == 200)
            #expect(alsoRefused.status == 409)
            #expect(imported.errors.map(\.line) == [2] && imported.errors.map(\.column) == ["status"])
            #expect(imported.updated == 1)
            #expect(try allowed.status == 200 && allowed.kinds == [])
        }
    }

    @Test("of projects that one file lets go on, those that fit are taken in its order, as though they came one by one")
    func projectsGoOnTogether() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let week = "2026-12-07…2026-12-11"
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":30"#, week)
            for (name, share) in [("P2", 60), ("P3", 60), ("P4", 80)] {
                let project = try await plan.project(name)
                _ = try await plan.send(.patch, "projects/\(project)", #"{"status":"on_hold"}"#)
                _ = try await plan.book("A\(name)", ann, project, #""allocationPercentage":\#(share)"#, week)
            }
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let header = "external_id,name,status\n"
            func bring(_ rows: String, isDryRun: Bool = false) async throws -> ImportReport {
                try await service.importCSV(
                    .projects, header + rows, into: plan.tenant.id, onError: "skip", isDryRun: isDryRun
                ).data()
            }
            let file = "P4,P4,in_progress\nP2,P2,in_progress\nP3,P3,in_progress\n"
            let aborted = try await service.importCSV(.projects, header + file, into: plan.tenant.id)
            let foreseen = try await bring(file, isDryRun: true)
            let done = try await bring(file)
            let stored = try await service.all("projects", of: plan.tenant.id, as: Project.self)
            // What makes room does so wherever it stands in the file.
            let exchanged = try await bring("P3,P3,in_progress\nP2,P2,on_hold\n")

            #expect(try aborted.problem.errors.map(\.field) == ["line 2, status", "line 4, status"])
            #expect(done.errors.map(\.line) == [2, 4] && done.updated == 1)
            #expect(foreseen.errors == done.errors && foreseen.updated == 1)
            #expect(stored.map(\.status) == [.inProgress, .inProgress, .onHold, .onHold])
            #expect(exchanged.errors.isEmpty && exchanged.updated == 2)
        }
    }

    @Test("open work stands beside what finished work has loaded, and finished work is not judged, at every door")
    func finishedWork() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let decided = #","createdAt":"2024-01-01T00:00:00.000Z""#
            let completed = #""allocationPercentage":100,"completedAt":"2024-05-10T12:00:00.000Z""# + decided
            let open = #""allocationPercentage":60"# + decided
            let header =
                "external_id,employee_external_id,project_external_id,allocation_percentage,start_date,end_date,completed_at\n"
            func bring(_ row: String) async throws -> ImportReport {
                try await service.importCSV(.allocations, header + row + "\n", into: plan.tenant.id, onError: "skip")
                    .data()
            }
            #expect(try await plan.book("A1", ann, work, completed, "2024-05-06…2024-05-17").status == 201)
            let beside = try await plan.book("A2", ann, work, open, "2024-05-06…2024-05-17")
            let besideByFile = try await bring("B2,E1,P1,60,2024-05-06,2024-05-17,")
            // What was left of the finished work is free.
            let after = try await plan.book("A3", ann, work, open, "2024-05-11…2024-05-17", query: "?dryRun=true")
            let afterByFile = try await bring("B3,E1,P1,60,2024-05-11,2024-05-17,")
            let finished = try await plan.book("A4", ann, work, completed, "2024-05-06…2024-05-10")
            let finishedByFile = try await bring("B4,E1,P1,100,2024-05-06,2024-05-10,2024-05-10T12:00:00.000Z")

            #expect(beside.status == 409)
            #expect(besideByFile.errors.map(\.column) == ["employee_external_id"])
            #expect(after.status == 200)
            #expect(afterByFile.inserted == 1)
            #expect(finished.status == 201)
            #expect(finishedByFile.inserted == 1)
        }
    }

    @Test("an import that lets a project go on waits for a booking that is being made on it, and heeds it")
    func bookingUnderWay() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let held = try await plan.project("P2")
            _ = try await plan.send(.patch, "projects/\(held)", #"{"status":"on_hold"}"#)
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":60"#, "2026-12-07…2026-12-11")
            try await plan.set(#"{"overbooking":"refuse"}"#)
            let isDone = Mutex(false)
            let imported = try await service.pool.withTransaction { booker in
                let home = try await TenantDatabase.active(plan.tenant.id, on: booker)
                try await TenantDatabase.enter(home.names, on: booker)
                // As a POST does, which was told that the booking is soft.
                _ = try await PlanningWatch.booking(nil, of: [ann], on: [held]).begin(on: booker)
                let going = Task { @Sendable in
                    defer { isDone.withLock { $0 = true } }
                    return try await service.importCSV(
                        .projects, "external_id,name,status\nP2,P2,in_progress\n", into: plan.tenant.id)
                }
                let waiting: SQL = """
                    SELECT count(*) AS n FROM pg_locks WHERE NOT granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                while !isDone.withLock({ $0 }), try await booker.query(waiting)[0].decode("n", as: Int.self) == 0 {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await booker.execute(
                    """
                    INSERT INTO resource_allocations (external_id, employee_id, project_id, allocation_percentage, start_date,
                        end_date, created_at)
                    VALUES ('A2', \(ann), \(held), 60, '2026-12-07', '2026-12-11', now())
                    """)
                return going
            }
            let reply = try await imported.value

            #expect(try reply.problem.errors.map(\.field) == ["line 2, status"])
            #expect(try await plan.send(.get, "projects/\(held)").data(Project.self).status == .onHold)
        }
    }
}

import Contracts
import Foundation
import HTTPTypes
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Changes at the same time")
struct ConcurrentChangeTests {
    @Test("who asks for changes since the last answer sees those that were under way then, and a renamed department")
    func changesSince() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let file = "external_id,name,department\nE1,Ann,Build\nE2,Bob,\n"
            #expect(try await service.importCSV(.employees, file, into: tenant.id).status == 201)
            func changed(since moment: Date) async throws -> [String] {
                let path = "employees?updatedSince=\(WireJSON.timestamp(moment))"
                return try await service.all(path, of: tenant.id, as: Employee.self).map(\.externalId)
            }
            let before = Date().addingTimeInterval(0.002)
            let asked = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                try await connection.execute("INSERT INTO people (external_id, name) VALUES ('E3', 'Eve')")
                try await Task.sleep(for: .milliseconds(50))
                return Date()
            }
            #expect(asked > before)
            #expect(try await changed(since: asked) == ["E3"])
            try await Task.sleep(for: .milliseconds(5))
            let later = Date()
            #expect(try await changed(since: later) == [])
            let department = try #require(
                try await service.all("departments", of: tenant.id, as: Department.self).first)
            _ = try await service.send(
                .patch, "/api/v1/departments/\(department.id)", as: service.token(tenant.id), text: #"{"name":"Make"}"#)
            #expect(try await changed(since: later) == ["E1"])
        }
    }

    @Test("an import of people and edits of the same people never wait for each other in a circle")
    func besideEdits() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            func file(_ round: Int) -> String {
                "external_id,name\n" + (1...200).map { "E\($0),Person \($0) of round \(round)\n" }.joined()
            }
            #expect(try await service.importCSV(.employees, file(0), into: tenant.id).status == 201)
            let people = try await service.all("employees?limit=50", of: tenant.id, as: Employee.self)
            let edit: @Sendable (Int) async throws -> Int = { number in
                let person = people[number % people.count]
                return try await service.send(
                    .patch, "/api/v1/employees/\(person.id)", as: token,
                    text: "{\"email\":\"p\(number)@acme.example\"}"
                ).status
            }
            let isOver = Mutex(false)
            let editing = Task {
                var statuses: Set<Int> = []
                for number in 0..<400 where number < 10 || !isOver.withLock({ $0 }) {
                    statuses.insert(try await edit(number))
                }
                return statuses
            }
            for round in 1...8 {
                #expect(try await service.importCSV(.employees, file(round), into: tenant.id).status == 201)
            }
            isOver.withLock { $0 = true }
            let statuses = try await editing.value
            #expect(statuses == [200])
            let deadlocks: Int = try await service.pool.withConnection { connection in
                try await connection.query(
                    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0].decode(at: 0)
            }
            #expect(deadlocks == 0)
        }
    }

    private typealias Request = @Sendable () async throws -> Reply

    /// Lets the first writer come to wait for a row that a third transaction holds, and then the second one for that row or for the first
    /// writer; then the row is let go.
    /// - Parameter held: locks the row.
    /// - Returns: whether both came to wait for each other, which Postgres itself finds out after a second.
    private func isCircle(
        _ service: TestService, _ tenant: Tenant, _ name: String, over held: SQL, _ first: @escaping Request,
        _ second: @escaping Request
    ) async throws -> Bool {
        let (isHeld, letGo) = (Signal(), Signal())
        let holder = Task {
            defer { isHeld.set() }
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                try await connection.execute(held)
                isHeld.set()
                await letGo.wait()
            }
        }
        await isHeld.wait()
        let ended = Mutex(0)
        let one = Task { @Sendable in
            defer { ended.withLock { $0 += 1 } }
            return try await first()
        }
        try await waitUntil("\(name): the first waits") { try await waiting(service).lockers == 1 }
        let other = Task { @Sendable in
            defer { ended.withLock { $0 += 1 } }
            return try await second()
        }
        try await waitUntil("\(name): both wait") { try await waiting(service).lockers == 2 }
        letGo.set()
        var isCircle = false
        while ended.withLock({ $0 }) < 2 {
            if try await waiting(service).circles > 0 { isCircle = true }
            try await Task.sleep(for: .milliseconds(1))
        }
        try await holder.value
        for reply in [try await one.value, try await other.value] {
            #expect((200...299).contains(reply.status) || reply.status == 404, "\(name): \(reply.text)")
        }
        return isCircle
    }

    /// How many wait for a lock, and how many of them for somebody who waits for them.
    private func waiting(_ service: TestService) async throws -> (lockers: Int, circles: Int) {
        try await service.pool.withConnection { connection in
            let row = try await connection.query(
                """
                SELECT count(*) AS lockers, count(*) FILTER (WHERE EXISTS (
                    SELECT FROM unnest(pg_blocking_pids(a.pid)) b (pid) WHERE a.pid = ANY (pg_blocking_pids(b.pid)))) AS circles
                FROM pg_stat_activity a WHERE datname = current_database() AND wait_event_type = 'Lock'
                """)[0]
            return (try row.decode("lockers", as: Int.self), try row.decode("circles", as: Int.self))
        }
    }

    @Test(
        "edits and imports that come to the same rows, also by triggers, never wait for each other in a circle",
        .timeLimit(.minutes(5)))
    func besideEachOther() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let (tenant, token) = (plan.tenant, plan.token)
            func meet(
                _ name: String, over held: SQL, _ first: @escaping Request, _ second: @escaping Request
            ) async throws {
                let isCircle = try await self.isCircle(service, tenant, name, over: held, first, second)
                #expect(!isCircle, "\(name)")
            }
            func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) -> Request {
                let bytes = body.map { Array($0.utf8) }
                return { try await service.send(method, "/api/v1/\(path)", as: token, body: bytes) }
            }
            func bring(_ kind: ImportKind, _ header: String, _ row: String) -> Request {
                return { try await service.importCSV(kind, "\(header)\n\(row)\n", into: tenant.id) }
            }
            let (ann, work) = (try await plan.employee("E1"), try await plan.project())
            let onHold = try await plan.project("P2")
            _ = try await plan.book("A1", ann, onHold, #""hoursPerDay":1"#, "2026-12-07…2026-12-11")
            _ = try await plan.send(.patch, "projects/\(onHold)", #"{"status":"on_hold"}"#)
            func skill(_ name: String) async throws -> SkillID {
                try await plan.send(.post, "skills", #"{"name":"\#(name)"}"#).data(Skill.self).id
            }
            let (java, swift) = (try await skill("Java"), try await skill("Swift"))
            let gone = [try await skill("JS"), try await skill("JSX"), try await skill("Kotlin")]
            _ = try await plan.send(.put, "employees/\(ann)/skills", #"{"skills":[{"skill":"Swift","level":3}]}"#)
            let calendar = try await service.all("calendars", of: tenant.id, as: WorkCalendar.self)[0]

            // Imports of what belongs to people, beside people: by triggers each writes people's rows too.
            let person: SQL = "SELECT FROM employees WHERE id = \(ann) FOR UPDATE"
            let contracts = "employee_external_id,effective_from,weekly_capacity_hours"
            func rename(_ round: Int) -> Request { bring(.employees, "external_id,name", "E1,Ann \(round)") }
            try await meet(
                "contracts, and an edit of their person", over: person,
                bring(.contracts, contracts, "E1,2026-02-01,30"),
                send(.patch, "employees/\(ann)", #"{"email":"a@acme.example"}"#))
            try await meet(
                "employment, and an edit of its person", over: person,
                bring(.employment, "employee_external_id,first_day,last_day", "E1,ever,2030-12-31"),
                send(.patch, "employees/\(ann)", #"{"email":"b@acme.example"}"#))
            try await meet(
                "contracts, and people", over: person, bring(.contracts, contracts, "E1,2026-04-01,20"), rename(1))
            try await meet(
                "employment, and people", over: person,
                bring(.employment, "employee_external_id,first_day,last_day", "E1,ever,2031-12-31"), rename(2))
            try await meet(
                "leave, and people", over: person,
                bring(.leave, "employee_external_id,first_day", "E1,2026-03-02"), rename(3))
            try await meet(
                "skills of people, and people", over: person,
                bring(.employeeSkills, "employee_external_id,skill,level", "E1,Swift,4"), rename(4))
            try await meet(
                "one leave, and people", over: person,
                send(.post, "leave", #"{"employeeId":"\#(ann)","firstDay":"2026-05-04","lastDay":"2026-05-05"}"#),
                rename(5))
            try await meet(
                "a holiday, and holidays", over: "SELECT FROM calendars WHERE id = \(calendar.id) FOR UPDATE",
                send(.put, "calendars/\(calendar.id)/holidays/2026-01-01", #"{"name":"New Year"}"#),
                bring(.holidays, "calendar,date,name", "\(calendar.name),2026-12-25,Christmas"))

            // Bookings, their projects, people and skills.
            func book(_ externalID: String, _ project: ProjectID, _ more: String = "") -> Request {
                send(
                    .post, "allocations",
                    #"{"externalId":"\#(externalID)","employeeId":"\#(ann)","projectId":"\#(project)","hoursPerDay":1,"#
                        + #""startDate":"2026-12-14","endDate":"2026-12-18"\#(more)}"#)
            }
            try await meet(
                "a booking, and its project that goes on", over: person, book("A2", onHold),
                send(.patch, "projects/\(onHold)", #"{"status":"in_progress"}"#))
            try await meet(
                "a booking, and the new name of a skill that its person has", over: person,
                book("A3", work, #","requiredSkills":["Swift"]"#),
                send(.patch, "skills/\(swift)", #"{"name":"Swift 6"}"#))

            let merged: SQL = "SELECT FROM skills WHERE id = \(java) FOR UPDATE"
            func merge(_ skill: SkillID) -> Request { send(.post, "skills/\(skill)/merge", #"{"into":"\#(java)"}"#) }
            try await meet(
                "a merge, and skills", over: merged, merge(gone[0]), bring(.skills, "name,category", "Java,Languages"))
            try await meet(
                "a merge, and bookings that require the skill", over: merged, merge(gone[1]),
                bring(
                    .allocations,
                    "external_id,employee_external_id,project_external_id,allocated_hours,start_date,required_skills",
                    "A4,E1,P1,8,2026-12-14,Java"))
            try await meet(
                "a merge, and projects that require the skill", over: merged, merge(gone[2]),
                bring(.projects, "external_id,name,status,required_skills", "P3,P3,planned,Java"))

            func role(_ name: String) async throws -> RoleID {
                let body = #"{"name":"\#(name)","permissions":[{"resource":"projects","actions":["read"]}]}"#
                return try await plan.send(.post, "roles", body).data(Role.self).id
            }
            let (reader, viewer) = (try await role("reader"), try await role("onlooker"))
            try await meet(
                "two roles", over: "SELECT FROM roles WHERE id = \(reader) FOR UPDATE",
                send(.patch, "roles/\(reader)", #"{"name":"reads"}"#),
                send(.patch, "roles/\(viewer)", #"{"name":"looks on"}"#))

            // The leave goes with its person, and an edit of it comes too late.
            let leaver = try await plan.employee("E2")
            let leave = try await plan.send(
                .post, "leave", #"{"employeeId":"\#(leaver)","firstDay":"2026-01-05","lastDay":"2026-01-06"}"#
            ).data(EmployeeLeave.self)
            try await meet(
                "the end of a person, and leave", over: "SELECT FROM employees WHERE id = \(leaver) FOR UPDATE",
                send(.delete, "employees/\(leaver)"), send(.patch, "leave/\(leave.id)", #"{"kind":"sick"}"#))
        }
    }
}

import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Capacity history")
struct CapacityTests {
    private func prepared(_ service: TestService) async throws -> (tenant: TenantID, token: String, anna: EmployeeID) {
        let tenant = try await service.createTenant("acme")
        _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
        let anna = try await service.all("employees", of: tenant.id, as: Employee.self)[0]
        return (tenant.id, try service.token(tenant.id), anna.id)
    }

    private func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

    @Test("a day is recorded once, read, replaced under its tag and deleted")
    func oneDay() async throws {
        try await TestService.run { service in
            let (_, token, anna) = try await prepared(service)
            let path = "/api/v1/capacity-history/\(anna)/2024-01-02"
            let body = CreateCapacityRequest(employeeId: anna, date: try day("2024-01-02"), utilizationRate: 80)
            let headers = [HeaderName.idempotencyKey: "c"]
            let created = try await service.send(
                .post, "/api/v1/capacity-history", as: token, json: body, headers: headers)
            let replayed = try await service.send(
                .post, "/api/v1/capacity-history", as: token, json: body, headers: headers)
            let twice = try await service.send(.post, "/api/v1/capacity-history", as: token, json: body)
            let tag = try #require(created.headers[.eTag])
            let changed = try await service.send(
                .put, path, as: token, json: PutCapacityDayRequest(utilizationRate: 120), headers: ["If-Match": tag])
            let stale = try await service.send(
                .put, path, as: token, json: PutCapacityDayRequest(utilizationRate: 1), headers: ["If-Match": tag])
            let absent = try await service.send(
                .put, "/api/v1/capacity-history/\(anna)/2024-01-03", as: token,
                json: PutCapacityDayRequest(utilizationRate: 1), headers: ["If-Match": "*"])
            let new = try await service.send(
                .put, "/api/v1/capacity-history/\(anna)/2024-01-03", as: token,
                json: PutCapacityDayRequest(utilizationRate: 1))
            func onlyNew() async throws -> Int {
                try await service.send(
                    .put, "/api/v1/capacity-history/\(anna)/2024-01-04", as: token,
                    json: PutCapacityDayRequest(utilizationRate: 1), headers: ["If-None-Match": "*"]
                ).status
            }
            #expect(try await onlyNew() == 201)
            #expect(try await onlyNew() == 412)

            #expect(created.status == 201)
            #expect(created.headers[.location] == path)
            #expect(replayed.bytes == created.bytes)
            #expect(twice.status == 409)
            #expect(changed.status == 200)
            #expect(try await service.send(.get, path, as: token).data(CapacityEntry.self).utilizationRate == 120)
            #expect(stale.status == 412)
            #expect(absent.status == 412)
            #expect(new.status == 201)
            #expect(try await service.send(.delete, path, as: token).status == 204)
            #expect(try await service.send(.get, path, as: token).status == 404)
            #expect(try await service.send(.delete, path, as: token).status == 404)
        }
    }

    @Test("many days are written at once, and what is the same already does not reach the history feed again")
    func manyDays() async throws {
        try await TestService.run { service in
            let (tenant, token, anna) = try await prepared(service)
            let entries = try ["2024-01-01", "2024-01-02", "2024-01-03"].map {
                CreateCapacityRequest(employeeId: anna, date: try day($0), utilizationRate: 50)
            }
            let first = try await service.send(
                .put, "/api/v1/capacity-history", as: token, json: PutCapacityRequest(entries: entries))
            let changed = [
                entries[0], CreateCapacityRequest(employeeId: anna, date: entries[1].date, utilizationRate: 51),
                CreateCapacityRequest(employeeId: anna, date: try day("2024-01-04"), utilizationRate: 52),
            ]
            let second = try await service.send(
                .put, "/api/v1/capacity-history", as: token, json: PutCapacityRequest(entries: changed))
            let removed = try await service.send(
                .delete, "/api/v1/capacity-history?employeeId=\(anna)&from=2024-01-01&to=2024-01-02", as: token)

            #expect(try first.data(CapacityWritten.self) == CapacityWritten(inserted: 3, updated: 0, unchanged: 0))
            #expect(try second.data(CapacityWritten.self) == CapacityWritten(inserted: 1, updated: 1, unchanged: 1))
            #expect(try removed.data(CapacityRemoved.self).deleted == 2)
            #expect(
                try await service.all("capacity-history", of: tenant, as: CapacityEntry.self).map(\.utilizationRate)
                    == [50, 52])
        }
    }

    @Test(
        "the audit log says which days a bulk write changed and a deletion removed, with their values, a thousand at most"
    )
    func audited() async throws {
        try await TestService.run { service in
            let (tenant, token, anna) = try await prepared(service)
            let first = try day("2024-01-01")
            func put(_ rates: [(day: Int, rate: Double)]) async throws {
                let entries = rates.map {
                    CreateCapacityRequest(
                        employeeId: anna, date: first.adding(days: $0.day), utilizationRate: $0.rate)
                }
                let reply = try await service.send(
                    .put, "/api/v1/capacity-history", as: token, json: PutCapacityRequest(entries: entries))
                #expect(reply.status == 200)
            }
            func newest() async throws -> JSONValue {
                try #require(
                    try await service.all("audit-logs?entity=capacity", of: tenant, as: AuditEntry.self).first
                ).details
            }
            func days(_ value: JSONValue?) -> [String: Double] {
                guard case .object(let days)? = value?[anna.description] else { return [:] }
                return days.compactMapValues(\.doubleValue)
            }
            try await put([(0, 50), (1, 50), (2, 60)])
            try await put([(0, 50), (1, 51), (3, 52)])
            let written = try await newest()
            _ = try await service.send(
                .delete, "/api/v1/capacity-history?employeeId=\(anna)&from=2024-01-01&to=2024-01-02", as: token)
            let removed = try await newest()
            try await put((0..<1000).map { (day: $0, rate: 70) })
            try await put((1000..<1200).map { (day: $0, rate: 70) })
            _ = try await service.send(
                .delete, "/api/v1/capacity-history?employeeId=\(anna)&from=2024-01-01&to=2034-01-01", as: token)
            let cut = try await newest()

            #expect(days(written["before"]) == ["2024-01-02": 50])
            #expect(days(written["after"]) == ["2024-01-02": 51, "2024-01-04": 52])
            #expect(written["inserted"] == .integer(1) && written["updated"] == .integer(1))
            #expect(days(removed["before"]) == ["2024-01-01": 50, "2024-01-02": 51] && removed["after"] == nil)
            #expect(days(cut["before"]).count == 1000 && days(cut["before"])["2024-01-01"] == 70)
            #expect(cut["omitted"] == .integer(200) && cut["deleted"] == .integer(1200))
        }
    }

    @Test("bad days are all named, unknown people too, and nothing is written")
    func badInput() async throws {
        try await TestService.run { service in
            let (tenant, token, anna) = try await prepared(service)
            func put(_ entries: String) async throws -> Reply {
                try await service.send(
                    .put, "/api/v1/capacity-history", as: token, text: #"{"entries":[\#(entries)]}"#)
            }
            let good = #"{"employeeId":"\#(anna)","date":"2024-01-01","utilizationRate":50}"#
            let bad = try await put(good + "," + good + #",{"employeeId":"7","date":"x","utilizationRate":-1}"#)
            let stranger = #"{"employeeId":"\#(EmployeeID())","date":"2024-01-01","utilizationRate":50}"#
            let unknown = try await put("\(good),\(stranger)")
            let open = try await service.send(.delete, "/api/v1/capacity-history?employeeId=\(anna)", as: token)
            let wrong = try await service.send(.get, "/api/v1/capacity-history/\(anna)/2024-02-30", as: token)

            #expect(
                Set(try bad.problem.errors.map(\.field)) == [
                    "entries[1].date", "entries[2].employeeId", "entries[2].date", "entries[2].utilizationRate",
                ])
            #expect(try unknown.problem.errors.map(\.field) == ["entries[1].employeeId"])
            #expect(try open.problem.errors.map(\.field) == ["from", "to"])
            #expect(wrong.status == 422)
            #expect(try await put("").status == 422)
            #expect(try await service.all("capacity-history", of: tenant, as: CapacityEntry.self).isEmpty)
        }
    }

    @Test("a span that ends before it begins is refused, not answered with nothing")
    func emptySpan() async throws {
        try await TestService.run { service in
            let token = try service.token(try await service.createTenant("acme").id)
            let reply = try await service.send(
                .get, "/api/v1/capacity-history?from=2024-01-02&to=2024-01-01", as: token)
            #expect(reply.status == 422)
            #expect(try reply.problem.errors.map(\.field) == ["to"])
            let day = try await service.send(
                .get, "/api/v1/capacity-history?from=2024-01-01&to=2024-01-01", as: token)
            #expect(day.status == 200)
        }
    }
}

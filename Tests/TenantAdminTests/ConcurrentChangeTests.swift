import Contracts
import Foundation
import HTTPTypes
import Postgres
import Synchronization
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
                for number in 0..<400 where !isOver.withLock({ $0 }) {
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
}

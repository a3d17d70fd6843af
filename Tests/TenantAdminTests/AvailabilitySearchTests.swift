import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("Search for free people")
struct AvailabilitySearchTests {
    private func find(
        _ service: TestService, _ company: PlannedCompany, _ body: String
    ) async throws -> AvailabilitySearchResult {
        let reply = try await service.send(
            .post, "/api/v1/availability/search", as: try service.token(company.tenant), text: body)
        #expect(reply.status == 200, "\(reply.text)")
        return try reply.data()
    }

    private func give(
        _ skills: [(String, Int?)], to name: String, _ service: TestService, _ company: PlannedCompany
    ) async throws {
        for (skill, level) in skills {
            let level = level.map { #","level":\#($0)"# } ?? ""
            let reply = try await service.send(
                .post, "/api/v1/employees/\(company.employees[name]!)/skills", as: try service.token(company.tenant),
                text: #"{"skill":"\#(skill)"\#(level)}"#)
            #expect(reply.status == 201)
        }
    }

    @Test("people come by whether the work fits, then by match, then by free time, with free hours by week")
    func ranking() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            // Free in the four weeks: Anna 20, 16, 12, 20; Ben 6, 6, 0, 0; Cleo none; Dora 0, 12, 20, 20.
            let all = try await find(service, company, #"{"from":"2026-03-02","to":"2026-03-29","hours":50}"#)
            #expect(all.people.map(\.employee.name) == ["Anna", "Dora", "Ben", "Cleo"])
            #expect(all.people.map(\.fits) == [true, true, false, false])
            #expect(all.people[0].weeks.map(\.freeHours) == [20, 16, 12, 20])
            #expect(all.people.map(\.freeHours) == [68, 52, 12, 0])
            #expect(all.candidates == 4)
            // Anna: 20 + 16 + 12 and 2 of the 4 hours of the 23rd; Dora has 50 hours on the 27th.
            let earliest = try #require(all.earliest)
            #expect(earliest.employee.name == "Anna")
            #expect("\(earliest.from) \(earliest.to)" == "2026-03-02 2026-03-23")

            try await give([("Swift", 4), ("SQL", nil)], to: "Dora", service, company)
            try await give([("Swift", 2)], to: "Anna", service, company)
            let nice = try await find(
                service, company,
                #"{"from":"2026-03-02","to":"2026-03-29","hours":50,"limit":2,"skills":[{"skill":" swift ","level":3,"need":"nice"},{"skill":"SQL","need":"nice"}]}"#
            )
            #expect(nice.people.map(\.employee.name) == ["Dora", "Anna"])
            #expect(nice.people.map(\.match) == [1, 0])
            #expect(nice.people[1].missing == ["Swift at level 3", "SQL"])
            #expect(nice.candidates == 4)
            let must = try await find(
                service, company,
                #"{"from":"2026-03-02","to":"2026-03-29","skills":[{"skill":"Swift","level":2},{"skill":"SQL","level":1}]}"#
            )
            // Nobody knows at which level Dora has SQL.
            #expect(must.people.isEmpty)

            // A skill that begins later is none yet.
            let later = try await service.send(
                .post, "/api/v1/employees/\(company.employees["Anna"]!)/skills", as: try service.token(company.tenant),
                text: #"{"skill":"Rust","since":"2026-03-03"}"#)
            #expect(later.status == 201)
            for (first, names) in [("2026-03-02", []), ("2026-03-03", ["Anna"])] {
                let rust = try await find(
                    service, company, #"{"from":"\#(first)","to":"2026-03-29","skills":[{"skill":"Rust"}]}"#)
                #expect(rust.people.map(\.employee.name) == names)
            }
        }
    }

    @Test("a percentage is free on every working day, and the earliest days may lie after the window")
    func percentage() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let found = try await find(service, company, #"{"from":"2026-03-02","to":"2026-03-15","percentage":60}"#)
            // Anna has 50 % until the 29th. Ben has 25 % until the 11th, is booked fully from the 16th to the 26th and works
            // no Fridays. Cleo leaves on the 18th. Dora comes on the 11th.
            #expect(found.people.allSatisfy { $0.fits == false })
            let days = found.people.map { match in
                "\(match.employee.name) \(match.earliest.map { "\($0.from) \($0.to)" } ?? "never")"
            }
            #expect(
                days.sorted() == [
                    "Anna 2026-03-30 2026-04-12", "Ben 2026-03-30 2026-04-12", "Cleo never",
                    "Dora 2026-03-11 2026-03-24",
                ])
            #expect(found.earliest?.employee.name == "Dora")
        }
    }

    @Test("department and calendar, as a must or as something nice; unknown names are named")
    func names() async throws {
        try await TestService.run { service in
            let company = try await PlannedCompany(service)
            let lab = try await find(
                service, company, #"{"from":"2026-03-02","to":"2026-03-29","department":{"name":"lab"}}"#)
            #expect(lab.people.map(\.employee.name) == ["Anna", "Ben"])
            let vienna = try await find(
                service, company,
                #"{"from":"2026-03-02","to":"2026-03-29","calendar":{"name":"Vienna","need":"nice"},"limit":2}"#)
            #expect(vienna.people.map(\.employee.name) == ["Ben", "Anna"])
            #expect(vienna.people.map(\.missing) == [[], ["calendar"]])
            #expect(vienna.people.map(\.fits) == [nil, nil])
            let berlin = try await find(
                service, company, #"{"from":"2026-03-12","to":"2026-03-29","calendar":{"name":"Berlin"}}"#)
            #expect(berlin.people.map(\.employee.name) == ["Dora", "Anna"])

            func refused(_ body: String) async throws -> [String] {
                try await service.send(
                    .post, "/api/v1/availability/search", as: try service.token(company.tenant), text: body
                ).problem.errors.map(\.field)
            }
            #expect(
                try await refused(
                    #"{"from":"2026-03-02","to":"2026-03-29","department":{"name":"Moon"},"skills":[{"skill":"Rust"}]}"#
                )
                    == ["department.name", "skills[0].skill"])
            #expect(
                try await refused(
                    #"{"from":"2026-03-02","to":"2026-03-01","hours":5,"percentage":101,"limit":0,"skills":[{"skill":"A","level":6}]}"#
                ).sorted() == ["limit", "percentage", "skills[0].level", "to"])
            let user = try service.token(company.tenant, DefaultRole.user.permissions)
            let denied = try await service.send(
                .post, "/api/v1/availability/search", as: user, text: #"{"from":"2026-03-02","to":"2026-03-29"}"#)
            #expect(denied.status == 403)
        }
    }
}

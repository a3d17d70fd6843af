import ArgumentParser
import Basics
import Contracts
import Foundation
import Testing

@testable import Ermctl

@Suite struct DemoDataTests {
    private let until = CivilDate(year: 2026, month: 6, day: 30)!

    private func company(seed: UInt64 = 1) -> DemoCompany {
        var settings = DemoSettings()
        settings.seed = seed
        settings.employees = 30
        settings.projects = 8
        settings.days = 200
        return DemoCompany(settings: settings, until: until)
    }

    @Test("equal settings give equal rows, another seed gives others")
    func deterministic() {
        let first = company().files()
        #expect(first == company().files())
        #expect(first != company(seed: 2).files())
    }

    @Test("every row has its kind's columns and refers to rows that are there")
    func consistent() throws {
        for file in company().files() {
            #expect(!file.rows.isEmpty, "\(file.kind)")
            #expect(file.rows.allSatisfy { $0.count == file.columns.count }, "\(file.kind)")
        }
        let files = Dictionary(uniqueKeysWithValues: company().files().map { ($0.kind, $0.rows) })
        let people = Set(try #require(files[.employees]).map { $0[0] })
        let projects = Set(try #require(files[.projects]).map { $0[0] })
        #expect(try #require(files[.allocations]).allSatisfy { people.contains($0[1]) && projects.contains($0[2]) })
        #expect(try #require(files[.capacityHistory]).allSatisfy { people.contains($0[0]) })
    }

    @Test("no booking lies wholly outside the employment, which an import refuses", arguments: [1, 7])
    func employment(seed: Int) throws {
        var settings = DemoSettings()
        settings.employees = 240
        settings.seed = UInt64(seed)
        let files = Dictionary(
            uniqueKeysWithValues: DemoCompany(settings: settings, until: until).files().map { ($0.kind, $0.rows) })
        let employees = try #require(files[.employees])
        let left = Dictionary(uniqueKeysWithValues: employees.map { ($0[0], $0[6]) })
        let hired = Dictionary(uniqueKeysWithValues: employees.map { ($0[0], $0[5]) })
        #expect(left.values.contains { !$0.isEmpty })
        for row in try #require(files[.allocations]) {
            // Written as ISO 8601, dates compare as text.
            let leaves = left[row[1], default: ""]
            #expect(leaves.isEmpty || row[7] <= leaves, "\(row[0])")
            #expect(row[8].isEmpty || row[8] >= hired[row[1], default: ""], "\(row[0])")
        }
    }

    @Test("an outcome is known only for work completed before the history's end, and never without its hours")
    func outcomes() throws {
        let allocations = try #require(company().files().first { $0.kind == .allocations }).rows
        var open = 0
        for row in allocations {
            let completed = WireJSON.date(row[9])
            #expect((completed == nil) == row[5].isEmpty)
            if let completed { #expect(completed < until.startOfDay) } else { open += 1 }
        }
        #expect(open > 0 && open < allocations.count / 2)
    }

    @Test("what comes after the history has all that planning is about, and changes nothing of the history")
    func plan() throws {
        let files = Dictionary(uniqueKeysWithValues: company().files().map { ($0.kind, $0.rows) })
        let allocations = try #require(files[.allocations])
        let (history, plan) = (allocations.filter { $0[0].hasPrefix("T") }, allocations.filter { $0[0].hasPrefix("B") })
        let employees = try #require(files[.employees])
        let leave = try #require(files[.leave])

        #expect(history.count + plan.count == allocations.count)
        // In each of the three ways, firm and not, all decided before the last day.
        #expect(
            plan.contains { !$0[3].isEmpty } && plan.contains { !$0[4].isEmpty } && plan.contains { !$0[12].isEmpty })
        #expect(plan.allSatisfy { row in [row[3], row[4], row[12]].count { !$0.isEmpty } == 1 })
        #expect(Set(plan.map { $0[13] }) == ["hard", "soft"])
        #expect(plan.allSatisfy { $0[10] < WireJSON.timestamp(until.startOfDay) && $0[7] > until.description })
        // Somebody leaves in mid-booking, somebody is away, somebody's week changes.
        let leavers = Dictionary(
            uniqueKeysWithValues: employees.filter { $0[6] > until.description }.map { ($0[0], $0[6]) })
        #expect(plan.contains { row in leavers[row[1]].map { row[7] <= $0 && $0 < row[8] } ?? false })
        #expect(Set(leave.map { $0[6] }) == ["approved", "requested"])
        #expect(leave.contains { away in plan.contains { $0[1] == away[1] && $0[7] <= away[3] && away[2] <= $0[8] } })
        let contracts = try #require(files[.contracts])
        #expect(Set(contracts.map { $0[0] }).count < contracts.count)
        #expect(Set(contracts.map { $0[9] }) == ["Berlin", "Toronto"])
    }

    @Test("settings out of range are refused", arguments: [0, 20_001])
    func settings(employees: Int) {
        var settings = DemoSettings()
        settings.employees = employees
        #expect(throws: CommandFailure.self) { try settings.check() }
    }

    @Test("a folder that cannot be made is named with the reason")
    func noFolder() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("demo-\(UUID())")
        try Data("x".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let folder = file.appendingPathComponent("data").path
        let command = try DemoDataCommand.parse(["--directory", folder, "--until", "2026-01-31"])
        let failure = await #expect(throws: CommandFailure.self) { try await command.run() }
        #expect(failure?.description.hasPrefix("Cannot make the folder \(folder): ") == true)
    }

    @Test("a field with a comma, a quote or a line break comes back through the reader as it was")
    func quoting() throws {
        let fields = ["plain", "a,b", "say \"hi\"", "two\nlines", ""]
        let rows = try CSVReader.rows(of: CSVText.row(fields).utf8)
        #expect(rows.map(\.fields) == [fields])
    }
}

import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining

/// Stored datasets as people read them: rows page by page, reports.
@Suite struct DatasetReadingTests {
    private let tenant = TenantID()

    /// One every six hours, completed within one after ten hours of a plan of eight, unless `change` says otherwise.
    private func lines(_ count: Int, _ change: (Int, inout Forecasting.Allocation) -> Void) -> [HistoryChange] {
        let project = ProjectID().description
        let people = (0..<3).map { _ in EmployeeID().description }
        return [.project(ProjectFacts(id: project, completionPercent: 50))]
            + (0..<count).map { index in
                let day = 1_736_121_600 + Double(index) * 21_600
                var allocation = Forecasting.Allocation(
                    id: AllocationID().description, employee: people[index % 3], project: project, skills: ["Swift"],
                    labels: ["priority": "high"], plannedHours: 8, allocationPercent: 50,
                    actualHours: 10 + Double(index % 7) / 4, start: day, decidedAt: day, completedAt: day + 3_600)
                change(index, &allocation)
                return .allocation(allocation)
            }
    }

    private func scan<R: Sendable>(
        _ changes: [HistoryChange], _ body: (any DatasetStore, TrainingDataset) async throws -> R
    ) async throws -> R {
        try await TrainingDatabase.with { fixture in
            try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            var source = DatasetSource(months: 240, asOf: Date(timeIntervalSince1970: 1_900_000_000))
            for change in changes { try source.add(change) }
            let dataset = try Dataset(name: "test", source: source)
            try await fixture.datasets.store(dataset, for: ticket)
            let stored = try #require(try await fixture.datasets.dataset(dataset.id, tenant: tenant))
            return try await body(fixture.datasets, stored)
        }
    }

    private func all(
        _ store: any DatasetStore, _ dataset: TrainingDataset, after: DatasetRowPosition? = nil
    ) async throws -> [DatasetScan.Entry] {
        var scan = DatasetScan(store: store, dataset: dataset, tenant: tenant, after: after)
        var found: [DatasetScan.Entry] = []
        while let entry = try await scan.entry() { found.append(entry) }
        return found
    }

    @Test("a scan gives the points that the history gives, over chunks, and goes on where a page ended")
    func scanning() async throws {
        var changes = lines(4_500) { index, allocation in
            // Hours of these follow from utilisation, which is in an earlier chunk than they are.
            if index % 5 == 0 { allocation.actualHours = nil }
            if index % 11 == 0 { allocation.completedAt = nil }
        }
        for change in changes {
            guard case .allocation(let allocation) = change, let start = allocation.start else { continue }
            let day = (start / 86_400).rounded(.down) * 86_400
            changes.append(.capacity(CapacityDay(employee: allocation.employee, day: day, utilisation: 80)))
        }
        try await scan(changes) { store, dataset in
            let entries = try await all(store, dataset)
            #expect(entries.count == 4_500)
            let points = entries.compactMap(\.point)
            let known = try await store.history(dataset.id, tenant: tenant)
            let expected = known.trainingPoints(asOf: dataset.asOf.timeIntervalSince1970)
            #expect(points.count == dataset.rowCount)
            #expect(
                points.sorted { $0.allocationID < $1.allocationID }
                    == expected.sorted { $0.allocationID < $1.allocationID })
            #expect(points.contains { $0.hoursSource == .utilisation })
            for cut in [0, 1_999, 2_000, 4_498] {
                let rest = try await all(store, dataset, after: entries[cut].position)
                #expect(rest.map(\.allocation.id) == entries[(cut + 1)...].map(\.allocation.id), "after \(cut)")
                #expect(rest.map(\.point) == entries[(cut + 1)...].map(\.point), "after \(cut)")
            }
        }
    }

    @Test("a dataset whose bytes have changed is not read to its end")
    func damage() async throws {
        try await scan(lines(10) { _, _ in }) { store, dataset in
            let other = TrainingDataset(
                id: dataset.id, name: dataset.name, rowCount: 10, featureCount: 1, featureSchema: 1, labelKeys: [],
                contentSha256: String(repeating: "0", count: 64), spanStart: dataset.spanStart, asOf: dataset.asOf,
                createdAt: dataset.createdAt)
            await #expect(throws: DatasetDamaged.self) { try await all(store, other) }
        }
    }

    @Test("a report counts what is odd and says it in words")
    func report() async throws {
        let changes = lines(60) { index, allocation in
            switch index {
            case 0..<12: allocation.start = (allocation.completedAt ?? 0) + 86_400
            case 12: allocation.actualHours = 400
            case 13: allocation.completedAt = nil
            case 14:
                allocation.completedAt = nil
                allocation.plannedEnd = allocation.decidedAt
            case 15: allocation.plannedHours = 0
            case 16:
                allocation.plannedHours = 0
                allocation.actualHours = nil
            case 17: allocation.decidedAt += 86_400
            case 18: allocation.skills = []
            case 19: (allocation.allocationPercent, allocation.hoursPerDay) = (nil, 4)
            case 20: allocation.allocationPercent = nil
            default: break
            }
        }
        var twin = try #require(
            changes.compactMap { if case .allocation(let one) = $0 { one } else { nil } }.last)
        twin.id = AllocationID().description
        let report = try await scan(changes + [.allocation(twin)]) { store, dataset in
            var builder = DatasetReportBuilder(dataset: dataset)
            for entry in try await all(store, dataset) { try builder.add(entry) }
            return builder.report()
        }
        #expect(report.rows == 58 && report.unfinishedWork == 2 && report.withoutHours == 1)
        for warning in [
            "12 allocations completed before they started.", "1 allocation has no planned hours.",
            "1 allocation was written down only after its completion, and counts as decided at its start.",
            "1 allocation completed without any hours, planned or recorded, and is not learned from.",
            "1 allocation took more than 20 times the plan, or less than a twentieth of it.",
            "1 allocation repeats an earlier one in everything but its id.",
            "1 allocation is unfinished although its planned end has passed.",
        ] {
            #expect(report.warnings.contains(warning), "\(warning) is not among \(report.warnings)")
        }
        #expect(report.outliers.examples.map(\.reason) == ["took 400 hours against a plan of 8"])
        #expect(report.duplicates.count == 1)
        #expect(report.missing.contains { $0.field == "requiredSkills" && $0.rows == 1 })
        // Hours per day say the same.
        #expect(report.missing.contains { $0.field == "allocationPercentage" && $0.rows == 1 })
        #expect(report.people.distinct == 3 && report.people.counts.map(\.rows).reduce(0, +) == 58)
        #expect(report.skills == DatasetReport.Group(distinct: 1, counts: [.init(key: "Swift", rows: 57)]))
        #expect(report.span.firstDecision == SyntheticHistory.start)
    }

    @Test("bookings of which the title or the planned end alone differs are no duplicates")
    func nearTwins() throws {
        let dataset = TrainingDataset(
            id: DatasetID(), name: "test", rowCount: 5, featureCount: 1, featureSchema: 1, labelKeys: [],
            contentSha256: "", spanStart: Date(), asOf: Date(), createdAt: Date())
        let (employee, project) = (EmployeeID().description, ProjectID().description)
        let booked = 1_736_121_600.0
        var builder = DatasetReportBuilder(dataset: dataset)
        let twins: [(title: String?, end: Double?)] = [
            (nil, nil), ("Login page", nil), ("Log-out page", nil), ("Login page", 86_400), ("Login page", nil),
        ]
        for (number, twin) in twins.enumerated() {
            let allocation = Forecasting.Allocation(
                id: AllocationID().description, employee: employee, project: project, plannedHours: 8, actualHours: 7,
                start: booked, plannedEnd: twin.end.map { booked + $0 }, decidedAt: booked,
                completedAt: booked + 3_600, title: twin.title)
            try builder.add(
                DatasetScan.Entry(
                    position: DatasetRowPosition(number: number), allocation: allocation,
                    point: TrainingPointSource().point(for: allocation, asOf: booked + 86_400), project: nil))
        }
        let report = builder.report()
        // Only the last repeats another.
        #expect(report.rows == 5 && report.duplicates.count == 1)
    }

    @Test("what was cancelled is no unfinished work, and a report says how much it is")
    func cancelled() throws {
        let asOf = Date(timeIntervalSince1970: 1_750_000_000)
        let dataset = TrainingDataset(
            id: DatasetID(), name: "test", rowCount: 0, featureCount: 1, featureSchema: 1, labelKeys: [],
            contentSha256: "", spanStart: asOf, asOf: asOf, createdAt: asOf)
        let booked = 1_736_121_600.0
        var builder = DatasetReportBuilder(dataset: dataset)
        for number in 0..<3 {
            let allocation = Forecasting.Allocation(
                id: AllocationID().description, employee: EmployeeID().description, project: ProjectID().description,
                plannedHours: 8, start: booked, plannedEnd: booked + 86_400, decidedAt: booked,
                cancelledAt: number < 2 ? booked + 3_600 : nil)
            try builder.add(
                DatasetScan.Entry(
                    position: DatasetRowPosition(number: number), allocation: allocation, point: nil, project: nil))
        }
        let report = builder.report()
        #expect(report.unfinishedWork == 1)
        #expect(report.warnings.contains("2 allocations were cancelled and are not learned from."))
        #expect(report.warnings.contains { $0.hasPrefix("1 allocation is unfinished although") })
    }

    @Test("what is tentative or on a closed project is no unfinished work, and a report says how much it is")
    func neverFinished() throws {
        let asOf = Date(timeIntervalSince1970: 1_750_000_000)
        let dataset = TrainingDataset(
            id: DatasetID(), name: "test", rowCount: 0, featureCount: 1, featureSchema: 1, labelKeys: [],
            contentSha256: "", spanStart: asOf, asOf: asOf, createdAt: asOf)
        let booked = 1_736_121_600.0
        var builder = DatasetReportBuilder(dataset: dataset)
        for number in 0..<4 {
            let project = ProjectFacts(
                id: ProjectID().description, status: number == 0 ? .completed : .onHold, closedSince: booked + 86_400)
            let allocation = Forecasting.Allocation(
                id: AllocationID().description, employee: EmployeeID().description, project: project.id,
                plannedHours: 8, start: booked, plannedEnd: booked + 86_400, decidedAt: booked,
                softSince: number == 1 || number == 2 ? booked : nil)
            try builder.add(
                DatasetScan.Entry(
                    position: DatasetRowPosition(number: number), allocation: allocation, point: nil, project: project))
        }
        let report = builder.report()
        #expect(report.unfinishedWork == 1)
        #expect(report.warnings.contains("2 allocations are tentative and are not waited for."))
        #expect(report.warnings.contains("1 allocation is open on a project that is closed, and is not waited for."))
        #expect(report.warnings.contains { $0.hasPrefix("1 allocation is unfinished although") })
    }

    @Test("a report is worked out once: what was kept is given again, and one of another version is not")
    func keptReport() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            var source = DatasetSource(months: 240, asOf: Date(timeIntervalSince1970: 1_900_000_000))
            for change in lines(40, { _, _ in }) { try source.add(change) }
            let dataset = try Dataset(name: "test", source: source)
            try await fixture.datasets.store(dataset, for: ticket)
            let stored = try #require(try await fixture.datasets.dataset(dataset.id, tenant: tenant))
            let reports = DatasetReports(store: fixture.datasets)
            let first = try await reports.report(of: stored, tenant: tenant)
            #expect(first.rows == 40)
            // Only the kept report is left to answer from.
            try await fixture.asSuperuser {
                _ = try await $0.execute("DELETE FROM ml_training.dataset_chunk_uses")
            }
            #expect(try await reports.report(of: stored, tenant: tenant) == first)
            #expect(try await fixture.datasets.report(of: dataset.id, tenant: TenantID()) == nil)
            try await fixture.asSuperuser {
                _ = try await $0.execute("UPDATE ml_training.dataset_reports SET version = 0")
            }
            await #expect(throws: ProblemError.self) { try await reports.report(of: stored, tenant: tenant) }
        }
    }

    @Test("an ordinary dataset has no warnings, and an empty one says that it is too small")
    func ordinary() {
        let dataset = TrainingDataset(
            id: DatasetID(), name: "test", rowCount: 0, featureCount: 1, featureSchema: 1, labelKeys: [],
            contentSha256: "", spanStart: Date(), asOf: Date(), createdAt: Date())
        let report = DatasetReportBuilder(dataset: dataset).report()
        #expect(report.warnings == ["Only 0 completed allocations; training needs at least 30."])
        #expect(report.missing.isEmpty && report.span.firstDecision == nil)
    }

    @Test("CSV quotes what needs it and leaves the unknown empty")
    func csv() throws {
        let row = DatasetRow(
            allocationId: AllocationID(), employeeId: EmployeeID(), projectId: ProjectID(),
            requiredSkills: ["C, C++", "the \"new\" one"], labels: ["b": "2", "a": "1"], allocationPercentage: nil,
            plannedHours: 8, actualHours: 7.25, hoursSource: "recorded", performanceScore: 60, completionRate: nil,
            timestamp: Date(timeIntervalSince1970: 0), start: nil, completedAt: Date(timeIntervalSince1970: 86_400),
            success: true, title: "a, b", plannedEnd: Date(timeIntervalSince1970: 2 * 86_400), hoursPerDay: 2.5)
        #expect(
            row.csv
                == "\(row.allocationId),\(row.employeeId),\(row.projectId),\"C, C++;the \"\"new\"\" one\",a=1;b=2,,8,7.25,"
                + "recorded,60,,1970-01-01T00:00:00.000Z,,1970-01-02T00:00:00.000Z,true,\"a, b\",1970-01-03T00:00:00.000Z,2.5\r\n"
        )
        #expect(DatasetRow.csvHeader.split(separator: ",").count == 18)
    }
}

import Foundation
import Testing

@testable import Forecasting

@Suite struct HistoryTests {
    private let day = 86_400.0

    @Test("history built change by change answers like history built at once")
    func incrementalEqualsWhole() {
        let company = Company()
        let whole = company.history(200)
        var grown = History(
            allocations: [], projects: (0..<4).compactMap { whole.project("p\($0)") },
            employees: (0..<6).compactMap { whole.employee("e\($0)") })
        // In an order far from time, each first unfinished, some twice, some removed and put back.
        for (index, allocation) in company.allocations(200).enumerated().sorted(by: {
            ($0.offset * 37) % 200 < ($1.offset * 37) % 200
        }) {
            var open = allocation
            open.actualHours = nil
            open.completedAt = nil
            grown.apply(.allocation(open))
            if index % 5 == 0 { grown.apply(.allocationRemoved(id: allocation.id)) }
            grown.apply(.allocation(allocation))
            if index % 7 == 0 { grown.apply(.allocation(allocation)) }
        }
        for withPlan in [true, false] {
            let schema = FeatureSchema(withPlan: withPlan, labelKeys: ["priority", "team"])
            for allocation in whole.allocations {
                let expected = FeatureBuilder(schema: schema, history: whole).values(Decision(allocation))
                let found = FeatureBuilder(schema: schema, history: grown).values(Decision(allocation))
                #expect(expected.map(\.bitPattern) == found.map(\.bitPattern))
            }
        }
        #expect(grown.allocations == whole.allocations)
    }

    @Test("an outcome counts strictly after it became known, not at the same moment")
    func strictlyBefore() {
        let done = Allocation(
            id: "1", employee: "e", project: "p", plannedHours: 2, actualHours: 4, decidedAt: 0, completedAt: 10 * day)
        let history = History(allocations: [done])
        let schema = FeatureSchema(withPlan: true)
        let count = schema.columns.personCount
        func known(at moment: Double) -> Float {
            FeatureBuilder(schema: schema, history: history)
                .values(Decision(employee: "e", project: "p", plannedHours: 2, at: moment))[count]
        }
        #expect(known(at: 10 * day) == 0)
        #expect(known(at: 10 * day + 1) > 0)
    }

    @Test("hours are the recorded ones, else plan times mean utilisation over the days, else the plan")
    func actualHours() {
        func allocation(_ id: String, _ employee: String, actual: Double?) -> Allocation {
            Allocation(
                id: id, employee: employee, project: "p", plannedHours: 10, actualHours: actual, start: 0,
                plannedEnd: 2 * day, decidedAt: 0, completedAt: 5 * day)
        }
        let history = History(
            allocations: [
                allocation("1", "a", actual: 7), allocation("2", "a", actual: nil), allocation("3", "b", actual: nil),
            ],
            capacity: [
                CapacityDay(employee: "a", day: 0, utilisation: 50),
                CapacityDay(employee: "a", day: day, utilisation: 120),
                CapacityDay(employee: "a", day: 4 * day, utilisation: 900),
            ])
        let points = Dictionary(
            uniqueKeysWithValues: history.trainingPoints(asOf: 6 * day).map { ($0.allocationID, $0) })
        #expect(points["1"]?.actualHours == 7)
        #expect(points["1"]?.success == true)
        #expect(points["2"]?.actualHours == 8.5)
        #expect(points["2"]?.hoursSource == .utilisation)
        #expect(points["3"]?.actualHours == 10)
        #expect(points["3"]?.hoursSource == .planned)
        #expect(points["3"]?.success == nil)
    }

    @Test("a late capacity row changes the hours that follow from it", arguments: [nil, 0])
    func lateCapacity(recorded: Double?) {
        var history = History(allocations: [
            Allocation(
                id: "1", employee: "a", project: "p", plannedHours: 10, actualHours: recorded, start: 0, decidedAt: 0,
                completedAt: day)
        ])
        #expect(history.learningRows(asOf: .infinity).isEmpty)
        history.apply(.capacity(CapacityDay(employee: "a", day: 0, utilisation: 30)))
        #expect(history.learningRows(asOf: .infinity).map(\.hours) == [3])
        history.apply(.capacityRemoved(employee: "a", day: 0))
        #expect(history.learningRows(asOf: .infinity).isEmpty)
    }

    @Test("performance is 100, 80, 60 or 40 by the project's dates, and future ends are unknown")
    func performance() {
        func score(_ end: Double?, _ estimated: Double?, at moment: Double) -> Double {
            PerformanceScore.score(
                ProjectFacts(id: "p", start: 0, estimatedEnd: estimated, end: end).dates, at: moment)
        }
        #expect(score(5 * day, 6 * day, at: 10 * day) == 100)
        #expect(score(8 * day, 6 * day, at: 10 * day) == 80)
        #expect(score(8 * day, 6 * day, at: 5 * day) == 60)
        #expect(score(8 * day, 6 * day, at: 7 * day) == 40)
        #expect(score(nil, nil, at: 7 * day) == 60)
    }

    @Test("a record made after completion counts as decided before it")
    func importedLater() {
        let history = History(allocations: [
            Allocation(
                id: "1", employee: "e", project: "p", plannedHours: 2, actualHours: 3, start: day, decidedAt: 50 * day,
                completedAt: 3 * day)
        ])
        #expect(history.allocation(id: "1")?.decidedAt == day)
    }
}

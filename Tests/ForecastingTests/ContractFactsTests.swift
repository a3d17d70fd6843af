import Foundation
import Testing

@testable import Forecasting

@Suite struct ContractFactsTests {
    /// In the middle of the company's 60 decisions.
    private static let change = 1_000_000_000 + 30.5 * 43_200

    /// Everybody went from 40 to 20 hours a week.
    private var history: History {
        var history = Company().history(60)
        for index in 0..<6 {
            history.apply(
                .employee(
                    EmployeeFacts(
                        id: "e\(index)", weeklyCapacityHours: 20,
                        contracts: [
                            ContractFacts(from: nil, weeklyHours: 40),
                            ContractFacts(from: Self.change, weeklyHours: 20),
                        ])))
        }
        return history
    }

    @Test("the contract in force at a moment counts, and the first one before it begins")
    func inForce() {
        let facts = EmployeeFacts(
            id: "e", weeklyCapacityHours: 20,
            contracts: [ContractFacts(from: 100, weeklyHours: 40), ContractFacts(from: 200, weeklyHours: 20)])
        #expect([0, 100, 199, 200, 1e9].map { facts.weeklyCapacityHours(at: $0) } == [40, 40, 40, 20, 20])
        #expect(EmployeeFacts(id: "e", weeklyCapacityHours: 35).weeklyCapacityHours(at: 0) == 35)
    }

    @Test("training and serving see the hours of the day of the decision")
    func ofTheDecision() throws {
        let history = history
        let rows = history.learningRows(asOf: .infinity)
        let schema = FeatureSchema(withPlan: true, learningFrom: rows)
        let trained = history.features(of: rows, schema: schema)
        let builder = FeatureBuilder(schema: schema, history: history)
        let round = try #require(schema.features.firstIndex { $0.name == "plan.round" })
        // Four hours are half a day of the earlier contract and a whole one of the later.
        var seen: Set<Float> = []
        for (index, row) in rows.enumerated() {
            let served = builder.values(row.decision)
            let first = index * trained.columns
            #expect(
                Array(trained.values[first..<first + trained.columns]).map(\.bitPattern) == served.map(\.bitPattern))
            guard row.decision.plannedHours == 4 else { continue }
            #expect(served[round] == (row.decision.at < Self.change ? 1 : 2))
            seen.insert(served[round])
        }
        #expect(seen == [1, 2], "the data must have such rows to show it")
    }

    @Test("a dataset's line keeps the contracts, and one of before there were any reads as before")
    func coding() throws {
        let facts = EmployeeFacts(
            id: "e", weeklyCapacityHours: 20, contracts: [ContractFacts(from: nil, weeklyHours: 40)])
        #expect(try JSONDecoder().decode(EmployeeFacts.self, from: JSONEncoder().encode(facts)) == facts)
        let old = Data(#"{"id":"e","weeklyCapacityHours":35}"#.utf8)
        #expect(
            try JSONDecoder().decode(EmployeeFacts.self, from: old) == EmployeeFacts(id: "e", weeklyCapacityHours: 35))
    }
}

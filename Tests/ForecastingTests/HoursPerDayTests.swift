import Foundation
import NeuralNetwork
import Testing

@testable import Forecasting

/// Bookings whose effort is stated as hours of each working day are learned from as those stated as a percentage are.
@Suite struct HoursPerDayTests {
    private static let count = 400
    private static let asked = Company.end(count)

    /// Of weeks of 16, 24, … 56 hours, half of whom have another contract from the middle on.
    private static let employees = (0..<6).map { person in
        let hours = Double(16 + 8 * person)
        let contracts =
            person % 2 == 0
            ? [
                ContractFacts(from: nil, weeklyHours: hours),
                ContractFacts(from: 1_000_000_000 + 200.5 * 43_200, weeklyHours: 60 - hours),
            ] : nil
        return EmployeeFacts(id: "e\(person)", weeklyCapacityHours: hours, contracts: contracts)
    }

    /// Windows of 1 to 25 days. Two of three bookings state hours per day, the others a percentage.
    /// - Parameter planned: whether hours are planned, too.
    private static func history(planned: Bool) -> History {
        let allocations = Company(noise: 0.1).allocations(count).enumerated().map { index, given in
            var allocation = given
            let (step, days) = (index % 4, [1, 4, 11, 25][index / 4 % 4])
            let daily = [1.0, 2, 4, 7.5][step]
            (allocation.allocationPercent, allocation.hoursPerDay) =
                index % 3 == 0 ? ([10.0, 20, 50, 100][step], nil) : (nil, daily)
            allocation.start = Double(History.dayNumber(given.decidedAt) + 1) * 86_400
            allocation.plannedEnd = (allocation.start ?? 0) + Double(days) * 86_400
            // Work at a slow pace takes longer where hours are planned, and as long as its pace says where none are.
            allocation.actualHours =
                planned
                ? given.plannedHours * pow(8 / daily, 0.5) * exp(0.1 * Double(index % 5 - 2))
                : daily * Double(days) * exp(0.1 * Double(index % 5 - 2))
            if !planned { allocation.plannedHours = 0 }
            return allocation
        }
        return History(allocations: allocations, employees: employees)
    }

    private static func model(_ history: History) throws -> ForecastModel {
        try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: asked, maximumTrees: 60, searchSeconds: 0)
        ).run().model
    }

    private static let (planned, unplanned) = (history(planned: true), history(planned: false))
    private static let plannedModel = Result { try model(planned) }
    private static let unplannedModel = Result { try model(unplanned) }

    private func decision(
        _ person: String = "e0", plannedHours: Double? = nil, percent: Double? = nil, hoursPerDay: Double? = nil
    ) -> Decision {
        let start = Double(History.dayNumber(Self.asked) + 1) * 86_400
        return Decision(
            employee: person, project: "p1", skills: ["swift"], labels: ["priority": "1", "team": "t0"],
            plannedHours: plannedHours, allocationPercent: percent, start: start, end: start + 11 * 86_400,
            at: Self.asked, hoursPerDay: hoursPerDay)
    }

    @Test("the features of a question in hours per day are those of the training row, column by column")
    func skew() throws {
        for (history, withPlan) in [(Self.planned, true), (Self.unplanned, false)] {
            let rows = history.learningRows(asOf: .infinity)
            let schema = FeatureSchema(withPlan: withPlan, learningFrom: rows)
            #expect(schema.usesHoursPerDay && schema.expects.contains(.percentage))
            let column = try #require(
                schema.features.firstIndex { $0.name == (withPlan ? "base.allocation" : "effort") })
            let matrix = history.features(of: rows, schema: schema)
            let builder = FeatureBuilder(schema: schema, history: history)
            var moved = 0
            for (index, row) in rows.enumerated() {
                let live = builder.values(row.decision)
                #expect(live.map(\.bitPattern) == matrix[index].map(\.bitPattern), "\(row.id)")
                // What this would not be worth otherwise: the column depends on what is stated.
                var silent = row.decision
                silent.hoursPerDay = nil
                if builder.values(silent)[column].bitPattern != live[column].bitPattern { moved += 1 }
            }
            #expect(moved > rows.count / 2, "\(moved)")
        }
    }

    @Test("hours per day are a percentage of the day that the person's contract at the decision has")
    func share() throws {
        let history = Self.planned
        let schema = FeatureSchema(withPlan: true, usesHoursPerDay: true)
        let builder = FeatureBuilder(schema: schema, history: history)
        let column = try #require(schema.features.firstIndex { $0.name == "base.allocation" })
        func share(_ decision: Decision) -> Float { builder.values(decision)[column] }
        // Weeks of 24 hours; of 16 and later 44; of 40 where nothing is known of the person.
        #expect(share(decision("e1", plannedHours: 8, hoursPerDay: 2.4)) == 0.5)
        var early = decision("e0", plannedHours: 8, hoursPerDay: 2.2)
        #expect(share(early) == 0.25)
        early.at = 1_000_000_000
        #expect(abs(share(early) - 0.6875) < 1e-6)
        #expect(share(decision("stranger", plannedHours: 8, hoursPerDay: 4)) == 0.5)
        // A contract of no hours has no day: a usual one stands in.
        #expect(Pace.hoursPerDay(4).percent(weeklyHours: 0) == 50)
        // Of two statements the hours per day count, as in bookings.
        #expect(share(decision("e1", plannedHours: 8, percent: 90, hoursPerDay: 2.4)) == 0.5)
        #expect(share(decision("e1", plannedHours: 8, percent: 90)) == Float(0.9))
    }

    @Test("the base network learns which share is best from hours per day as from the percentage that they are")
    func baseNetwork() throws {
        let run = try TrainingRun(
            history: Self.planned, configuration: TrainingConfiguration(months: 12, seed: 1, asOf: Self.asked))
        // Weeks of 24 hours: half of a day, stated in both ways; and of a decision that states neither.
        let stated: [(percent: Double?, daily: Double?)] = [(nil, 2.4), (50, nil), (nil, nil)]
        let rows = stated.map { percent, daily in
            LearningRow(
                id: "a", slot: 0, decision: decision("e1", plannedHours: 8, percent: percent, hoursPerDay: daily),
                completedAt: Self.asked, hours: 12, planned: 8)
        }
        let percents = run.percents(of: rows)
        #expect(percents == [50, 50, nil])
        let matrix = FeatureMatrix(values: [Float](repeating: 0, count: 15), columns: 5)
        let samples = BaseNetworkTraining.samples(rows, percents, matrix, [0, 1, 2])
        // Half as much again as planned was needed.
        #expect(samples.targets[0] == 0.75 && samples.targets[3] == 0.75 && samples.targets[6].isNaN)
    }

    @Test("an effort in hours per day is that of the percentage that they are")
    func effort() {
        func effort(_ decision: Decision) -> Double? {
            DecisionNumbers(decision, in: Self.unplanned, readsHoursPerDay: true).effort
        }
        let (daily, share) = (effort(decision("e1", hoursPerDay: 2.4)), effort(decision("e1", percent: 50)))
        #expect(daily != nil && abs((daily ?? 0) - (share ?? 1)) < 1e-9)
        #expect(effort(decision("e1", plannedHours: 8, hoursPerDay: 2.4)) == nil)
    }

    @Test("the hours per day asked about move the answer as they moved the hours learned from")
    func answers() throws {
        let (planned, unplanned) = (try Self.plannedModel.get(), try Self.unplannedModel.get())
        func hours(_ model: ForecastModel, _ decision: Decision, _ history: History) -> Double {
            model.forecast(decision, history: history).hours
        }
        func slow(_ plan: Double?, _ daily: Double?) -> Decision { decision(plannedHours: plan, hoursPerDay: daily) }
        #expect(hours(planned, slow(7, 1), Self.planned) > 1.5 * hours(planned, slow(7, 7.5), Self.planned))
        #expect(hours(unplanned, slow(nil, 7.5), Self.unplanned) > 3 * hours(unplanned, slow(nil, 1), Self.unplanned))
        // Left out, a model that never knew it answers.
        let asked = slow(7, nil)
        #expect(planned.placedVariant(for: asked).place == .plannedWithoutDetails)
        #expect(planned.placedVariant(for: slow(7, 4)).place == .planned)
        let said = planned.explainedForecast(slow(7, 1), Self.planned)
        #expect(said.contains { $0.hasPrefix("The work takes 1 hour of each working day, ") }, "\(said)")
    }

    @Test("many people asked about in hours per day are answered to the bit as each alone")
    func people() throws {
        let ids = (0..<6).map { "e\($0)" } + ["stranger"]
        for (model, history) in [
            (try Self.plannedModel.get(), Self.planned), (try Self.unplannedModel.get(), Self.unplanned),
        ] {
            for plan in [7.0, nil] {
                let question = decision(plannedHours: plan, hoursPerDay: 3)
                let estimates = model.estimates(question, of: ids.map(history.person), history: history)
                for (id, estimate) in zip(ids, estimates) {
                    var own = question
                    own.employee = id
                    let alone = model.forecast(own, history: history, explaining: false)
                    #expect(estimate.hours.bitPattern == alone.hours.bitPattern, "\(id)")
                    #expect(estimate.successProbability?.bitPattern == alone.successProbability?.bitPattern, "\(id)")
                }
            }
        }
        let schema = try Self.plannedModel.get().variant(withPlan: true).schema
        #expect(schema.personalColumns.contains(0) && !FeatureSchema(withPlan: true).personalColumns.contains(0))
    }

    @Test("a model comes back from its bytes with its hours per day, and its probe asks in them")
    func bytes() throws {
        for (model, history) in [
            (try Self.plannedModel.get(), Self.planned), (try Self.unplannedModel.get(), Self.unplanned),
        ] {
            var model = model
            let decisions = history.learningRows(asOf: .infinity).map(\.decision)
            model.probe = ModelProbe(of: model, decisions: decisions, history: history)
            let decoded = try ForecastModel(decoding: model.encoded())
            #expect(decoded.encoded() == model.encoded())
            for withPlan in [true, false] {
                #expect(decoded.variant(withPlan: withPlan).schema == model.variant(withPlan: withPlan).schema)
            }
            let probe = try #require(decoded.probe)
            #expect(probe.questions.contains { $0.decision.hoursPerDay != nil })
            #expect(probe.difference(from: decoded) == nil)
        }
    }

    @Test("a model that learned from no hours per day takes them as its rows did: as no percentage")
    func earlierModels() throws {
        // The same rows as they were read before: without what they state per day.
        let history = History(
            allocations: Self.planned.allocations.map {
                var allocation = $0
                allocation.hoursPerDay = nil
                return allocation
            }, employees: Self.employees)
        let model = try Self.model(history)
        #expect(model.schemas.allSatisfy { !$0.usesHoursPerDay })
        for plan in [7.0, nil] {
            func answer(_ daily: Double?) -> Forecast {
                // Recalibration and features read the history as it is kept now.
                model.forecast(decision(plannedHours: plan, hoursPerDay: daily), history: Self.planned)
            }
            let (stated, silent) = (answer(3), answer(nil))
            #expect(stated.hours.bitPattern == silent.hours.bitPattern)
            #expect(stated.successProbability?.bitPattern == silent.successProbability?.bitPattern)
            #expect(stated.intervals.map(\.low) == silent.intervals.map(\.low))
        }
    }

    @Test("what is learned from a booking changes with its hours per day, and is as before without")
    func digest() {
        func digest(_ daily: Double?) -> UInt64 {
            var allocation = Company().allocations(1)[0]
            allocation.hoursPerDay = daily
            return History(allocations: [allocation]).outcomeDigest
        }
        #expect(digest(nil) != digest(4) && digest(4) != digest(5))
    }
}

extension ForecastModel {
    /// What the reasons of an answer say.
    fileprivate func explainedForecast(_ decision: Decision, _ history: History) -> [String] {
        forecast(decision, history: history).explanation.map(\.text)
    }
}

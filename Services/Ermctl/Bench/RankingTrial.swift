import Basics
import Forecasting
import Foundation

/// How long a model takes to compare many people, without any service around it.
struct RankingTrial {
    let people: Int
    /// Milliseconds, the median.
    let together: Double
    /// Milliseconds when each is asked about alone.
    let alone: Double

    /// One model for all numbers of people.
    static func run(people counts: [Int]) throws -> [RankingTrial] {
        guard let most = counts.max() else { return [] }
        let model = try train()
        let history = history(people: most, allocationsEach: 20)
        let question = Decision(
            employee: "e0", project: "p1", skills: ["kind-1"], labels: ["priority": "2"], plannedHours: 12,
            allocationPercent: 50, start: end + 86_400, end: end + 8 * 86_400, at: end)
        return counts.map { count in
            let people = (0..<count).map { history.person("e\($0)") }
            var times: [Double] = []
            for _ in 0..<15 {
                let start = ContinuousClock.now
                let estimates = model.estimates(question, of: people, history: history)
                times.append((ContinuousClock.now - start) / .milliseconds(1))
                precondition(estimates.count == count)
            }
            let sample = min(count, 500)
            let start = ContinuousClock.now
            for person in 0..<sample {
                var own = question
                own.employee = "e\(person)"
                _ = model.forecast(own, history: history, explaining: false)
            }
            let alone = (ContinuousClock.now - start) / .milliseconds(1) / Double(sample) * Double(count)
            return RankingTrial(people: count, together: times.sorted()[times.count / 2], alone: alone)
        }
    }

    private static let start = 1_700_000_000.0
    private static let end = start + 800 * 86_400

    /// Of a company small enough to be learned from in seconds, by models as large as they get.
    private static func train() throws -> ForecastModel {
        let configuration = TrainingConfiguration(
            months: 240, epochs: 10, seed: 1, asOf: end, searchSeconds: 3)
        return try TrainingRun(history: history(people: 40, allocationsEach: 60), configuration: configuration).run()
            .model
    }

    private static func history(people: Int, allocationsEach: Int) -> History {
        var random = SeededGenerator(seed: 4)
        func pick(_ range: Int) -> Int { Int(random.next() % UInt64(range)) }
        let count = people * allocationsEach
        var allocations: [Forecasting.Allocation] = []
        allocations.reserveCapacity(count)
        for index in 0..<count {
            let decided = start + Double(index) / Double(count) * 780 * 86_400
            let person = index % people
            let planned = Double(1 + pick(80)) / 2
            let habit = 0.7 + Double(person % 9) / 10
            allocations.append(
                Forecasting.Allocation(
                    id: "a\(index)", employee: "e\(person)", project: "p\(pick(50))", skills: ["kind-\(pick(12))"],
                    labels: ["priority": "\(1 + pick(4))"], plannedHours: planned, allocationPercent: 50,
                    actualHours: planned * habit * Double(70 + pick(60)) / 100, start: decided,
                    plannedEnd: decided + 86_400, decidedAt: decided,
                    completedAt: decided + Double(1 + pick(200)) * 3_600))
        }
        return History(
            allocations: allocations,
            projects: (0..<50).map { ProjectFacts(id: "p\($0)", start: start, estimatedEnd: end) },
            employees: (0..<people).map { EmployeeFacts(id: "e\($0)", weeklyCapacityHours: 40) })
    }
}

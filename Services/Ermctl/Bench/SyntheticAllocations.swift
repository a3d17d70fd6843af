import Forecasting
import NeuralNetwork

/// A made-up large company: one person per 500 allocations, one project per 1,000, forty kinds of work, one decision
/// every ten minutes.
func syntheticAllocations(_ count: Int, seed: UInt64) -> [Forecasting.Allocation] {
    var generator = SeededGenerator(seed: seed)
    func pick(_ range: Int) -> Int { Int(generator.next() % UInt64(max(1, range))) }
    let people = (0...count / 500).map { "employee-0000-0000-0000-\($0)" }
    return (0..<count).map { index in
        let decided = 1_500_000_000 + Double(index) * 600
        let planned = Double(1 + pick(80)) / 2
        // Projects come and go.
        let project = index / 20_000 * 10 + pick(20)
        return Forecasting.Allocation(
            id: "allocation-0000-0000-\(index)", employee: people[pick(people.count)],
            project: "project-0000-0000-0000-\(project)", skills: ["kind-\(pick(40))"],
            labels: ["priority": "\(1 + pick(5))", "requester": "requester-\(pick(200))"], plannedHours: planned,
            allocationPercent: 50, actualHours: planned * Double(50 + pick(100)) / 100, start: decided,
            plannedEnd: decided + 86_400, decidedAt: decided, completedAt: decided + Double(1 + pick(200)) * 3_600)
    }
}

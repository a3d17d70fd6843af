import Forecasting
import NeuralNetwork

/// A made-up large company: one person per 500 allocations, one project per 1,000, forty kinds of work, one decision
/// every ten minutes. Allocations are made as they are asked for, so that a million of them need no memory.
struct SyntheticAllocations: Sequence, IteratorProtocol {
    private let count: Int
    private let people: [String]
    private var generator: SeededGenerator
    private var index = 0

    init(_ count: Int, seed: UInt64) {
        self.count = count
        people = (0...count / 500).map { "employee-0000-0000-0000-\($0)" }
        generator = SeededGenerator(seed: seed)
    }

    /// Later than any completion.
    var end: Double { 1_500_000_000 + Double(count) * 600 + 201 * 3_600 }

    mutating func next() -> Forecasting.Allocation? {
        guard index < count else { return nil }
        defer { index += 1 }
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

    private mutating func pick(_ range: Int) -> Int { Int(generator.next() % UInt64(range)) }
}

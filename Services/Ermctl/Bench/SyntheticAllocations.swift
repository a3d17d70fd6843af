import Basics
import Forecasting
import NeuralNetwork

/// A made-up large company: one person per 500 allocations, one project per 1,000, forty kinds of work, one decision
/// every ten minutes. Allocations are made as they are asked for, so that a million of them need no memory.
struct SyntheticAllocations: Sequence, IteratorProtocol {
    private static let start = 1_500_000_000.0
    private static let secondsBetween = 600.0
    /// Projects come and go: in each period some are new, and as many old ones end.
    private static let rowsPerPeriod = 20_000
    private static let newProjects = 10
    private static let projectsAtOnce = 20

    private let count: Int
    private let people: [String]
    private var generator: SeededGenerator
    private var index = 0

    init(_ count: Int, seed: UInt64) {
        self.count = count
        people = (0...count / 500).map { "employee-0000-0000-0000-\($0)" }
        generator = SeededGenerator(seed: seed)
    }

    var employees: [EmployeeFacts] { people.map { EmployeeFacts(id: $0, weeklyCapacityHours: 40) } }

    var projects: [ProjectFacts] {
        (0..<(count - 1) / Self.rowsPerPeriod * Self.newProjects + Self.projectsAtOnce).map { number in
            let start = Self.start + Double(number / Self.newProjects * Self.rowsPerPeriod) * Self.secondsBetween
            return ProjectFacts(id: Self.projectID(number), start: start, estimatedEnd: start + 300 * 86_400)
        }
    }

    /// Later than any completion.
    var end: Double { Self.start + Double(count) * Self.secondsBetween + 201 * 3_600 }

    mutating func next() -> Forecasting.Allocation? {
        guard index < count else { return nil }
        defer { index += 1 }
        let decided = Self.start + Double(index) * Self.secondsBetween
        let planned = Double(1 + pick(80)) / 2
        let project = index / Self.rowsPerPeriod * Self.newProjects + pick(Self.projectsAtOnce)
        return Forecasting.Allocation(
            id: "allocation-0000-0000-\(index)", employee: people[pick(people.count)],
            project: Self.projectID(project), skills: ["kind-\(pick(40))"],
            labels: ["priority": "\(1 + pick(5))", "requester": "requester-\(pick(200))"], plannedHours: planned,
            allocationPercent: 50, actualHours: planned * Double(50 + pick(100)) / 100, start: decided,
            plannedEnd: decided + 86_400, decidedAt: decided, completedAt: decided + Double(1 + pick(200)) * 3_600)
    }

    private static func projectID(_ number: Int) -> String { "project-0000-0000-0000-\(number)" }

    private mutating func pick(_ range: Int) -> Int { Int(generator.next() % UInt64(range)) }
}

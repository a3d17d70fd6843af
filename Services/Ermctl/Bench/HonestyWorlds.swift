import Basics
import Forecasting
import Foundation

/// A made-up company whose truth is known: history up to a moment, and what is asked and comes true after it.
struct HonestyWorld {
    let name: String
    /// Everything that ever happens, outcomes included: what was not finished by `asOf` is open then.
    let allocations: [Forecasting.Allocation]
    /// When the model is made.
    let asOf: Double
    /// How many days back the rows reach that are fitted and judged; nil where the world is all of history.
    var days: Double?

    /// What the training job is asked to learn from.
    var learnsFrom: Double { days.map { asOf - $0 * 86_400 } ?? -.infinity }

    /// What a training job knows.
    var known: History {
        History(
            allocations: allocations.filter { $0.decidedAt < asOf }.map { given in
                var allocation = given
                if (given.completedAt ?? .infinity) >= asOf {
                    allocation.completedAt = nil
                    allocation.actualHours = nil
                }
                return allocation
            })
    }

    /// What is asked afterwards.
    var asked: [Forecasting.Allocation] { allocations.filter { $0.decidedAt >= asOf } }
}

extension HonestyWorld {
    /// The worlds, each of which a careless judge gets wrong.
    static func all(seed: UInt64) -> [HonestyWorld] {
        [
            percentage(seed: seed), edits(seed: seed), exactPlans(seed: seed), censored(seed: seed), months(seed: seed),
            noise(seed: seed), drift(seed: seed),
            onePerson(seed: seed), newcomers(seed: seed), small(seed: seed),
        ]
    }

    /// Hours go up as the share of the person's time goes down.
    static func percentage(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed).world("percentage", known: 1_200) { task, maker in
            let percent = [25.0, 50, 75, 100][maker.below(4)]
            task.allocationPercent = percent
            task.actualHours = task.plannedHours * pow(100 / percent, 0.8) * exp(0.15 * maker.bell())
        }
    }

    /// Nineteen of twenty plans are exactly kept.
    static func exactPlans(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed).world("exact_plans", known: 600) { task, maker in
            task.actualHours = task.plannedHours * (maker.below(20) == 0 ? 1.5 : 1)
        }
    }

    /// Work takes months: a tenth of all, and most of what was decided in the last of them, is unfinished when the model is made.
    static func censored(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed).world("censoring", known: 1_500, hoursPerDay: 0.5) { task, maker in
            task.plannedHours = 20
            task.actualHours = 20 * exp(0.3 + 0.8 * maker.bell())
        }
    }

    /// The same work, of which a job's default of six months leaves rows that are about as long as the work takes.
    static func months(seed: UInt64) -> HonestyWorld {
        let whole = censored(seed: seed)
        return HonestyWorld(name: "months", allocations: whole.allocations, asOf: whole.asOf, days: 183)
    }

    /// Hours depend on nothing but the plan.
    static func noise(seed: UInt64, known: Int = 400) -> HonestyWorld {
        Maker(seed: seed).world("noise", known: known) { task, maker in
            task.actualHours = task.plannedHours * exp(0.5 * maker.bell())
        }
    }

    /// From a moment on, seven tenths into the known history, everything takes 1.6 times as long.
    static func drift(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed).world("drift", known: 1_200) { task, maker in
            let slower = maker.position >= 840 ? 1.6 : 1
            task.actualHours = task.plannedHours * slower * exp(maker.habit(task.employee) + 0.3 * maker.bell())
        }
    }

    /// One person, ten years, two kinds of work.
    static func onePerson(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed, people: 1, secondsBetween: 200_000).world("one_person", known: 1_500) { task, maker in
            let kind = task.skills == ["kind-0"] ? 0.3 : -0.2
            task.actualHours = task.plannedHours * exp(kind + 0.4 * maker.bell())
        }
    }

    /// Every twentieth task is a newcomer's first, second or third.
    static func newcomers(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed).world("newcomers", known: 1_200) { task, maker in
            if maker.below(3) == 0 { task.employee = "newcomer-\(maker.position / 9)" }
            let extra = task.employee.hasPrefix("newcomer") ? 0.4 : 0
            task.actualHours = task.plannedHours * exp(maker.habit(task.employee) + extra + 0.3 * maker.bell())
        }
    }

    /// Four people and 110 tasks.
    static func small(seed: UInt64) -> HonestyWorld {
        Maker(seed: seed, people: 4).world("small", known: 110) { task, maker in
            task.actualHours = task.plannedHours * exp(maker.habit(task.employee) + 0.25 * maker.bell())
        }
    }
}

/// Makes up tasks one after the other.
struct HonestyMaker {
    private var generator: SeededGenerator
    private let people: Int
    private let secondsBetween: Double
    private(set) var position = 0

    private static let start = 1_500_000_000.0

    init(seed: UInt64, people: Int = 12, secondsBetween: Double = 43_200) {
        generator = SeededGenerator(seed: seed)
        self.people = people
        self.secondsBetween = secondsBetween
    }

    mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

    private mutating func unit() -> Double { Double(generator.next() >> 11) * 0x1p-53 }

    /// About normal, with a standard deviation of 1.
    mutating func bell() -> Double { (0..<12).reduce(-6) { sum, _ in sum + unit() } }

    /// Log ratio to the plan that a person keeps.
    func habit(_ person: String) -> Double {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in person.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return Double(hash % 9) / 8 * 0.8 - 0.4
    }

    /// - Parameters:
    ///   - known: how many tasks are decided before the model is made; half as many are asked about after it.
    ///   - hoursPerDay: how fast work goes.
    ///   - outcome: gives a task its hours; whatever else it changes is known at the decision.
    func world(
        _ name: String, known: Int, hoursPerDay: Double = 4,
        outcome: (inout Forecasting.Allocation, inout HonestyMaker) -> Void
    ) -> HonestyWorld {
        var maker = self
        var allocations: [Forecasting.Allocation] = []
        for index in 0..<known * 3 / 2 {
            maker.position = index
            let decided = Self.start + Double(index) * maker.secondsBetween
            var task = Forecasting.Allocation(
                id: "task-\(index)", employee: "person-\(maker.below(maker.people))",
                project: "project-\(maker.below(4))", skills: ["kind-\(maker.below(2))"],
                plannedHours: [2.0, 4, 8, 16, 40][maker.below(5)], start: decided, decidedAt: decided)
            outcome(&task, &maker)
            let hours = task.actualHours ?? task.plannedHours
            task.completedAt = decided + (hours / hoursPerDay + maker.unit()) * 86_400
            allocations.append(task)
        }
        return HonestyWorld(
            name: name, allocations: allocations, asOf: Self.start + Double(known) * secondsBetween)
    }
}

private typealias Maker = HonestyMaker

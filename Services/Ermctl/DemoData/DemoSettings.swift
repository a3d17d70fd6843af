import Basics

/// How large the made-up company is and how its people work.
struct DemoSettings: Codable, Equatable {
    var seed: UInt64 = 20_260_101
    var employees = 320
    var projects = 60
    /// Length of the history.
    var days = 730
    /// Mean days from one allocation's decision to the same person's next.
    var meanDaysBetweenAllocations = 32.0
    /// Share of allocations that take exactly the hours planned, as real records show.
    var exactShare = 0.25
    /// Standard deviation of the log of actual ÷ planned between people, projects, and tasks.
    var personSpread = 0.25
    var projectSpread = 0.2
    var taskSpread = 0.35

    func check() throws {
        guard (1...20_000).contains(employees), (1...5_000).contains(projects), (60...7_300).contains(days) else {
            throw CommandFailure("The generator makes 1…20000 employees, 1…5000 projects and 60…7300 days.")
        }
        guard meanDaysBetweenAllocations >= 1, (0...1).contains(exactShare),
            [personSpread, projectSpread, taskSpread].allSatisfy({ (0...2).contains($0) })
        else {
            throw CommandFailure("The generator's mean must be at least a day, its share 0…1 and its spreads 0…2.")
        }
    }
}

extension SeededGenerator {
    mutating func index(below count: Int) -> Int { Int(uniform() * Double(count)) }

    /// Irwin–Hall: twelve uniforms less six have variance 1, and unlike Box–Muller need no library function whose last
    /// bit differs between machines.
    mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
}

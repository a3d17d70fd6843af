import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench feed`: how fast the lines of the history feed are written and read.
struct BenchFeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed",
        abstract: "Measure how fast the history feed's lines are written and read.",
        discussion: """
            Writes made-up allocations as tenant-admin does and reads them as the learning services do, on one core, then \
            both again with the JSON coder that takes over wherever a line is unusual (`coder_…`).
            """)

    @Option(help: "Lines.")
    var rows = 100_000

    func validate() throws {
        guard (1...1_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…1000000.") }
    }

    func run() async throws {
        let lines = (0..<rows).map(Self.line)
        var bytes: [UInt8] = []
        let writing = try secondsTaken { for line in lines { try line.write(to: &bytes) } }
        let texts = bytes.split(separator: UInt8(ascii: "\n"))
        var read: [HistoryLine] = []
        let reading = try secondsTaken { read = try texts.map { try HistoryLine(parsing: $0) } }
        var encoded = 0
        let encoding = try secondsTaken { for line in lines { encoded += try WireJSON.encode(line).count + 1 } }
        var decoded: [HistoryLine] = []
        let decoding = try secondsTaken { decoded = try texts.map { try WireJSON.decode(from: $0) } }
        guard encoded == bytes.count, read == decoded else { throw CommandFailure("The two ways do not agree.") }
        print("rows=\(rows) bytes=\(bytes.count)")
        func show(_ name: String, _ seconds: Double) {
            print("\(name)_lines_per_s=\((Double(rows) / seconds).fixed(0))")
        }
        show("write", writing)
        show("read", reading)
        show("coder_write", encoding)
        show("coder_read", decoding)
    }

    private static func line(_ index: Int) -> HistoryLine {
        let day = CivilDate(daysSinceEpoch: 18_000 + index / 500)
        let planned = Double(1 + index * 7 % 160) / 4
        return .allocation(
            Allocation(
                id: AllocationID(), externalId: "A\(index)", employeeId: EmployeeID(), projectId: ProjectID(),
                allocationPercentage: 50, allocatedHours: planned, plannedHours: planned,
                actualHours: planned * Double(50 + index % 100) / 100, requiredSkills: ["kind-\(index % 40)"],
                labels: ["priority": "\(index % 5)", "package": "W\(index % 60)", "raised_by": "R\(index % 200)"],
                startDate: day, endDate: nil, completedAt: day.startOfDay.addingTimeInterval(Double(index % 90_000)),
                createdAt: day.startOfDay))
    }
}

import ArgumentParser
import Basics
import Forecasting
import Foundation

/// Scores the forecasts on any folder in the import format with a `split.csv`: the same code as the services, no database.
struct BenchAccuracyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accuracy",
        abstract: "Score forecasts on real history in the import format.",
        discussion: """
            Fits on the train rows, tunes and calibrates on the valid rows, and shows every candidate on the test rows,
            features as of each decision. With --online history and model follow the test rows as time goes on: no row sees
            anything not completed before it.
            """)

    @Option(
        help:
            "Folder with allocations.csv, split.csv and, where there are, titles, projects, employees, capacity_history."
    )
    var data: String

    @Flag(help: "Forecast without knowing the planned hours.")
    var withoutPlan = false

    @Flag(help: "Leave titles out, where there are any.")
    var withoutTitles = false

    @Flag(help: "Fit again as time goes on.")
    var online = false

    @Option(help: "How many times to fit along the test rows with --online.")
    var refits = 12

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 1

    @Option(help: "Write the test rows' forecasts to this file.")
    var predictions: String?

    func validate() throws {
        guard refits > 0 else { throw ValidationError("--refits must be at least 1.") }
    }

    func run() async throws {
        let folder = try AccuracyFolder(path: data, titles: !withoutTitles)
        let unknown = folder.unknownTestRows
        if !unknown.isEmpty {
            Self.note("\(unknown.count) test rows of split.csv are not in allocations.csv, the first: \(unknown[0])\n")
        }
        let clock = ContinuousClock()
        let start = clock.now
        let backtest = Backtest(
            history: folder.history, parts: folder.parts, withPlan: !withoutPlan, refits: online ? refits : 0,
            seed: seed)
        let result: Backtest.Result
        do {
            result = try backtest.run { done, all in
                Self.note("\rfits \(done)/\(all)\(done == all ? "\n" : "")")
            }
        } catch let error as TrainingError {
            // The error begins a line of its own.
            Self.note("\n")
            throw CommandFailure(error.description)
        }
        let taken = clock.now - start
        let table = AccuracyTable(
            result: result, peers: PublishedPeers.rows(for: data, withPlan: !withoutPlan, online: online))
        print(table.text)
        for line in table.values { print(line) }
        let seconds = taken.inSeconds
        print("seconds=\(AccuracyTable.figure(seconds))")
        // Last, so that a file that cannot be written takes nothing else with it.
        if let predictions { try Self.write(result.rows, to: predictions) }
    }

    private static func note(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    static func write(_ rows: [Backtest.Row], to path: String) throws {
        func field(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
        var text = "row_id,hours,hours_lo80,hours_hi80,success_probability\n"
        for row in rows {
            text +=
                "\(CSVText.field(row.id)),\(field(row.hours)),\(field(row.low80)),\(field(row.high80)),\(field(row.successProbability))\n"
        }
        guard (try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)) != nil else {
            throw CommandFailure("Cannot write \(path).")
        }
    }
}

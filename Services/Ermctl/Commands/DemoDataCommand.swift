import ArgumentParser
import Contracts
import Foundation

struct DemoDataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-data",
        abstract: "Write a made-up company's history as CSV files in the import format.",
        discussion: "The same settings and --until give the same bytes.")

    @Option(help: "Folder to write to; made if missing.") var directory: String
    @Option(help: "JSON file with the generator's settings (see compose/demo-data.json); its defaults when left out.")
    var settings: String?
    @Option(help: "Last day of the history, YYYY-MM-DD; today when left out.") var until: String?

    func run() async throws {
        var settings = DemoSettings()
        if let file = self.settings {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: file)) else {
                throw CommandFailure("Cannot read \(file).")
            }
            do { settings = try WireJSON.decode(DemoSettings.self, from: data) } catch {
                throw CommandFailure("\(file) is not a settings file of the generator: \(error)")
            }
        }
        try settings.check()
        let last: CivilDate
        if let until {
            guard let day = CivilDate(until) else { throw ValidationError("--until must be a date like 2026-01-31") }
            last = day
        } else {
            last = CivilDate(Date())
        }
        let company = DemoCompany(settings: settings, until: last)
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        try CSVWriter.makeFolder(folder)
        for file in company.files() {
            try CSVWriter.write(
                header: file.columns, rows: file.rows, to: folder.appendingPathComponent(file.kind.fileName))
        }
    }
}

import Foundation
import Testing

@testable import Ermctl
@testable import Forecasting

@Suite struct AccuracyFolderTests {
    private static let header = "external_id,employee_external_id,allocated_hours,actual_hours,completed_at,created_at"
    private static let row = "a,E1,4,5,2026-01-03,2026-01-02"

    private func folder(allocations: [String], split: [String]) throws -> AccuracyFolder {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("accuracy-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, lines) in [("allocations.csv", allocations), ("split.csv", split)] {
            let text = lines.map { $0 + "\r\n" }.joined()
            try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        }
        return try AccuracyFolder(path: folder.path)
    }

    private func complaint(allocations: [String], split: [String] = ["id,part", "a,test"]) -> String? {
        #expect(throws: CommandFailure.self) { try folder(allocations: allocations, split: split) }?.description
    }

    @Test("a folder is refused with the file, the line or the column that is wrong")
    func refused() {
        #expect(complaint(allocations: []) == "allocations.csv is empty.")
        #expect(
            complaint(allocations: ["external_id,employee_external_id", "a,E1"])
                == "allocations.csv has no column actual_hours, completed_at.")
        #expect(
            complaint(allocations: [Self.header, "a,E1,4,1e300,2026-01-03,2026-01-02"])
                == "allocations.csv, line 2: actual_hours must not be above 1000000.")
        #expect(
            complaint(allocations: [Self.header, Self.row], split: ["id,part", "a,test", "a,test", "a,train"])
                == "split.csv, line 4: a was of another part before.")
    }

    @Test("test rows of the split without an allocation are known by name")
    func unknown() throws {
        let split = ["id,part", "z,test", "a,test", "y,train", "b,test"]
        #expect(try folder(allocations: [Self.header, Self.row], split: split).unknownTestRows == ["b", "z"])
    }

    @Test("forecasts are written one row each, unknown figures empty; a file that cannot be written is named")
    func predictions() throws {
        let rows = [
            Backtest.Row(id: "a,\"b\"", hours: 2, low80: 1, high80: 3.5, successProbability: 0.25, actualHours: 2),
            Backtest.Row(id: "c", hours: 4, low80: nil, high80: nil, successProbability: nil, actualHours: nil),
        ]
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("predictions-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try BenchAccuracyCommand.write(rows, to: file.path)
        #expect(
            try String(contentsOf: file, encoding: .utf8)
                == "row_id,hours,hours_lo80,hours_hi80,success_probability\n\"a,\"\"b\"\"\",2,1,3.5,0.25\nc,4,,,\n")
        let failure = #expect(throws: CommandFailure.self) {
            try BenchAccuracyCommand.write(rows, to: "/nowhere/at/all.csv")
        }
        #expect(failure?.description == "Cannot write /nowhere/at/all.csv.")
    }
}

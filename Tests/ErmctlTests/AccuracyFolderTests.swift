import ArgumentParser
import Foundation
import Testing

@testable import Ermctl

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
        #expect(throws: ValidationError.self) { try folder(allocations: allocations, split: split) }?.message
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
}

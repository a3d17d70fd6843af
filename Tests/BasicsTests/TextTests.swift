import Foundation
import Testing

@testable import Basics

@Suite("Text forms")
struct TextTests {
    @Test("bytes become two lower-case hexadecimal digits, and digits of either case are read")
    func hex() {
        #expect([UInt8]([0, 9, 10, 127, 255]).hex == "00090a7fff")
        #expect([UInt8]().hex == "")
        #expect([UInt8](hex: "00090A7fff") == [0, 9, 10, 127, 255] && [UInt8](hex: "") == [])
        for text in ["0", "0g", "00 1", "é0", "+1"] { #expect([UInt8](hex: text) == nil) }
        for byte in UInt8.min...UInt8.max {
            let expected = Int(String(UnicodeScalar(byte)), radix: 16).map(UInt8.init)
            #expect(Hex.value(byte) == (byte < 128 ? expected : nil))
        }
    }

    @Test("percent-encoding keeps what it is told to and writes upper-case digits")
    func percentEncoding() {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        #expect("a b/ü%".percentEncoded { letters.contains($0) } == "a%20b%2F%C3%BC%25")
    }

    @Test(
        "a CSV field is quoted exactly when it must be",
        arguments: [
            ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("a\rb", "\"a\rb\""), ("a\r\nb", "\"a\r\nb\""),
            ("comma with an accent ,\u{301}", "\"comma with an accent ,\u{301}\""),
        ])
    func csv(field: String, expected: String) { #expect(CSVText.field(field) == expected) }

    @Test(
        "a spreadsheet takes no text for a formula",
        arguments: [
            ("=1+1", "'=1+1"), ("-1", "'-1"), ("\rx", "\"'\rx\""), ("\r\n", "\"'\r\n\""), ("@a,b", "\"'@a,b\""),
            ("a=b", "a=b"), ("", ""),
        ])
    func spreadsheet(field: String, expected: String) { #expect(CSVText.spreadsheetField(field) == expected) }

    @Test(
        "durations are a whole number with a unit",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("10s", .seconds(10)), ("5m", .seconds(300)), ("1h", .seconds(3600)),
            ("0s", .zero), ("10000000s", .seconds(10_000_000)),
        ])
    func durations(text: String, expected: Duration) { #expect(DurationText.duration(text) == expected) }

    @Test(
        "anything else is no duration",
        arguments: ["", "s", "10", "-1s", "+1s", "1.5s", "1 s", "1d", "10000001s", "١s"])
    func noDurations(text: String) { #expect(DurationText.duration(text) == nil) }

    @Test("durations are written in seconds, or else in milliseconds")
    func durationText() {
        #expect(DurationText.text(.seconds(90)) == "90s")
        #expect(DurationText.text(.milliseconds(1_250)) == "1250ms")
    }

    @Test("a delivered file is looked for upwards from each start, nearest first, and must be of its kind")
    func installedFiles() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("files-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for folder in ["a/b/c", "a/migrations/tenant", "other/migrations"] {
            try FileManager.default.createDirectory(
                at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
        }
        try Data().write(to: root.appendingPathComponent("other/migrations/tenant"))
        func found(_ kind: InstalledFiles.Kind, from starts: String...) -> String? {
            InstalledFiles.find("migrations/tenant", kind, upwardsFrom: starts.map { root.path + $0 })
        }
        #expect(found(.folder, from: "/a/b/c") == root.path + "/a/migrations/tenant")
        #expect(found(.folder, from: "/other", "/a") == root.path + "/a/migrations/tenant")
        #expect(found(.file, from: "/a", "/other") == root.path + "/other/migrations/tenant")
        #expect(found(.folder, from: "/other") == nil)
    }
}

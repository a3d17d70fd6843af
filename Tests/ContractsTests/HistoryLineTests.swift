import Basics
import Contracts
import Foundation
import Testing

/// What is written and read by hand, against the JSON coder and Foundation.
@Suite("Lines of the history feed")
struct HistoryLineTests {
    private static let texts = [
        "", "plain", "Größe", "日本語", "👩‍💻", "with \"quotes\"", "back\\slash", "a/b", "tab\there", "new\nline",
        "\r\u{8}\u{c}", "\u{1}\u{1f}", "\u{7f}", "\u{2028}", "e\u{301}", "{\"id\":\"x\"}", "a,b}}",
    ]
    private static let numbers: [Double] = [
        0, -0.0, 1, -1, 8, 0.1, 0.3, 1 / 3, 1e-7, 7.25, 123_456_789.25, 99_999_999_999.999, 999_999_999_999_999, 1e15,
        1e16, 9_007_199_254_740_992, 1e21, 1.5e300, .leastNonzeroMagnitude, 40.5, .greatestFiniteMagnitude,
    ]

    private static var lines: [HistoryLine] {
        var random = SeededGenerator(seed: 1)
        func text() -> String { texts.randomElement(using: &random) ?? "" }
        func number() -> Double { numbers.randomElement(using: &random) ?? 0 }
        func day() -> CivilDate { CivilDate(daysSinceEpoch: Int.random(in: -719_162...2_932_896, using: &random)) }
        func moment() -> Date {
            Date(timeIntervalSince1970: Double.random(in: -62_135_596_800...253_402_300_799, using: &random))
        }
        func maybe<Value>(_ value: () -> Value) -> Value? { Bool.random(using: &random) ? value() : nil }
        func labels() -> [String: String] {
            Dictionary(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in (text(), text()) },
                uniquingKeysWith: { first, _ in first })
        }
        func skills() -> [String] { (0..<Int.random(in: 0...3, using: &random)).map { _ in text() } }
        func decided() -> DecidedAllocation {
            DecidedAllocation(
                decidedAt: moment(), plannedHours: maybe(number), hoursPerDay: maybe(number),
                allocationPercentage: maybe(number), title: maybe(text), requiredSkills: skills(), labels: labels(),
                startDate: day(), endDate: maybe(day), employeeId: maybe { EmployeeID() },
                projectId: maybe { ProjectID() })
        }
        func earlier() -> EarlierBooking {
            EarlierBooking(
                validFrom: moment(), validUntil: moment(), employeeId: EmployeeID(), projectId: ProjectID(),
                allocatedHours: maybe(number), hoursPerDay: maybe(number), allocationPercentage: maybe(number),
                commitment: Bool.random(using: &random) ? .hard : .soft, isCancelled: Bool.random(using: &random),
                startDate: day(),
                endDate: maybe(day))
        }
        let allocations = (0..<1_000).map { _ in
            Allocation(
                id: AllocationID(), externalId: text(), employeeId: EmployeeID(), projectId: ProjectID(),
                allocationPercentage: maybe(number), allocatedHours: maybe(number), hoursPerDay: maybe(number),
                plannedHours: maybe(number), actualHours: maybe(number),
                commitment: Bool.random(using: &random) ? .hard : .soft,
                isCancelled: Bool.random(using: &random), title: maybe(text),
                requiredSkills: skills(),
                leastLevels: maybe { Dictionary([(text(), 3), (text(), 12_345)]) { first, _ in first } },
                labels: labels(), startDate: day(), endDate: maybe(day), completedAt: maybe(moment),
                createdAt: moment(),
                isHistoryKnown: maybe { Bool.random(using: &random) }, decided: maybe(decided),
                earlier: maybe { (0..<Int.random(in: 0...3, using: &random)).map { _ in earlier() } })
        }
        let days = numbers.map { CapacityEntry(employeeId: EmployeeID(), date: day(), utilizationRate: $0) }
        let employees = texts.map {
            HistoryEmployee(
                id: EmployeeID(), externalId: $0, name: $0, weeklyCapacityHours: number(), isActive: true,
                hiredOn: maybe(day), leftOn: nil, skills: [EmployeeSkill(skill: $0, level: 3, since: maybe(day))])
        }
        return allocations.map(HistoryLine.allocation) + days.map(HistoryLine.capacity)
            + employees.map(HistoryLine.employee)
            + [
                .removed(RemovedRow(kind: "capacity", id: UUID(), date: day())),
                .end(HistoryEnd(watermark: "7", lines: 3)),
                .end(HistoryEnd(watermark: "7", lines: 3, skillAliases: ["Größe": texts, "Go": []])),
            ]
    }

    @Test("an end from before a field existed is read, and one with a field of a later release, whatever is in it")
    func otherReleases() throws {
        let plain = #"{"end":{"_0":{"lines":3,"watermark":"7"}}}"#
        let later = #"{"end":{"_0":{"lines":3,"of a later release":{"Go":["golang"]},"watermark":"7"}}}"#
        for text in [plain, later] {
            let line = try HistoryLine(parsing: Array(text.utf8))
            #expect(line == .end(HistoryEnd(watermark: "7", lines: 3)))
        }
        #expect(throws: DecodingError.self) { try HistoryLine(parsing: Array(#"{"skill":{"_0":{}}}"#.utf8)) }
    }

    @Test("a line has the bytes that the JSON encoder gives it, and is read as the JSON decoder reads it")
    func sameBytes() throws {
        for line in Self.lines {
            var bytes = Array("before".utf8)
            try line.write(to: &bytes)
            let expected = try WireJSON.encode(line)
            try #require(bytes == Array("before".utf8) + expected + [UInt8(ascii: "\n")])
            try expectSameReading(expected)
        }
    }

    @Test("a number that JSON cannot hold is refused, and leaves nothing of its line behind")
    func notFinite() {
        for value in [Double.nan, .infinity, -.infinity] {
            var bytes = Array("before".utf8)
            let line = HistoryLine.capacity(
                CapacityEntry(employeeId: EmployeeID(), date: CivilDate(daysSinceEpoch: 0), utilizationRate: value))
            #expect(throws: EncodingError.self) { try line.write(to: &bytes) }
            #expect(bytes == Array("before".utf8))
        }
    }

    private static let allocation =
        #"{"allocation":{"_0":{"actualHours":-7.5,"allocatedHours":8,"allocationPercentage":50,"#
        + #""commitment":"soft","completedAt":"2026-01-31T12:00:00.123Z","createdAt":"2026-01-30T00:00:00Z","#
        + #""employeeId":"0b8de4b5-1c2d-4e3f-8a9b-0c1d2e3f4a5b","endDate":"2026-02-28","externalId":"Aé1","#
        + #""hoursPerDay":2.5,"id":"FFFFFFFF-1c2d-4e3f-8a9b-0c1d2e3f4a5b","isCancelled":false,"isHistoryKnown":false,"labels":{"k":"v","l":""},"plannedHours":0.1,"#
        + #""projectId":"0b8de4b5-1c2d-4e3f-8a9b-000000000000","recordedAt":"2026-01-30T00:00:00Z","requiredSkills":["a","b"],"startDate":"2026-01-30","title":"Fix it"}}}"#
    private static let capacity =
        #"{"capacity":{"_0":{"date":"2026-01-30","employeeId":"0b8de4b5-1c2d-4e3f-8a9b-0c1d2e3f4a5b","#
        + #""utilizationRate":101.25}}}"#

    private static let decided =
        #""decided":{"allocationPercentage":40,"decidedAt":"2026-01-29T00:00:00Z","#
        + #""employeeId":"0b8de4b5-1c2d-4e3f-8a9b-111111111111","endDate":"2026-03-01","hoursPerDay":1,"#
        + #""labels":{"k":"w"},"plannedHours":7,"requiredSkills":["a"],"startDate":"2026-01-31","title":"Fix"},"#
    private static let earlier =
        #""earlier":[{"allocatedHours":7,"commitment":"hard","employeeId":"0b8de4b5-1c2d-4e3f-8a9b-111111111111","#
        + #""isCancelled":true,"projectId":"0b8de4b5-1c2d-4e3f-8a9b-000000000000","startDate":"2026-01-31","#
        + #""validFrom":"2026-01-29T00:00:00Z","validUntil":"2026-01-30T00:00:00Z"}],"#
    /// The same booking with what an edit adds to it, and levels of its skills.
    private static let edited =
        allocation.replacing(#""employeeId""#, with: decided + earlier + #""employeeId""#)
        .replacing(#""plannedHours":0.1"#, with: #""leastLevels":{"a":3,"b":1},"plannedHours":0.1"#)

    @Test("bookings, edited or not, and days of capacity are read by hand; other lines by the JSON decoder")
    func byHand() throws {
        for text in [Self.allocation, Self.edited, Self.capacity] {
            #expect(HistoryLine.byHand(Array(text.utf8)) == (try WireJSON.decode(from: Array(text.utf8))), "\(text)")
        }
        let others = try Self.lines.filter { if case .allocation = $0 { false } else { true } }
            .map { try WireJSON.encode($0) }
        #expect(others.contains { HistoryLine.byHand($0) == nil })
    }

    @Test(
        "whichever byte is missing, twice there or another, a line is read or refused as the JSON decoder does",
        arguments: [allocation, edited, capacity])
    func damaged(text: String) throws {
        let whole = Array(text.utf8)
        let isRead = try? HistoryLine(parsing: whole)
        #expect(isRead != nil)
        for index in whole.indices {
            for byte in [whole[index]] + Array("\",:{}[]\\ 09-+.eZ\u{1}".utf8) + [0xFF] {
                var (other, more) = (whole, whole)
                other[index] = byte
                more.insert(byte, at: index)
                try expectSameReading(other)
                try expectSameReading(more)
            }
            var less = whole
            less.remove(at: index)
            try expectSameReading(less)
        }
    }

    @Test(
        "fields left out, empty, unknown, twice there or in another order are read as in any JSON",
        arguments: [
            ("\"actualHours\":-7.5,", ""), ("\"actualHours\":-7.5,", "\"actualHours\":null,"),
            ("\"endDate\":\"2026-02-28\",", ""), ("\"startDate\"", "\"another\":1,\"startDate\""),
            ("{\"actualHours\"", "{\"Aha\":{\"a\":[1,null]},\"actualHours\""),
            ("\"id\":", "\"createdAt\":null,\"id\":"),
            ("\"plannedHours\":0.1,", ""), ("\"plannedHours\":0.1", "\"plannedHours\":\"0.1\""),
            ("\"plannedHours\":0.1", "\"plannedHours\":0.1,\"plannedHours\":0.2"), ("0.1", "1e-1"), ("0.1", "1E+2"),
            ("0.1", "0.10000000000000000555"), ("0.1", "123456789012345678"), ("0.1", "00.1"), ("0.1", "1e999"),
            ("0.1", "-0"), ("0.1", "12345.6789012345"), ("0.1", "12345678.90123456789"), ("0.1", "0.000000000000001"),
            ("\"v\"", "\"\\u0041\\n\""), ("\"v\"", "\"\\ud83d\\ude00\""), ("\"v\"", "\"\\ud83d\""), ("\"v\"", "null"),
            ("\"l\":\"\"", "\"k\":\"w\""), ("\"l\":\"\"", "\"l\":\"\","), ("[\"a\",\"b\"]", "[ \"a\" , \"b\" ]"),
            ("[\"a\",\"b\"]", "[\"a\",\"b\",]"), ("[\"a\",\"b\"]", "[]"), ("[\"a\",\"b\"]", "null"), ("}}}", "}}} "),
            ("}}}", "}}}{}"), ("}}}", "}},\"end\":{}}"), ("2026-02-28", "2026-02-29"), ("2026-02-28", "0001-01-01"),
            ("2026-01-30T00:00:00Z", "2026-01-30T02:00:00+02:00"), ("2026-01-30T00:00:00Z", "2026-01-30T24:00:00Z"),
            ("2026-01-30T00:00:00Z", "1500-01-30T00:00:00Z"), ("2026-01-30T00:00:00Z", "2026-01-30T00:00:00.1Z"),
        ])
    func unusual(found: String, replacement: String) throws {
        for line in [Self.allocation, Self.edited] {
            let text = line.replacing(found, with: replacement)
            #expect(text != line)
            try expectSameReading(Array(text.utf8))
        }
    }

    @Test(
        "what an edited booking said is read as in any JSON, whatever is left out, empty, unknown or twice there",
        arguments: [
            ("\"decidedAt\":\"2026-01-29T00:00:00Z\",", ""), ("\"hoursPerDay\":1,", ""), ("{\"k\":\"w\"}", "{}"),
            ("{\"k\":\"w\"}", "null"), ("\"title\":\"Fix\"}", "\"title\":\"Fix\",\"x\":{\"y\":[1]}}"),
            ("\"title\":\"Fix\"}", "\"title\":null}"), ("\"decided\":{", "\"decided\":{ "),
            ("\"decided\":{", "\"decided\":null,\"decided\":{"), ("\"earlier\":[{", "\"earlier\":[{},{"),
            ("\"earlier\":[{", "\"earlier\":[null,{"), ("}],", "}, ],"), ("}],", "} ],"), ("\"hard\"", "\"firm\""),
            ("\"isCancelled\":true,", ""), ("{\"a\":3,\"b\":1}", "{}"), ("{\"a\":3,\"b\":1}", "{\"a\":3,\"a\":1}"),
            ("{\"a\":3,\"b\":1}", "{ \"a\": 3, \"b\": 1 }"), ("{\"a\":3", "{\"a\":3.0"), ("{\"a\":3", "{\"a\":03"),
            ("{\"a\":3", "{\"a\":-3"), ("{\"a\":3", "{\"a\":3e0"), ("{\"a\":3", "{\"a\":\"3\""),
            ("{\"a\":3", "{\"a\":12345678901234567890"),
        ])
    func unusualEdit(found: String, replacement: String) throws {
        let text = Self.edited.replacing(found, with: replacement)
        #expect(text != Self.edited)
        try expectSameReading(Array(text.utf8))
    }

    private func expectSameReading(_ bytes: [UInt8]) throws {
        let read = try? HistoryLine(parsing: bytes)
        let expected: HistoryLine? = try? WireJSON.decode(from: bytes)
        try #require(read == expected, "\(String(decoding: bytes, as: UTF8.self))")
        // −0 is equal to 0, but not the same.
        if let read, let expected { try #require(try WireJSON.encode(read) == WireJSON.encode(expected)) }
    }

    @Test("ids are read and written as Foundation's UUIDs in lower case")
    func ids() {
        for _ in 0..<1_000 {
            let uuid = UUID()
            #expect(EmployeeID(rawValue: uuid).description == uuid.uuidString.lowercased())
            #expect(EmployeeID(uuid.uuidString) == EmployeeID(rawValue: uuid))
            #expect(EmployeeID(uuid.uuidString.lowercased()) == EmployeeID(rawValue: uuid))
        }
        let text = "0b8de4b5-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
        for index in text.indices {
            for odd in ["", "-", "g", " ", "00", "é"] {
                let other = text.replacingCharacters(in: index...index, with: odd)
                #expect(EmployeeID(other)?.rawValue == UUID(uuidString: other), "\(other)")
            }
        }
    }
}

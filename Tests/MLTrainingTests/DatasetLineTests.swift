import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Testing

@testable import MLTraining

/// The lines written and read by hand against the JSON coder's.
@Suite struct DatasetLineTests {
    private static let texts = [
        "", "plain", "Größe", "日本語", "👩‍💻", "with \"quotes\"", "back\\slash", "a/b", "tab\there", "new\nline",
        "\r\u{8}\u{c}",
        "\u{1}\u{1f}", "\u{7f}", "\u{2028}", "e\u{301}", "{\"id\":\"x\"}", "a,b}}",
    ]
    private static let numbers: [Double] = [
        0, -0.0, 1, -1, 8, 0.1, 1 / 3, 1e-7, 123_456_789.25, 1_736_121_600, 1_736_121_600.123, 999_999_999_999_999,
        1e15, 1e16, 9_007_199_254_740_992, 1e21, 1.5e300, .leastNonzeroMagnitude, -62_135_596_800, 40.5,
        .greatestFiniteMagnitude,
    ]

    private static var lines: [DatasetLine] {
        var random = SystemRandomNumberGenerator()
        func text() -> String { texts.randomElement(using: &random) ?? "" }
        func number() -> Double { numbers.randomElement(using: &random) ?? 0 }
        func maybe() -> Double? { Bool.random(using: &random) ? number() : nil }
        let allocations = (0..<2_000).map { index in
            DatasetLine.allocation(
                Forecasting.Allocation(
                    id: index % 2 == 0 ? AllocationID().description : text(), employee: text(), project: text(),
                    skills: (0..<Int.random(in: 0...3, using: &random)).map { _ in text() },
                    labels: Dictionary(
                        (0..<Int.random(in: 0...4, using: &random)).map { _ in (text(), text()) },
                        uniquingKeysWith: { first, _ in first }), plannedHours: number(), allocationPercent: maybe(),
                    actualHours: maybe(), start: maybe(), plannedEnd: maybe(), decidedAt: number(),
                    completedAt: maybe(), cancelledAt: maybe(), hoursPerDay: maybe(), softSince: maybe()))
        }
        return allocations + texts.map { .capacity(CapacityDay(employee: $0, day: number(), utilisation: number())) }
            + texts.map { .employee(EmployeeFacts(id: $0, weeklyCapacityHours: number())) }
            + texts.map {
                .project(ProjectFacts(id: $0, completionPercent: maybe(), start: maybe(), closedSince: maybe()))
            }
    }

    @Test("a line has the bytes that the JSON encoder gives it, and reads back as itself")
    func sameBytes() throws {
        for line in Self.lines {
            var bytes: [UInt8] = []
            try line.write(to: &bytes)
            let expected = try WireJSON.encode(line) + [UInt8(ascii: "\n")]
            let texts = [bytes, expected].map { String(decoding: $0, as: UTF8.self) }
            try #require(bytes == expected, "\(texts)")
            try #require(try DatasetLine(parsing: bytes.dropLast()) == line, "\(texts[0])")
        }
    }

    @Test("a number that JSON cannot hold is refused, and leaves nothing of its line behind")
    func notFinite() throws {
        for value in [Double.nan, .infinity, -.infinity] {
            var bytes = Array("before".utf8)
            let line = DatasetLine.capacity(CapacityDay(employee: "e", day: 1, utilisation: value))
            #expect(throws: EncodingError.self) { try line.write(to: &bytes) }
        }
    }

    @Test(
        "an invalid line of a dataset is refused by both readers",
        arguments: [
            "", "{}", "null", #"{"allocation":{}}"#, #"{"capacity":{"day":1,"employee":"e"}}"#,
            #"{"capacity":{"day":x,"employee":"e","utilisation":1}}"#,
            #"{"capacity":{"day":1,"employee":"e","utilisation":1}"#,
            #"{"capacity":{"day":1,"employee":"e","utilisation":1}}}"#,
            #"{"capacity":{"day":1,"employee":"e,"utilisation":1}}"#, #"{"holiday":{"day":1}}"#,
        ])
    func damaged(text: String) {
        #expect(throws: DecodingError.self) { try DatasetLine(parsing: Array(text.utf8)) }
    }

    @Test("white space, another order and unknown fields are read as any JSON is")
    func unusual() throws {
        let text = #"{ "capacity": {"utilisation": 50, "employee": "\u0065", "day": 86400, "mood": 1} }"#
        #expect(
            try DatasetLine(parsing: Array(text.utf8))
                == .capacity(CapacityDay(employee: "e", day: 86_400, utilisation: 50)))
    }
}

import Foundation
import Testing

@testable import Contracts

@Suite struct CivilDateTests {
    @Test(
        "a day begins at its first moment where somebody is",
        arguments: [
            ("UTC", "2026-03-06", "2026-03-06T00:00:00.000Z"),
            ("America/New_York", "2026-03-06", "2026-03-06T05:00:00.000Z"),
            ("Pacific/Auckland", "2026-01-15", "2026-01-14T11:00:00.000Z"),
            // The clocks are put forward at midnight: the day begins at one o'clock.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
            // And back at midnight: the day before has 23 o'clock twice.
            ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z"),
            // A day that there was not.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
        ])
    func startOfDay(_ zone: String, _ day: String, _ moment: String) throws {
        let zone = try #require(TimeZone(identifier: zone))
        #expect(WireJSON.timestamp(try #require(CivilDate(day)).startOfDay(in: zone)) == moment)
    }

    @Test(
        "a moment before a day's beginning is of the day before",
        arguments: [
            "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana",
            "Africa/Cairo",
        ])
    func bounds(_ name: String) throws {
        let zone = try #require(TimeZone(identifier: name))
        let first = try #require(CivilDate("2024-01-01"))
        for day in (0..<1_096).map({ first.adding(days: $0) }) {
            let start = day.startOfDay(in: zone)
            #expect(CivilDate(start, in: zone) == day)
            #expect(CivilDate(start.addingTimeInterval(-1), in: zone) == day.adding(days: -1))
        }
    }
}

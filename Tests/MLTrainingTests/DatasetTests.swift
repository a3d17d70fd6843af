import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLTraining

@Suite struct DatasetTests {
    let history = SyntheticHistory(allocations: 60)

    private func dataset(_ lines: [HistoryLine], months: Int = 240, asOf: Date? = nil) throws -> Dataset {
        var source = DatasetSource(months: months, asOf: asOf ?? history.end)
        for line in lines { if let change = line.change { try source.add(change) } }
        return try Dataset(name: "test", source: source)
    }

    @Test("the same history gives the same digest, in whatever order its lines come and however often")
    func digest() throws {
        let first = try dataset(history.lines)
        let again = try dataset(history.lines.reversed() + history.lines)
        #expect(first.content.contentSHA256 == again.content.contentSHA256)
        #expect(first.content.rowCount == 60)
        let other = try dataset(Array(history.lines.dropLast()))
        #expect(other.content.contentSHA256 != first.content.contentSHA256)
    }

    @Test("outcomes after the as-of moment are not in the dataset, nor is anything decided after it")
    func asOf() throws {
        // Decided every 6 h, finished after 5 days: at day 10 forty are decided and twenty finished.
        let moment = SyntheticHistory.start.addingTimeInterval(10 * 86_400)
        let dataset = try dataset(history.lines, asOf: moment)
        let known = try dataset.content.history()
        #expect(known.allocationCount == 40)
        #expect(dataset.content.rowCount == 20)
        #expect(known.allocations.allSatisfy { ($0.completedAt ?? 0) < moment.timeIntervalSince1970 })
        #expect(known.allocations.allSatisfy { $0.completedAt != nil || $0.actualHours == nil })
        // Nothing that happens later can change it.
        #expect(
            try self.dataset(Array(history.lines.dropLast(15)), asOf: moment).content.contentSHA256
                == dataset.content.contentSHA256)
    }

    @Test("work finished before the span is no training point, and stays as what features rest on")
    func span() throws {
        let late = SyntheticHistory.start.addingTimeInterval(45 * 86_400)
        // One month back reaches to day 14; the first nine days' decisions were finished by then.
        let content = try dataset(history.lines, months: 1, asOf: late).content
        #expect(content.rowCount == 60 - 37 + 1 && content.outcomes.count == content.rowCount)
        let all = try content.allChunks().reduce(0) { $0 + $1.lineCount }
        #expect(all == history.lines.count)
    }

    @Test("a damaged dataset is noticed when it is read")
    func damage() throws {
        let dataset = try dataset(history.lines)
        let reader = DatasetReader()
        var bytes = try dataset.content.allChunks()[0].content
        let digit = try #require(bytes.firstIndex(of: UInt8(ascii: "5")))
        bytes[digit] = UInt8(ascii: "6")
        try reader.read([bytes])
        #expect(throws: DatasetDamaged.self) { try reader.history(expecting: dataset.content.contentSHA256) }
    }
}

@Suite struct HistoryFeedCheckTests {
    struct Broken: Error {}
    let line = HistoryLine.capacity(
        CapacityEntry(employeeId: EmployeeID(), date: CivilDate(daysSinceEpoch: 1), utilizationRate: 80))

    @Test("a feed without its end, or with other lines than announced, is refused")
    func incomplete() throws {
        var cut = HistoryFeedCheck()
        try cut.receive(line)
        #expect(throws: HistoryFeedError.self) { try cut.finish() }
        var short = HistoryFeedCheck()
        #expect(throws: HistoryFeedError.self) { try short.receive(.end(HistoryEnd(watermark: "9", lines: 1))) }
    }

    @Test("a complete feed gives the watermark, and nothing may follow it")
    func complete() throws {
        var check = HistoryFeedCheck()
        try check.receive(line)
        try check.receive(.end(HistoryEnd(watermark: "9", lines: 1)))
        #expect(try check.finish() == "9")
        #expect(throws: HistoryFeedError.self) { try check.receive(line) }
    }

    @Test("a watermark is carried in the path percent-encoded")
    func path() {
        let tenant = TenantID()
        #expect(
            HistoryFeedPath.path(tenant: tenant, since: "a b&c")
                == "/internal/v1/tenants/\(tenant)/history?since=a%20b%26c")
    }
}

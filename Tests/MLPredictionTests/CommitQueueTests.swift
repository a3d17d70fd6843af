import Testing

@testable import MLPrediction

@Suite struct CommitQueueTests {
    private typealias Queue = CommitQueue<Int>
    private let start = ContinuousClock.now

    private func groups(_ actions: [Queue.Action]) -> [[Int]] {
        actions.compactMap { if case .write(let group) = $0 { group } else { nil } }
    }

    private func wakes(_ actions: [Queue.Action]) -> [ContinuousClock.Instant] {
        actions.compactMap { if case .wake(let moment) = $0 { moment } else { nil } }
    }

    @Test("alone an entry is written at once; those that come meanwhile are written together when the commit has ended")
    func gathers() {
        var queue = Queue()
        #expect(groups(queue.add(1, rows: 1, now: start)) == [[1]])
        #expect(groups(queue.add(2, rows: 1, now: start)).isEmpty)
        #expect(groups(queue.add(3, rows: 1, now: start)).isEmpty)
        #expect(groups(queue.finished(now: start + .microseconds(900))) == [[2, 3]])
        #expect(groups(queue.finished(now: start + .milliseconds(3))).isEmpty)
    }

    @Test("behind a slow commit no entry waits longer than two milliseconds while there are connections")
    func waits() {
        var queue = Queue(.init(wait: .milliseconds(2), rows: 512, groups: 2))
        _ = queue.add(1, rows: 1, now: start)
        #expect(wakes(queue.add(2, rows: 1, now: start)) == [start + .milliseconds(2)])
        // One alarm is enough.
        #expect(wakes(queue.add(3, rows: 1, now: start + .milliseconds(1))).isEmpty)
        #expect(groups(queue.woke(now: start + .milliseconds(2))) == [[2, 3]])
        // Both connections are busy.
        let full = queue.add(4, rows: 1, now: start + .milliseconds(2))
        #expect(groups(full).isEmpty && wakes(full).isEmpty)
        #expect(groups(queue.finished(now: start + .milliseconds(9))) == [[4]])
    }

    @Test("an alarm that comes early sets another, and one after the entries have gone does nothing")
    func alarms() {
        var queue = Queue(.init(wait: .milliseconds(2), rows: 512, groups: 2))
        _ = queue.add(1, rows: 1, now: start)
        _ = queue.add(2, rows: 1, now: start)
        #expect(wakes(queue.woke(now: start + .milliseconds(1))) == [start + .milliseconds(2)])
        #expect(groups(queue.finished(now: start + .milliseconds(1))) == [[2]])
        #expect(queue.woke(now: start + .milliseconds(2)).isEmpty)
    }

    @Test("a transaction has so many rows at most, unless one request has more; all are written in their order")
    func sizes() {
        var queue = Queue(.init(wait: .seconds(9), rows: 10, groups: 1))
        _ = queue.add(0, rows: 1, now: start)
        for entry in 1...4 { _ = queue.add(entry, rows: 4, now: start) }
        _ = queue.add(5, rows: 99, now: start)
        var written: [[Int]] = []
        for _ in 0..<4 { written += groups(queue.finished(now: start)) }
        #expect(written == [[1, 2], [3, 4], [5]])
    }
}

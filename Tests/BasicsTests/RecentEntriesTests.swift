import Basics
import Testing

@Suite("Recent entries")
struct RecentEntriesTests {
    @Test("however many come, only so many are kept, and the last is among them")
    func bounded() {
        var entries = RecentEntries<Int, Int>(maximumCount: 10)
        for number in 0..<1_000 {
            entries.insert(number, for: number)
            #expect(entries.count <= 10)
            #expect(entries[number] == number)
        }
    }

    @Test("what is used stays while others come and go")
    func used() {
        var entries = RecentEntries<Int, Int>(maximumCount: 10)
        entries.insert(-1, for: -1)
        for number in 0..<1_000 {
            entries.insert(number, for: number)
            #expect(entries.use(-1) == -1)
        }
        #expect(entries.use(0) == nil)
    }

    @Test("what is changed or removed is so in both generations")
    func changes() {
        var entries = RecentEntries<Int, Int>(maximumCount: 4)
        for number in 1...3 { entries.insert(number, for: number) }
        for number in 1...3 { entries.update(number) { $0 *= 10 } }
        entries.update(9) { $0 = 9 }
        #expect((1...3).map { entries[$0] } == [10, 20, 30])
        #expect(entries[9] == nil)
        entries.removeAll { $0 != 2 }
        #expect((1...3).map { entries[$0] } == [nil, 20, nil])
        entries.remove(2)
        #expect(entries.count == 0)
    }
}

import Basics
import Testing

@Suite("Figures that must never change")
struct FigureTests {
    /// From the reference implementation in C (Vigna, splitmix64.c).
    @Test("a seed gives SplitMix64's published numbers")
    func seeded() {
        var generator = SeededGenerator(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in generator.next() }
                == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("uniform and bounded draws stay in their ranges and use one number each")
    func draws() {
        var (first, second) = (SeededGenerator(seed: 9), SeededGenerator(seed: 9))
        for _ in 0..<1_000 {
            #expect(first.uniform() == Double(second.next() >> 11) * 0x1p-53)
            #expect(first.below(7) == Int(second.next() % 7))
        }
    }

    @Test("days and dates are inverse to each other, years BC and leap days included")
    func calendar() {
        #expect(GregorianCalendar.daysSince1970(year: 1970, month: 1, day: 1) == 0)
        #expect(GregorianCalendar.daysSince1970(year: 2000, month: 2, day: 29) == 11_016)
        #expect(GregorianCalendar.daysSince1970(year: 1, month: 1, day: 1) == -719_162)
        #expect(GregorianCalendar.daysSince1970(year: -4712, month: 1, day: 1) == -2_440_550)
        var expected = (year: -400, month: 2, day: 27)
        let first = GregorianCalendar.daysSince1970(year: -400, month: 2, day: 27)
        for day in first..<first + 2 * 146_097 {
            guard GregorianCalendar.date(daysSince1970: day) == expected,
                GregorianCalendar.daysSince1970(year: expected.year, month: expected.month, day: expected.day) == day
            else {
                Issue.record("day \(day) is not \(expected)")
                return
            }
            expected.day += 1
            if expected.day > GregorianCalendar.daysIn(month: expected.month, year: expected.year) {
                expected =
                    expected.month == 12
                    ? (expected.year + 1, 1, 1) : (expected.year, expected.month + 1, 1)
            }
        }
    }
}

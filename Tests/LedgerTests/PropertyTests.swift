import Basics
import Contracts
import Ledger
import Testing

/// What holds of every person and every booking, tried on generated ones.
@Suite("Properties of the ledger")
struct PropertyTests {
    private static let seeds = 1...150
    private static let window = days("2025-11-20", "2026-08-10")

    @Test("capacity and load of a day are what the definitions say, word by word")
    func definitions() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            let reference = Reference(time: person.time)
            var ledger = PersonDays(Self.window)
            ledger.reckon(person.time, person.bookings)
            var (hard, soft): ([Int], [Int]) = (Array(repeating: 0, count: Self.window.count), [])
            soft = hard
            // Of percentages the shares of a day are rounded together.
            let nothing = [Double](repeating: 0, count: Self.window.count)
            var shares: [Commitment: [Double]] = [.hard: nothing, .soft: nothing]
            for booking in person.bookings {
                guard let standing = booking.standing else { continue }
                let way = reference.way(booking)
                let last = person.time.extent(of: booking).last ?? Self.window.last
                guard last >= booking.first else { continue }
                for (day, minutes) in reference.minutes(booking, last: last)
                where Self.window.contains(day) && reference.isEmployed(day) && day <= booking.completed ?? day {
                    let place = Self.window.index(of: day)
                    if case .percentage(let percentage) = way {
                        shares[standing]?[place] += Double(reference.nominal(day)) * percentage / 100
                    } else if standing == .hard {
                        hard[place] += minutes
                    } else {
                        soft[place] += minutes
                    }
                }
            }
            // The sums of fractions are a hair off.
            hard = zip(hard, shares[.hard] ?? []).map { $0 + Int(($1 + 1e-7).rounded()) }
            soft = zip(soft, shares[.soft] ?? []).map { $0 + Int(($1 + 1e-7).rounded()) }
            #expect(
                ledger.capacity == (0..<Self.window.count).map { reference.capacity(Self.window.day($0)) }, "\(seed)")
            #expect(ledger.hard == hard, "seed \(seed)")
            #expect(ledger.soft == soft, "seed \(seed)")
        }
    }

    @Test("a booking's minutes are loaded, released or orphaned, and all of them are somewhere")
    func conservation() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            for booking in person.bookings {
                let account = person.time.account(of: booking)
                #expect(min(account.loaded, account.released, account.orphaned) >= 0)
                #expect(account.loaded + account.released + account.orphaned == account.total)
                if case .minutes(let minutes) = person.time.extent(of: booking).way {
                    #expect(account.total == minutes, "seed \(seed)")
                }
                if let completed = booking.completed, completed < booking.first { #expect(account.loaded == 0) }
            }
        }
    }

    @Test("the answer for a day does not depend on the window asked, and a window is the sum of its days")
    func windows() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            var random = SeededGenerator(seed + 10_000)
            var wide = PersonDays(Self.window)
            wide.reckon(person.time, person.bookings)
            let first = random.number(0...Self.window.count - 1)
            let part = first...random.number(first...Self.window.count - 1)
            var narrow = PersonDays(DayWindow(Self.window.day(part.lowerBound), Self.window.day(part.upperBound)))
            narrow.reckon(person.time, person.bookings)

            #expect(narrow.capacity == Array(wide.capacity[part]), "seed \(seed)")
            #expect(narrow.hard == Array(wide.hard[part]), "seed \(seed)")
            #expect(narrow.soft == Array(wide.soft[part]), "seed \(seed)")
            #expect(narrow.requestedLeave == Array(wide.requestedLeave[part]), "seed \(seed)")
            let places = 0..<narrow.window.count
            #expect(places.map { narrow.free(at: $0) } == part.map { wide.free(at: $0) }, "seed \(seed)")
            #expect(places.map { narrow.over(at: $0) } == part.map { wide.over(at: $0) }, "seed \(seed)")
            #expect(narrow.utilisation(places) == sum(places.map { narrow.utilisation($0..<$0 + 1) }))
            #expect(person.time.capacity(over: narrow.window) == narrow.capacity.reduce(0, +))
            guard narrow.window.count < 60 else { continue }
            for booking in person.bookings.prefix(3) {
                let loads = places.map { person.time.load(of: booking, on: narrow.window.day($0)) }
                #expect(person.time.account(of: booking, in: narrow.window).loaded == loads.reduce(0, +))
                #expect(loads.allSatisfy { $0 >= 0 })
            }
        }
    }

    @Test("a booking of half a century is worked as day by day, whatever part of it is asked for", arguments: 1...25)
    func longBookings(seed: Int) {
        let time = GeneratedPerson(seed: seed).time
        var random = SeededGenerator(seed)
        let first = day("2001-03-01").adding(days: random.number(0...6))
        let last = day("2049-10-01").adding(days: random.number(0...6))
        let booking = Booking(
            id: AllocationID(), project: .running(), first: first, last: last,
            effort: Effort(minutes: random.number(0...900_000)))
        let expected = Reference(time: time).minutes(booking, last: last)
        for start in ["2001-02-20", "2014-06-01", "2026-02-01", "2049-09-01"] {
            let window = DayWindow(day(start), day(start).adding(days: 40))
            var days = PersonDays(window)
            days.reckon(time, [booking])
            for place in 0..<window.count {
                let day = window.day(place)
                let minutes = time.isEmployed(on: day) ? expected[day] ?? 0 : 0
                #expect(days.hard[place] == minutes, "\(day)")
            }
            let orphaned = (0..<window.count).map(window.day).filter { !time.isEmployed(on: $0) }
                .reduce(0) { $0 + (expected[$1] ?? 0) }
            #expect((Orphan(booking, time, in: window)?.minutes ?? 0) == orphaned)
        }
    }

    @Test("one set of arrays serves person after person")
    func reuse() {
        var shared = PersonDays(Self.window)
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            shared.reckon(person.time, person.bookings)
            var own = PersonDays(Self.window)
            own.reckon(person.time, person.bookings)
            #expect(shared.hard == own.hard && shared.soft == own.soft && shared.capacity == own.capacity)
            #expect(shared.plannable == own.plannable && shared.isEmployed == own.isEmployed)
            #expect(shared.overCapacity(person.bookings) == own.overCapacity(person.bookings))
        }
    }

    @Test("loads of bookings add up to the person's")
    func parts() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            var days = PersonDays(Self.window)
            days.reckon(person.time, person.bookings)
            var sums = Array(repeating: 0, count: Self.window.count)
            days.forEachLoad(of: person.bookings) { _, place, minutes in sums[place] += minutes }
            #expect(sums == zip(days.hard, days.soft).map(+), "seed \(seed)")
        }
    }

    @Test(
        "splitting a booking at a day, its hours with it, moves no minute where days are alike, and at most one otherwise"
    )
    func splitting() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            let isEven = seed.isMultiple(of: 2)
            let time =
                isEven
                ? WorkingTime(
                    spells: person.time.spells,
                    contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 37.5))]) : person.time
            for booking in person.bookings {
                guard let last = booking.last, last > booking.first else { continue }
                var random = SeededGenerator(seed)
                let cut = booking.first.adding(
                    days: random.number(0...last.daysSinceEpoch - booking.first.daysSinceEpoch - 1))
                let (early, late) = (DayWindow(booking.first, cut), DayWindow(cut.adding(days: 1), last))
                func part(_ days: DayWindow) -> Booking {
                    guard case .minutes = booking.effort.way else {
                        return booking.with(first: days.first, last: days.last, effort: booking.effort)
                    }
                    let minutes = time.account(of: booking, in: days).total
                    return booking.with(first: days.first, last: days.last, effort: Effort(minutes: minutes))
                }
                let parts = [part(early), part(late)]
                let isEach = booking.effort.way != .minutes(booking.effort.minutes ?? 0)
                let whole = DayWindow(booking.first, last)
                for index in 0..<whole.count {
                    let day = whole.day(index)
                    let split = parts.reduce(0) { $0 + time.load(of: $1, on: day) }
                    let difference = abs(split - time.load(of: booking, on: day))
                    // A part without a working day puts its hours, of which it has none then, nowhere.
                    #expect(difference <= (isEven || isEach ? 0 : 1), "seed \(seed), \(day)")
                }
                #expect(parts.reduce(0) { $0 + time.account(of: $1).total } == time.account(of: booking).total)
            }
        }
    }

    @Test(
        "figures divided among groups add up to the whole to the minute, and every part has its turn of the odd minute")
    func dividing() {
        for seed in Self.seeds {
            let person = GeneratedPerson(seed: seed)
            var days = PersonDays(Self.window)
            days.reckon(person.time, person.bookings)
            days.record(percent: 75, on: day("2026-03-02"))
            for parts in 1...4 {
                let divided = days.utilisation(0..<Self.window.count, dividedAmong: parts)
                var expected = days.utilisation(0..<Self.window.count)
                // A day is recorded in each of the parts.
                expected.recordedDays *= parts
                #expect(sum(divided) == expected, "seed \(seed)")
                let capacities = divided.map(\.capacity)
                #expect((capacities.max() ?? 0) - (capacities.min() ?? 0) <= Self.window.count)
            }
        }
    }

    @Test("shares that are together a day take that day, however many they are; their parts by project add up")
    func sharesOfADay() {
        // 37.5 hours a week: a quarter of a day is 112.5 minutes.
        let time = WorkingTime(
            spells: [], contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 37.5))])
        for shares in [[25, 75], [25, 25, 50], [75, 25], [33, 33, 34], [5, 15, 25, 55]] as [[Double]] {
            let bookings = shares.map { Booking("2026-03-02", "2026-03-06", percentage: $0) }
            for order in [bookings, bookings.reversed()] {
                var days = PersonDays(days("2026-03-02", "2026-03-08"))
                days.reckon(time, order)
                var table = UtilisationTable(days.window.periods(.total))
                table.add(&days, order) { booking in order.firstIndex { $0.id == booking.id } ?? 0 }
                #expect(days.hard == [450, 450, 450, 450, 450, 0, 0], "\(shares)")
                #expect(days.utilisation(0..<7).percent == 100 && days.free(0..<7) == 0)
                #expect(table.rows.reduce(0) { $0 + $1[0].hard } == 2_250)
                for (row, booking) in zip(table.rows, order) {
                    #expect(abs(row[0].hard - time.account(of: booking).total) <= 5)
                }
            }
        }
        var days = PersonDays(days("2026-03-02", "2026-03-08"))
        days.reckon(time, [Booking("2026-03-02", "2026-03-06", percentage: 25)])
        #expect(days.hard[0] == 113)
    }

    @Test("rounding alone never makes a person over-booked")
    func rounding() {
        // Two halves of an odd day, and shares that fill the week only together.
        let odd = WorkingTime(
            spells: [], contracts: [Contract(from: nil, pattern: WeeklyPattern(mondayToSunday: [459, 459, 459]))])
        let halves = [
            Booking("2026-03-02", "2026-03-04", percentage: 50), Booking("2026-03-02", "2026-03-04", percentage: 50),
        ]
        let shares = [
            Booking("2026-03-02", "2026-03-04", hours: 1_000 / 60.0),
            Booking("2026-03-02", "2026-03-04", hours: 377 / 60.0),
        ]
        for bookings in [halves, shares] {
            var days = PersonDays(days("2026-03-02", "2026-03-08"))
            days.reckon(odd, bookings)
            #expect(days.overCapacity(bookings).isEmpty)
            #expect(days.utilisation(0..<7).percent == 100)
        }
        let more = shares + [Booking("2026-03-04", "2026-03-04", hours: 1)]
        var days = PersonDays(days("2026-03-02", "2026-03-08"))
        days.reckon(odd, more)
        #expect(days.overCapacity(more).map(\.from) == [day("2026-03-04")])
    }

    private func sum(_ parts: [Utilisation]) -> Utilisation { parts.reduce(into: Utilisation()) { $0 += $1 } }
}

import Contracts
import Dispatch
import Forecasting
import Foundation
import HTTPTypes
import Ledger
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

@Suite(.timeLimit(.minutes(5))) struct TenantMirrorTests {
    let history = SyntheticHistory(allocations: 30)
    let clock = ManualClock()

    private func mirror(_ feed: ScriptedFeed) -> TenantMirror {
        TenantMirror(tenant: TenantID(), source: feed, freshness: Freshness(), now: clock.now)
    }

    @Test("a fresh mirror asks nothing, an older one only for what changed")
    func incremental() async throws {
        let feed = ScriptedFeed(Array(history.lines.dropLast()))
        let mirror = mirror(feed)
        try await mirror.refresh()
        clock.advance(by: .milliseconds(200))
        try await mirror.refresh()
        #expect(feed.questions == [nil])
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 29)

        feed.change([history.lines[history.lines.count - 1]])
        clock.advance(by: .milliseconds(100))
        try await mirror.refresh()
        #expect(feed.questions == [nil, "1"])
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 30)
    }

    @Test("removed and changed rows are followed, and a row that comes again does no harm")
    func changes() async throws {
        let feed = ScriptedFeed(history.lines)
        let mirror = mirror(feed)
        try await mirror.refresh()
        let first = history.allocations[0]
        let moved = Allocation(
            id: first.id, externalId: first.externalId, employeeId: history.employees[0].id, projectId: first.projectId,
            allocationPercentage: 10, allocatedHours: 4, plannedHours: 4, actualHours: nil, requiredSkills: [],
            labels: [:],
            startDate: first.startDate, endDate: nil, completedAt: nil, createdAt: first.createdAt)
        feed.change([
            .allocation(moved), .allocation(moved),
            .removed(RemovedRow(kind: "allocation", id: history.allocations[1].id.rawValue)),
            .removed(RemovedRow(kind: "employee", id: history.employees[5].id.rawValue)),
        ])
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        mirror.knowledge.read { knowledge in
            #expect(knowledge.history.allocationCount == 29)
            #expect(knowledge.employees.count == 5)
            #expect(knowledge.bookings.values.reduce(0) { $0 + $1.count } == 29)
            #expect(knowledge.bookings[history.employees[0].id]?[first.id]?.present?.effort.percentage == 10)
        }
    }

    @Test("calendars, contracts and the time zone of the feed make people's time, whichever of them changes")
    func peoplesTime() async throws {
        let (berlin, person) = (UUID(), history.employees[0])
        let monday = CivilDate(daysSinceEpoch: 20_458)
        func calendar(_ days: [CivilDate]) -> HistoryLine {
            .calendar(
                HistoryCalendar(
                    id: berlin, isDefault: true,
                    holidays: days.map { HistoryCalendar.Holiday(date: $0, minutesOff: 240) }))
        }
        let time = HistoryTime(
            spells: [HistoryTime.Spell(from: nil, to: monday.adding(days: 9))], heldFrom: nil,
            contracts: [
                HistoryTime.Contract(from: nil, weekdayMinutes: [480, 480, 480, 480, 480, 0, 0], calendar: nil),
                HistoryTime.Contract(
                    from: monday.adding(days: 7), weekdayMinutes: [300, 300, 300, 0, 0, 0, 0], calendar: berlin),
            ],
            leave: [
                HistoryTime.Leave(
                    from: monday.adding(days: 1), to: monday.adding(days: 1), minutesPerDay: nil, isApproved: true),
                HistoryTime.Leave(
                    from: monday.adding(days: 2), to: monday.adding(days: 2), minutesPerDay: nil, isApproved: false),
            ])
        let employee = HistoryEmployee(
            id: person.id, externalId: "E0", name: "Person 0", weeklyCapacityHours: 40, isActive: true, hiredOn: nil,
            leftOn: nil, skills: [], time: time)
        let feed = ScriptedFeed(history.lines + [.employee(employee)])
        let mirror = mirror(feed)
        try await mirror.refresh()
        func capacity(_ days: ClosedRange<Int>) -> Int? {
            mirror.knowledge.read {
                $0.times[person.id]?.capacity(
                    over: DayWindow(monday.adding(days: days.lowerBound), monday.adding(days: days.upperBound)))
            }
        }
        // A day of leave is away; the calendar is not known yet.
        #expect(capacity(0...6) == 4 * 480)
        #expect(capacity(7...13) == 900)

        feed.change([calendar([monday.adding(days: 3), monday.adding(days: 8)])])
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        #expect(capacity(0...6) == 4 * 480 - 240)
        #expect(capacity(7...13) == 900 - 240)

        feed.change([.removed(RemovedRow(kind: "calendar", id: berlin))])
        feed.state.withLock { $0.timeZone = "Pacific/Auckland" }
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        #expect(capacity(0...13) == 4 * 480 + 900)
        #expect(mirror.knowledge.read { $0.zone.identifier } == "Pacific/Auckland")
    }

    @Test("skills' names and aliases are those of the latest feed that told them, also of one that tells nothing else")
    func skillNames() async throws {
        let feed = ScriptedFeed(history.lines)
        feed.state.withLock { $0.skillAliases = ["SQL": ["Query"]] }
        let mirror = mirror(feed)
        try await mirror.refresh()
        func next(_ lines: [HistoryLine], aliases: [String: [String]]?) async throws {
            feed.state.withLock { $0.skillAliases = aliases }
            feed.change(lines)
            clock.advance(by: .milliseconds(300))
            try await mirror.refresh()
        }
        func names(_ words: [String]) -> [String] { mirror.knowledge.read { $0.skillNames.names(of: words) } }
        func project(_ skill: String) -> HistoryLine {
            .project(
                HistoryProject(
                    id: history.projects[0].id, externalId: "P0", name: "P0", status: .inProgress,
                    completionPercentage: nil, startDate: nil, estimatedEndDate: nil, endDate: nil,
                    requiredSkills: [skill]))
        }
        #expect(names([" query ", "sql", "Cobol "]) == ["SQL", "Cobol"])

        try await next([], aliases: ["SQL": ["Query", "Seequel"], "Unused": ["None"]])
        #expect(names(["seequel", "QUERY"]) == ["SQL"])
        #expect(names(["none"]) == ["Unused"])

        // Another spelling of the name, and back, with lists of skills that were there before.
        try await next([project("sql")], aliases: nil)
        #expect(names(["Query"]) == ["sql"])
        try await next([project("SQL")], aliases: nil)
        #expect(names(["Query"]) == ["SQL"])

        try await next([], aliases: [:])
        #expect(names(["Query", "Sql"]) == ["Query", "SQL"])
    }

    @Test("without tenant-admin a mirror serves for one second and is then refused, never trusted")
    func staleness() async throws {
        let feed = ScriptedFeed(history.lines)
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.state.withLock { $0.isDown = true }
        clock.advance(by: .milliseconds(900))
        try await mirror.refresh()
        clock.advance(by: .milliseconds(200))
        let error = await #expect(throws: ProblemError.self) { try await mirror.refresh() }
        #expect(error?.status.code == 503)
        feed.state.withLock { $0.isDown = false }
        try await mirror.refresh()
    }

    @Test("a suspended tenant is refused at once, however fresh the mirror was a moment ago")
    func suspended() async throws {
        let feed = ScriptedFeed(history.lines)
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.state.withLock { $0.isSuspended = true }
        clock.advance(by: .milliseconds(300))
        let error = await #expect(throws: ProblemError.self) { try await mirror.refresh() }
        #expect(error?.code == .tenantUnavailable)
    }

    @Test("many requests at once are one question")
    func singleFlight() async throws {
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let feed = ScriptedFeed(history.lines) { for await _ in opened { break } }
        let mirror = mirror(feed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await mirror.refresh() } }
            open.yield()
            try await group.waitForAll()
        }
        #expect(feed.questions == [nil])
    }

    @Test("a request that waits too long for a first load gets Retry-After; the load goes on for the next")
    func impatient() async throws {
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let feed = ScriptedFeed(history.lines) { for await _ in opened { break } }
        let patience = AsyncStream.makeStream(of: Void.self)
        let mirror = TenantMirror(
            tenant: TenantID(), source: feed, freshness: Freshness(), now: clock.now,
            sleep: { _ in
                for await _ in patience.stream { return }
                try await Task.sleep(for: .seconds(3600))
            })

        patience.continuation.yield()
        let error = await #expect(throws: ProblemError.self) { try await mirror.refresh() }
        #expect(error?.status.code == 503 && error?.headers[.retryAfter] == "5")
        #expect(error?.sentence.contains("is being loaded") == true)

        open.yield()
        try await mirror.refresh()
        #expect(feed.questions == [nil])
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 30)
    }

    @Test("a client that hangs up is released, and the waiting ones get their answer")
    func hungUp() async throws {
        let (opened, open) = AsyncStream.makeStream(of: Void.self)
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        let feed = ScriptedFeed(history.lines) {
            ask.yield()
            for await _ in opened { break }
        }
        let mirror = mirror(feed)
        let hangsUp = Task { try await mirror.refresh() }
        for await _ in asked { break }
        let stays = Task { try await mirror.refresh() }
        hangsUp.cancel()
        await #expect(throws: CancellationError.self) { try await hangsUp.value }
        open.yield()
        try await stays.value
        #expect(feed.questions == [nil])
    }

    @Test("an unknown watermark reloads the mirror")
    func forgottenWatermark() async throws {
        let feed = ScriptedFeed(history.lines)
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.state.withLock {
            $0.forgetsWatermarks = true
            $0.lines.removeLast()
        }
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        #expect(feed.questions == [nil, "1", nil])
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 29)
    }

    @Test("a feed that breaks off half way changes nothing", arguments: [false, true])
    func brokenOff(isWhole: Bool) async throws {
        let feed = ScriptedFeed(Array(history.lines.prefix(history.lines.count - 10)))
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.change(Array(history.lines.suffix(10)))
        feed.state.withLock {
            $0.breaksOff = true
            $0.forgetsWatermarks = isWhole
        }
        clock.advance(by: .milliseconds(500))
        try await mirror.refresh()
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 20)
        #expect(mirror.knowledge.read { $0.bookings.values.reduce(0) { $0 + $1.count } } == 20)

        feed.state.withLock { $0.breaksOff = false }
        clock.advance(by: .milliseconds(300))
        try await mirror.refresh()
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 30)
    }

    @Test("an import of many rows is taken in beside what is being read, and all of it is known afterwards")
    func manyChanges() async throws {
        let large = SyntheticHistory(allocations: 3_000)
        let feed = ScriptedFeed(large.lines.filter { if case .allocation = $0 { false } else { true } })
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.change(large.allocations.map { .allocation($0) })
        clock.advance(by: .milliseconds(300))
        let before = mirror.knowledge.read { $0.history }
        try await mirror.refresh()
        #expect(before.allocationCount == 0)
        mirror.knowledge.read {
            #expect($0.history.allocationCount == 3_000)
            #expect($0.bookings.values.reduce(0) { $0 + $1.count } == 3_000)
        }
        // More changes than patching pays for: loaded afresh.
        #expect(feed.questions == [nil, "1", nil])
    }

    @Test("catching up learns what was committed before, however fresh the mirror is, and asks once for many")
    func catchUp() async throws {
        let feed = ScriptedFeed(Array(history.lines.dropLast()))
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.change([history.lines[history.lines.count - 1]])
        clock.advance(by: .milliseconds(1))
        try await mirror.refresh()
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 29)
        try await mirror.catchUp()
        #expect(mirror.knowledge.read { $0.history.allocationCount } == 30)
        #expect(feed.questions == [nil, "1"])

        feed.state.withLock { $0.isDown = true }
        clock.advance(by: .milliseconds(1))
        let error = await #expect(throws: ProblemError.self) { try await mirror.catchUp() }
        #expect(error?.status.code == 503)
    }

    @Test("the tenant unused for longest is dropped")
    func eviction() async throws {
        let lines = history.lines
        let mirrors = TenantMirrors(limits: .init(tenants: 2, rows: 1_000)) { tenant in
            TenantMirror(tenant: tenant, source: ScriptedFeed(lines), freshness: Freshness())
        }
        let tenants = (0..<3).map { _ in TenantID() }
        _ = try await mirrors.mirror(of: tenants[0])
        _ = try await mirrors.mirror(of: tenants[1])
        _ = try await mirrors.mirror(of: tenants[0])
        _ = try await mirrors.mirror(of: tenants[2])
        #expect(mirrors.tenants == [tenants[0], tenants[2]])
    }

    @Test("a large history that has to go is freed aside from requests, a small one at once")
    func evictionAside() async throws {
        let (large, small) = (TenantID(), history.lines)
        let lines = SyntheticHistory(allocations: HistoryFeedPace.atOnce + 1).lines
        let freed = Mutex<[Int]>([])
        let mirrors = TenantMirrors(
            limits: .init(tenants: 1), free: { gone in freed.withLock { $0.append(gone.count) } }
        ) { tenant in
            TenantMirror(
                tenant: tenant, source: ScriptedFeed(tenant == large ? lines : small), freshness: Freshness())
        }
        _ = try await mirrors.mirror(of: large)
        for _ in 0..<3 { _ = try await mirrors.mirror(of: TenantID()) }
        #expect(freed.withLock { $0 } == [1])
    }

    @Test("histories that take more bytes than there may be make room, the least recently used first")
    func evictionByBytes() async throws {
        let lines = history.lines
        let one = TenantMirror(tenant: TenantID(), source: ScriptedFeed(lines), freshness: Freshness())
        try await one.refresh()
        let bytes = one.knowledge.read { $0.bytes }
        let mirrors = TenantMirrors(limits: .init(tenants: 99, rows: 1_000_000, bytes: 5 * bytes / 2)) { tenant in
            TenantMirror(tenant: tenant, source: ScriptedFeed(lines), freshness: Freshness())
        }
        let tenants = (0..<4).map { _ in TenantID() }
        for tenant in tenants { _ = try await mirrors.mirror(of: tenant) }
        #expect(mirrors.tenants == [tenants[2], tenants[3]])
    }

    @Test("an answer about changes that is lost is asked for again, and each time waited for twice as long")
    func lostAnswers() async throws {
        let feed = ScriptedFeed(Array(history.lines.dropLast()))
        let mirror = mirror(feed)
        try await mirror.refresh()
        feed.change([history.lines[history.lines.count - 1]])
        feed.state.withLock { $0.lostAnswers = 2 }
        clock.advance(by: .seconds(2))

        try await mirror.refresh()

        #expect(mirror.knowledge.read { $0.history.allocationCount } == 30)
        feed.state.withLock { $0.lostAnswers = 3 }
        clock.advance(by: .seconds(2))
        let error = await #expect(throws: ProblemError.self) { try await mirror.catchUp() }
        #expect(error?.status.code == 503)
        // One that came makes the next silence as short as the first.
        let silences = feed.state.withLock { $0.silences }.map { $0 / .seconds(1) }
        #expect(silences == [30, 2, 4, 8, 2, 4, 8])
    }

    @Test("a tenant that is suspended or gone leaves the memory, asked about or not, and the others stay")
    func refused() async throws {
        let (asked, unasked, other) = (TenantID(), TenantID(), TenantID())
        let lines = history.lines
        let feeds = Dictionary(uniqueKeysWithValues: [asked, unasked, other].map { ($0, ScriptedFeed(lines)) })
        let told = Mutex<[TenantID]>([])
        let mirrors = TenantMirrors(refused: { tenant in told.withLock { $0.append(tenant) } }) { [clock] tenant in
            TenantMirror(
                tenant: tenant, source: feeds[tenant] ?? ScriptedFeed([]), freshness: Freshness(), now: clock.now)
        }
        for tenant in feeds.keys { _ = try await mirrors.mirror(of: tenant) }
        for tenant in [asked, unasked] { feeds[tenant]?.state.withLock { $0.isSuspended = true } }

        // However fresh it is.
        clock.advance(by: .milliseconds(1))
        await mirrors.check([unasked, other, TenantID()])
        let afterCheck = mirrors.tenants
        clock.advance(by: .milliseconds(300))
        let error = await #expect(throws: ProblemError.self) { _ = try await mirrors.mirror(of: asked) }

        #expect(afterCheck == [asked, other] && mirrors.tenants == [other])
        #expect(error?.code == .tenantUnavailable && told.withLock { $0 } == [unasked, asked])
        // Refused for a reason that is none of the tenant's, and not answered at all.
        feeds[other]?.state.withLock { $0.isForbidden = true }
        await mirrors.check(nil)
        _ = try await mirrors.mirror(of: other)
        feeds[other]?.state.withLock { $0.isDown = true }
        await mirrors.check(nil)
        #expect(mirrors.tenants == [other] && told.withLock { $0.count } == 2)
    }

    @Test("who reads during a change waits without a thread of the pool, and sees the change as a whole")
    func readersOfThePool() async throws {
        let (lock, begun, held) = (SharedLock(0), Signal(), DispatchSemaphore(value: 0))
        let come = Mutex(0)
        let change = Task {
            try await ComputeThread.run(named: "test") {
                lock.change { value in
                    begun.set()
                    held.wait()
                    value = 1
                }
            }
        }
        await begun.wait()
        // More than the pool has threads.
        let readers = (0..<8 * ProcessInfo.processInfo.activeProcessorCount).map { _ in
            Task { @Sendable in
                come.withLock { $0 += 1 }
                return await lock.readInTurn { $0 }
            }
        }
        try await waitUntil("all readers have come") { come.withLock { $0 } == readers.count }
        let atOnce = lock.changeAtOnce { $0 = 2 }
        held.signal()
        try await change.value
        for reader in readers { #expect(await reader.value == 1) }
        let afterwards = lock.changeAtOnce { $0 = 2 }
        #expect(!atOnce && afterwards)
        #expect(lock.read { $0 } == 2)
    }

    @Test("readers and a writer at the same time see whole states only")
    func lock() async throws {
        let lock = SharedLock([0, 0])
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for value in 1...2_000 {
                    lock.change {
                        $0[0] = value
                        $0[1] = value
                    }
                }
                return true
            }
            for _ in 0..<3 {
                group.addTask { (0..<2_000).allSatisfy { _ in lock.read { $0[0] == $0[1] } } }
            }
            for await whole in group { #expect(whole) }
        }
    }
}

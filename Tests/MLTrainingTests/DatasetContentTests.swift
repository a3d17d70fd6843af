import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Testing

@Suite struct DatasetContentTests {
    private func allocation(
        _ index: Int, completed: Double? = nil, skills: [String] = [], labels: [String: String] = [:]
    ) -> HistoryChange {
        .allocation(
            Forecasting.Allocation(
                id: "a\(index)", employee: "e", project: "p", skills: skills, labels: labels, plannedHours: 8,
                decidedAt: 1_700_000_000 + Double(index % 7), completedAt: completed))
    }

    private let asOf = Date(timeIntervalSince1970: 1_800_000_000)

    @Test("a history gathered from a stream has the digest and the chunks of one gathered in another order")
    func collected() async throws {
        let changes = (0..<5_000).map { allocation($0, completed: 1_750_000_000) }
        let (stream, feed) = AsyncThrowingStream.makeStream(of: HistoryChange.self)
        for change in changes { feed.yield(change) }
        feed.finish()
        let streamed = try await DatasetContent.collect(stream, months: 240, asOf: asOf)
        var source = DatasetSource(months: 240, asOf: asOf)
        // The first thing said of each is corrected later.
        for index in 0..<5_000 { try source.add(allocation(index, labels: ["wrong": "yes"])) }
        for change in changes.shuffled() { try source.add(change) }
        let shuffled = try DatasetContent(source)
        #expect(streamed.contentSHA256 == shuffled.contentSHA256 && streamed.featureCount == shuffled.featureCount)
        #expect(streamed.rowCount == 5_000)
        let chunks = try streamed.allChunks()
        let areSame = try chunks == shuffled.allChunks()
        #expect(areSame && chunks.map(\.lineCount).reduce(0, +) == 5_000)
        #expect(chunks.count > 8 && chunks.count < 50)
    }

    @Test("a line that is added, changed or gone changes the chunk that it is in and at most the next one")
    func sharedChunks() throws {
        func chunks(_ change: (Int) -> HistoryChange?) throws -> Set<[UInt8]> {
            var source = DatasetSource(months: 240, asOf: asOf)
            for index in 0..<20_000 { if let change = change(index) { try source.add(change) } }
            return Set(try DatasetContent(source).allChunks().map(\.content))
        }
        let whole = try chunks { allocation($0) }
        #expect(whole.count > 50)
        for place in [0, 1, 7_777, 13_000, 19_999] {
            let without = try chunks { $0 == place ? nil : allocation($0) }
            let changed = try chunks { allocation($0, labels: $0 == place ? ["edited": "yes"] : [:]) }
            #expect(whole.subtracting(without).count <= 2 && without.subtracting(whole).count <= 2)
            #expect(whole.subtracting(changed).count <= 2 && changed.subtracting(whole).count <= 2)
        }
    }

    @Test("a booking is cancelled from when it ceased to stand, and before that it was open")
    func cancelled() throws {
        let decided = Date(timeIntervalSince1970: 1_700_000_000)
        func learned(_ moments: [(from: Double, isCancelled: Bool)]) throws -> Forecasting.Allocation {
            let (employee, project) = (EmployeeID(), ProjectID())
            let earlier = zip(moments, moments.dropFirst()).map { version, next in
                EarlierBooking(
                    validFrom: decided + version.from, validUntil: decided + next.from, employeeId: employee,
                    projectId: project, allocatedHours: 8, hoursPerDay: nil, allocationPercentage: nil,
                    commitment: .hard,
                    isCancelled: version.isCancelled, startDate: CivilDate(decided), endDate: nil)
            }
            return Forecasting.Allocation(
                Contracts.Allocation(
                    id: AllocationID(), externalId: "b", employeeId: employee, projectId: project,
                    allocationPercentage: nil, allocatedHours: 8, plannedHours: 8, actualHours: nil,
                    isCancelled: moments.last?.isCancelled ?? false, requiredSkills: [], labels: [:],
                    startDate: CivilDate(decided), endDate: nil, completedAt: nil, createdAt: decided,
                    earlier: earlier.isEmpty ? nil : earlier))
        }
        func cancelledAfter(_ moments: [(from: Double, isCancelled: Bool)]) throws -> Double? {
            try learned(moments).cancelledAt.map { $0 - decided.timeIntervalSince1970 }
        }
        #expect(try cancelledAfter([(0, false)]) == nil)
        #expect(try cancelledAfter([(0, true)]) == 0)
        #expect(try cancelledAfter([(0, false), (50, true)]) == 50)
        #expect(try cancelledAfter([(0, true), (20, false), (50, true), (90, true)]) == 50)
        #expect(try cancelledAfter([(0, false), (50, true), (90, false)]) == nil)
        // A dataset of an earlier moment does not know it yet.
        for (moment, isKnown) in [(40.0, false), (60.0, true)] {
            var source = DatasetSource(months: 240, asOf: decided + moment)
            try source.add(.allocation(try learned([(0, false), (50, true)])))
            let text = try DatasetContent(source).allChunks().map { String(decoding: $0.content, as: UTF8.self) }
                .joined()
            #expect(text.contains("cancelledAt") == isKnown)
        }
    }

    @Test("a booking is tentative from when it ceased to be firm, and a project closed from when it ceased to be open")
    func neverFinished() throws {
        let decided = Date(timeIntervalSince1970: 1_700_000_000)
        func softAfter(_ moments: [(from: Double, commitment: Commitment)]) throws -> Double? {
            let (employee, project) = (EmployeeID(), ProjectID())
            let earlier = zip(moments, moments.dropFirst()).map { version, next in
                EarlierBooking(
                    validFrom: decided + version.from, validUntil: decided + next.from, employeeId: employee,
                    projectId: project, allocatedHours: 8, hoursPerDay: nil, allocationPercentage: nil,
                    commitment: version.commitment, isCancelled: false, startDate: CivilDate(decided), endDate: nil)
            }
            let learned = Forecasting.Allocation(
                Contracts.Allocation(
                    id: AllocationID(), externalId: "b", employeeId: employee, projectId: project,
                    allocationPercentage: nil, allocatedHours: 8, plannedHours: 8, actualHours: nil,
                    commitment: try #require(moments.last).commitment, requiredSkills: [], labels: [:],
                    startDate: CivilDate(decided), endDate: nil, completedAt: nil, createdAt: decided,
                    earlier: earlier.isEmpty ? nil : earlier))
            // A dataset of an earlier moment does not know it yet.
            if let soft = learned.softSince {
                for (moment, isKnown) in [(soft + 1, true), (soft, false)] where moment > learned.decidedAt {
                    var source = DatasetSource(months: 240, asOf: Date(timeIntervalSince1970: moment))
                    try source.add(.allocation(learned))
                    let text = try DatasetContent(source).allChunks()
                        .map { String(decoding: $0.content, as: UTF8.self) }.joined()
                    #expect(text.contains("softSince") == isKnown)
                }
            }
            return learned.softSince.map { $0 - decided.timeIntervalSince1970 }
        }
        #expect(try softAfter([(0, .hard)]) == nil)
        #expect(try softAfter([(0, .soft)]) == 0)
        #expect(try softAfter([(0, .hard), (50, .soft)]) == 50)
        #expect(try softAfter([(0, .soft), (20, .hard), (50, .soft), (90, .soft)]) == 50)
        #expect(try softAfter([(0, .soft), (50, .hard)]) == nil)
        func facts(_ statuses: [ProjectStatus]) throws -> ProjectFacts {
            let earlier = statuses.dropLast().enumerated().map { index, status in
                ProjectVersion(
                    validFrom: decided + Double(index), validUntil: decided + Double(index + 1), status: status,
                    startDate: nil, estimatedEndDate: nil, endDate: nil)
            }
            return ProjectFacts(
                HistoryProject(
                    id: ProjectID(), externalId: "p", name: "P", status: try #require(statuses.last),
                    completionPercentage: nil, startDate: nil, estimatedEndDate: nil, endDate: nil, requiredSkills: [],
                    earlierVersions: earlier))
        }
        let begun = decided.timeIntervalSince1970
        #expect(try facts([.inProgress]).closedSince == nil)
        #expect(try facts([.inProgress, .completed, .cancelled]).closedSince == begun + 1)
        #expect(try facts([.completed, .inProgress, .completed]).closedSince == begun + 2)
        #expect(try facts([.completed, .inProgress]).closedSince == nil)
        let known = try facts([.onHold, .cancelled])
        #expect(known.isClosed(before: begun + 2) && !known.isClosed(before: begun + 1))
        #expect(try facts([.completed]).isClosed(before: begun))
    }

    @Test("lines that are all alike are cut at a greatest number of lines and of bytes")
    func largestChunk() {
        var cutter = ChunkCutter()
        let (short, long) = (Array("{}\n".utf8), [UInt8](repeating: 32, count: 300_000) + Array("{}\n".utf8))
        let all = cutter.take(Array(repeating: short, count: 10_000).flatMap { $0 })
        #expect(
            all.map(\.lineCount).allSatisfy { $0 == 1 }
                || all.map(\.lineCount).prefix(4) == [2_048, 2_048, 2_048, 2_048])
        _ = cutter.rest()
        let large = cutter.take(Array(repeating: long, count: 8).flatMap { $0 })
        #expect(large.allSatisfy { $0.content.count < 1_048_576 + 300_003 })
        #expect(large.reduce(cutter.rest()?.lineCount ?? 0) { $0 + $1.lineCount } == 8)
    }

    @Test("a dataset names the label keys that its lines have, and counts the features of them")
    func labelKeys() throws {
        var source = DatasetSource(months: 240, asOf: asOf)
        try source.add(allocation(1, completed: 1_750_000_000, labels: ["wrong": "yes"]))
        try source.add(allocation(1, completed: 1_750_000_000, labels: ["team": "a", "priority": "1"]))
        let content = try DatasetContent(source)
        #expect(content.labelKeys == ["priority", "team"])
        let schema = FeatureSchema(withPlan: true, labelKeys: ["priority", "team"])
        #expect(content.featureCount == schema.features.count)
    }

    @Test("outcomes as of the dataset's moment or later are said to be left out")
    func leftOut() throws {
        var source = DatasetSource(months: 240, asOf: asOf)
        try source.add(allocation(1, completed: 1_799_999_999))
        #expect(try !DatasetContent(source).leavesOutOutcomes)
        try source.add(allocation(2, completed: 1_800_000_000))
        let content = try DatasetContent(source)
        #expect(
            content.leavesOutOutcomes && content.outcomes == OutcomeFingerprints(ids: ["a1"]) && content.lineCount == 2)
    }

    @Test("a history that exceeds memory is spilt to disk, and the dataset is the same", arguments: [0, 20_000])
    func spilled(memoryBytes: Int) throws {
        func content(memoryBytes: Int) throws -> (DatasetContent, hasSpilled: Bool) {
            var source = DatasetSource(months: 240, asOf: asOf, memoryBytes: memoryBytes)
            for index in 0..<500 {
                try source.add(.employee(EmployeeFacts(id: "e\(index)")))
                // Of the same id as a person, and yet another thing.
                try source.add(.project(ProjectFacts(id: "e\(index)")))
                try source.add(.capacity(CapacityDay(employee: "e\(index % 9)", day: Double(index), utilisation: 50)))
                // Decided at another time than is said later, or gone later.
                try source.add(allocation(index + 3, labels: ["wrong": "yes"]))
            }
            for index in 0..<500 {
                // Some are longer than what is read from disk at once.
                let skills = [String](repeating: "a skill", count: index % 50 == 1 ? 20_000 : 2)
                try source.add(allocation(index, completed: index % 3 == 0 ? nil : 1_750_000_000, skills: skills))
                if index % 5 == 0 { try source.add(.allocationRemoved(id: "a\(index)")) }
                if index % 7 == 0 { try source.add(.employeeRemoved(id: "e\(index)")) }
                if index % 11 == 0 { try source.add(.projectRemoved(id: "e\(index)")) }
                if index % 13 == 0 { try source.add(.capacityRemoved(employee: "e\(index % 9)", day: Double(index))) }
            }
            for index in 500..<503 { try source.add(.allocationRemoved(id: "a\(index)")) }
            return (try DatasetContent(source), source.hasSpilled)
        }
        let (held, isHeld) = try content(memoryBytes: 64 << 20)
        let (spilled, hasSpilled) = try content(memoryBytes: memoryBytes)
        #expect(!isHeld && hasSpilled)
        let areSame = try held.allChunks() == spilled.allChunks()
        #expect(areSame && held.contentSHA256 == spilled.contentSHA256 && held.outcomes == spilled.outcomes)
        #expect(held.featureCount == spilled.featureCount)

        let lines = try spilled.allChunks().flatMap { chunk in
            try chunk.content.split(separator: UInt8(ascii: "\n")).map { try DatasetLine(parsing: $0) }
        }
        let kept = (0..<500).filter { $0 % 5 != 0 }
        let allocations = lines.compactMap { line in
            if case .allocation(let allocation) = line { allocation } else { nil }
        }
        #expect(Set(allocations.map(\.id)) == Set(kept.map { "a\($0)" }) && allocations.count == kept.count)
        #expect(zip(allocations, allocations.dropFirst()).allSatisfy { ($0.decidedAt, $0.id) < ($1.decidedAt, $1.id) })
        #expect(allocations.allSatisfy { $0.labels.isEmpty })
        #expect(spilled.rowCount == kept.filter { $0 % 3 != 0 }.count && spilled.lineCount == lines.count)
        let kinds = lines.map { line in
            switch line {
            case .employee: 0
            case .project: 1
            case .capacity: 2
            case .allocation: 3
            }
        }
        for (kind, gone) in [(0, 7), (1, 11), (2, 13)] {
            #expect(kinds.count { $0 == kind } == (0..<500).count { $0 % gone != 0 })
        }
        #expect(kinds == kinds.sorted())
    }

    @Test("a spill file has no name in the file system")
    func nameless() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("spill-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        var source = DatasetSource(months: 240, asOf: asOf, memoryBytes: 100, directory: directory)
        for index in 0..<10 { try source.add(allocation(index)) }
        let content = try DatasetContent(source)
        #expect(source.hasSpilled)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        #expect(try content.allChunks().map(\.lineCount) == [10])
    }

    @Test("memory's limit without a directory to put more aside in is an error, not a dataset with less")
    func noDirectory() throws {
        var source = DatasetSource(
            months: 240, asOf: asOf, memoryBytes: 100, directory: URL(filePath: "/nonexistent/spill"))
        #expect(throws: SpillError.self) { for index in 0..<10 { try source.add(allocation(index)) } }
    }

    @Test("a feed that breaks gives no dataset")
    func broken() async {
        let (stream, feed) = AsyncThrowingStream.makeStream(of: HistoryChange.self)
        feed.yield(allocation(1))
        feed.finish(throwing: HistoryFeedCheckTests.Broken())
        await #expect(throws: HistoryFeedCheckTests.Broken.self) {
            try await DatasetContent.collect(stream, months: 6, asOf: asOf)
        }
    }
}

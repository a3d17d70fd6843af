import Contracts
import Forecasting
import Foundation
import NIOCore
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining
@testable import ServiceStorage

/// Chunks that datasets share, on their way through an archive.
@Suite struct SharedContentArchiveTests {
    private let tenant = TenantID()

    private func export(_ kind: ArchiveKind, of tenant: TenantID, _ fixture: TrainingDatabase) async throws -> [String]
    {
        let archive = ServiceArchive(database: fixture.database, files: TrainingArchive.files)
        var bytes: [UInt8] = []
        try await archive.send(try archive.file(kind), of: tenant) { bytes += $0.readableBytesView }
        return try bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            if case .row(let text) = try WireJSON.decode(ArchiveLine.self, from: line) { text } else { nil }
        }
    }

    private func restore(
        _ kind: ArchiveKind, _ lines: [String], into tenant: TenantID, by size: Int = 7, _ fixture: TrainingDatabase
    ) async throws {
        let archive = ServiceArchive(database: fixture.database, files: TrainingArchive.files)
        for start in stride(from: 0, to: lines.count, by: size) {
            let part = Array(lines[start..<min(start + size, lines.count)])
            let rows = ArchiveRows(
                kind: kind, lines: part, firstLine: start + 1, isEnd: start + part.count == lines.count)
            _ = try await archive.restore(rows, into: tenant)
        }
    }

    /// Of three days that follow each other.
    private func datasets(_ fixture: TrainingDatabase) async throws -> [Dataset] {
        var (history, kept) = (GrowingHistory(days: 150), [Dataset]())
        for _ in 0..<3 {
            kept.append(try history.dataset())
            try await fixture.keep(kept[kept.count - 1], of: tenant)
            history.addDay()
        }
        return kept
    }

    @Test(
        "a chunk that several datasets hold is in an archive once, and the restored datasets share it again",
        arguments: [1, 50])
    func shared(size: Int) async throws {
        try await TrainingDatabase.with { fixture in
            let (kept, copy) = (try await datasets(fixture), TenantID())
            let chunks = try await fixture.chunks(of: tenant)
            let lines = try await export(.datasetContent, of: tenant, fixture)
            #expect(lines.count { $0.contains(#""repeats""#) } == chunks.uses - chunks.count)
            // A long chunk is several lines.
            #expect(lines.count { $0.contains(#""piece": 0"#) } == chunks.count)
            let records = try await export(.datasets, of: tenant, fixture)
            try await restore(.datasets, records, into: copy, fixture)
            for _ in 0..<2 { try await restore(.datasetContent, lines, into: copy, by: size, fixture) }

            #expect(try await fixture.chunks(of: copy) == chunks)
            #expect(try await export(.datasetContent, of: copy, fixture) == lines)
            for dataset in kept {
                let history = try await fixture.datasets.history(dataset.id, tenant: copy)
                #expect(history.allocationCount == (try dataset.content.history()).allocationCount)
            }
            #expect(try await fixture.count("restored_contents", of: copy) == 0)
            #expect(try await fixture.count("restored_pieces", of: copy) == 0)
        }
    }

    @Test("a line that repeats another tenant's chunk, or one that has not come, is refused")
    func foreign() async throws {
        try await TrainingDatabase.with { fixture in
            _ = try await datasets(fixture)
            let copy = TenantID()
            let lines = try await export(.datasetContent, of: tenant, fixture)
            try await restore(.datasets, try await export(.datasets, of: tenant, fixture), into: copy, fixture)
            let repeats = lines.filter { $0.contains(#""repeats""#) }
            let refused = await #expect(throws: ProblemError.self) {
                try await restore(.datasetContent, repeats, into: copy, by: 1, fixture)
            }
            #expect(refused?.sentence.contains("Line 1 of dataset_content.ndjson repeats what has not come") == true)
            #expect(try await fixture.count("dataset_chunk_uses", of: copy) == 0)
        }
    }

    @Test("a dataset with a chunk at another place, or of another length, than it says is refused and gone")
    func misplaced() async throws {
        try await TrainingDatabase.with { fixture in
            let dataset = try GrowingHistory(days: 150).dataset()
            try await fixture.keep(dataset, of: tenant)
            let lines = try await export(.datasetContent, of: tenant, fixture)
            let records = try await export(.datasets, of: tenant, fixture)
            let last = try #require(lines.last)
            let count = try #require(last.firstMatch(of: /"lines": (\d+)/)?.1).description
            var forged = lines
            forged[lines.count - 1] = last.replacing(#""lines": \#(count)"#, with: #""lines": \#(Int(count)! + 1)"#)
            forged[0] = lines[0].replacing(
                /"lines": (\d+)/, with: { #""lines": \#(Int($0.1)! - 1)"# })
            let wrong = forged
            let copy = TenantID()
            try await restore(.datasets, records, into: copy, fixture)
            let refused = await #expect(throws: ProblemError.self) {
                try await restore(.datasetContent, wrong, into: copy, fixture)
            }
            #expect(refused?.sentence.contains("ends a dataset whose content has not the digest") == true)
            #expect(try await fixture.count("dataset_chunk_uses", of: copy) == 0)
            try await restore(.datasetContent, lines, into: copy, fixture)
            #expect(try await fixture.datasets.history(dataset.id, tenant: copy).allocationCount == 1_800)
        }
    }

    @Test("the archive of an earlier release is restored, and its chunks are cut anew")
    func earlierRelease() async throws {
        try await TrainingDatabase.with { fixture in
            let (dataset, copy) = (try GrowingHistory(days: 150).dataset(), TenantID())
            try await fixture.keep(dataset, of: tenant)
            let chunks = try await fixture.chunks(of: tenant)
            try await fixture.keepAsFormerly(dataset, of: tenant)
            let lines = try await export(.datasetContent, of: tenant, fixture)
            #expect(lines.allSatisfy { !$0.contains(#""line":"#) } && lines.count > 2)
            try await restore(.datasets, try await export(.datasets, of: tenant, fixture), into: copy, fixture)
            for _ in 0..<2 { try await restore(.datasetContent, lines, into: copy, fixture) }
            #expect(try await fixture.count("former_dataset_chunks", of: copy) == 3)
            #expect(try await fixture.datasets.history(dataset.id, tenant: copy).allocationCount == 1_800)

            try await fixture.upkeep().lookAfter(copy)
            #expect(try await fixture.chunks(of: copy) == chunks)
            #expect(try await fixture.datasets.history(dataset.id, tenant: copy).allocationCount == 1_800)
            // Once more: it is whole.
            try await restore(.datasetContent, lines, into: copy, fixture)
            #expect(try await fixture.count("former_dataset_chunks", of: copy) == 0)
        }
    }
}

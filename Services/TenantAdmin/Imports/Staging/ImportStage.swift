import Contracts
import Foundation
import NIOCore

/// A file's bytes turned into the lines of a COPY, chunk by chunk, with the bad rows left out and counted.
struct ImportStage: Sendable {
    private var reader: ImportRowReader
    private let parser: ImportRowParser
    private let tally: ImportTally
    private var cleared: Set<String> = []

    /// - Parameter zone: of the tenant, whose days the dates are.
    init(plan: ImportPlan, format: ImportFormat, zone: TimeZone, tally: ImportTally) {
        reader = ImportRowReader(plan: plan, format: format)
        parser = ImportRowParser(plan: plan, zone: zone)
        self.tally = tally
    }

    /// Spools the good rows of the whole file.
    /// - Throws: `ImportFileError` when nothing of the file can be trusted; what `body` throws when it breaks off.
    mutating func run<Body: AsyncSequence>(_ body: Body, to spool: Spool) async throws
    where Body.Element == ByteBuffer {
        for try await buffer in body {
            tally.received(bytes: buffer.readableBytes)
            try await spool.append(lines(of: try reader.read(buffer.readableBytesView)))
        }
        // A body whose reader was cancelled ends like one that is whole.
        try Task.checkCancellation()
        try await spool.append(lines(of: try reader.finish()))
    }

    private mutating func lines(of rows: [ImportRow]) -> [UInt8] {
        var copy: [UInt8] = []
        var (errors, warnings): ([ImportRowError], [ImportRowError]) = ([], [])
        var rejected = 0
        for row in rows {
            let outcome = parser.append(row, decimals: reader.decimals, to: &copy)
            cleared.formUnion(outcome.cleared)
            if warnings.count < ImportTally.maximumNotes { warnings += outcome.warnings }
            if outcome.errors.isEmpty { continue }
            rejected += 1
            if errors.count < ImportTally.maximumNotes { errors += outcome.errors }
        }
        tally.count(
            rows: rows.count, rejected: rejected, errors: errors, warnings: warnings,
            columns: ImportColumns(named: reader.named, cleared: cleared))
        return copy
    }
}

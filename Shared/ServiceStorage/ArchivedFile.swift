public import Contracts
public import Postgres
public import ServiceKit

/// One file of a tenant's archive, as the service that has its rows writes it and takes it back.
public struct ArchivedFile: Sendable {
    let kind: ArchiveKind
    let parts: @Sendable (PostgresConnection) async throws -> [SQL]
    let keep: @Sendable (ArchiveRows, PostgresConnection) async throws -> ProblemError?

    /// - Parameters:
    ///   - parts: queries that give the file's lines in their order, as the column `line`, one query after the other.
    ///   - keep: keeps the lines that it is given and does nothing about those that are there. It may return a refusal, which is
    ///     answered after what it wrote is committed; what it throws is answered too, and then nothing is written.
    public init(
        _ kind: ArchiveKind, parts: @escaping @Sendable (PostgresConnection) async throws -> [SQL],
        keep: @escaping @Sendable (ArchiveRows, PostgresConnection) async throws -> ProblemError?
    ) {
        self.kind = kind
        self.parts = parts
        self.keep = keep
    }

    /// - Parameters:
    ///   - export: gives the file's lines in their order, as the column `line`.
    ///   - restore: keeps the lines that it is given as `(line, number)` and does nothing about those that are there.
    public init(_ kind: ArchiveKind, export: SQL, restore: @escaping @Sendable (SQL) -> SQL) {
        self.init(kind, parts: { _ in [export] }) { rows, connection in
            try await connection.execute(restore(rows.table))
            return nil
        }
    }
}

extension ArchiveRows {
    /// The lines as `lines (line, number)`; numbers are those of the file.
    public var table: SQL {
        """
        (SELECT line, place + \((firstLine ?? 1) - 1) AS number
            FROM unnest(\(lines)::text[]) WITH ORDINALITY AS given (line, place)) AS lines
        """
    }

    /// 422, naming the file and the line.
    /// - Parameter number: as of ``table``.
    public func refusal(line number: Int, _ reason: String) -> ProblemError {
        .validation("Line \(number)", "of \(kind.rawValue).ndjson \(reason)")
    }

    /// 422 for lines of which it is not known which one is wrong.
    var refusal: ProblemError {
        let first = firstLine ?? 1
        let last = first + max(0, lines.count - 1)
        return .validation(
            first == last ? "Line \(first)" : "A line of \(first) to \(last)",
            "is none of an export's \(kind.rawValue).ndjson, or names what has not been restored")
    }
}

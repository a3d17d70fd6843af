import Foundation
import Postgres

/// A consumer's position in a tenant's history: all commits up to `number` were received.
///
/// Numbers are given in the order in which commits become visible (`feed_commits` of the tenant's schema). The token was
/// drawn at random with the number: after a restore, a fail-over or a disk rolled back, the history has another token at that
/// number or none, so the watermark is not recognised and the consumer reloads everything. Nothing here depends on the
/// database cluster.
struct HistoryWatermark: Sendable, Equatable, CustomStringConvertible {
    let number: Int
    let token: UUID

    init(number: Int, token: UUID) {
        self.number = number
        self.token = token
    }

    /// nil for a text that is no watermark.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(parts[0]), number >= 0, let token = UUID(uuidString: String(parts[1]))
        else { return nil }
        self.init(number: number, token: token)
    }

    var description: String { "\(number).\(token.uuidString.lowercased())" }

    /// Of rows that were changed after this. An array, so that the few rows are found by the index on `changed_in` however large
    /// the table is.
    var later: SQL { "changed_in = ANY (array(SELECT transaction_id FROM feed_commits WHERE number > \(number)))" }

    /// Of the snapshot that the transaction under way reads.
    static func current(on connection: PostgresConnection) async throws -> HistoryWatermark {
        let rows = try await connection.query("SELECT number, token FROM feed_head")
        return HistoryWatermark(number: try rows[0].decode("number"), token: try rows[0].decode("token"))
    }

    /// Whether the present history continues from this position.
    func isKnown(on connection: PostgresConnection) async throws -> Bool {
        let rows = try await connection.query(
            "SELECT EXISTS (SELECT FROM feed_commits WHERE number = \(number) AND token = \(token)) AS is_known")
        return try rows[0].decode("is_known")
    }
}

import Foundation
import Postgres

extension SQL {
    /// The rows of a table of the history feed that have changed at a moment or later, or become visible then: those of a long import
    /// carry the time at which it began, and nobody could see them before its end.
    /// - Parameter alias: of the table, with a full stop; none where its columns need none.
    static func changed(since moment: Date, in alias: SQL = "") -> SQL {
        // Numbers are given in the order in which commits become visible.
        """
        (\(sql: alias)updated_at >= \(moment) OR \(sql: alias)changed_in = ANY (array(
            SELECT transaction_id FROM feed_commits WHERE number > coalesce((
                SELECT number FROM feed_commits WHERE committed_at < \(moment) ORDER BY number DESC LIMIT 1), -1))))
        """
    }
}

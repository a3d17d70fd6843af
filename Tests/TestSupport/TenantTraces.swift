import Foundation
import Postgres

/// Looks for a text in every column of every table of a database, as a superuser.
public enum TenantTraces {
    /// - Returns: the tables in which it stands.
    public static func tables(holding text: String, in url: String) async throws -> [String] {
        try await PostgresCluster.withPool(on: url) { pool in try await tables(holding: text, pool) }
    }

    private static func tables(holding text: String, _ pool: PostgresPool) async throws -> [String] {
        try await pool.withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                ORDER BY 1, 2
                """)
            var found: [String] = []
            for row in rows {
                let (schema, table) = (try row.decode(at: 0, as: String.self), try row.decode(at: 1, as: String.self))
                let hits = try await connection.query(
                    """
                    SELECT count(*) FROM \(identifier: schema).\(identifier: table) t
                    WHERE t::text ILIKE \("%\(text)%") OR t::text ILIKE \("%\(text.replacing("-", with: ""))%")
                    """)
                if try hits[0].decode(at: 0, as: Int.self) > 0 { found.append("\(schema).\(table)") }
            }
            return found
        }
    }
}

import Postgres

extension SQL {
    /// The end of a query of rows that are locked for a change, or only read.
    static func lock(_ isLocked: Bool, of alias: SQL? = nil) -> SQL {
        guard isLocked else { return "" }
        return alias.map { "FOR UPDATE OF \(sql: $0)" } ?? "FOR UPDATE"
    }
}

import Postgres

extension SQL {
    /// What makes two e-mail addresses one person's: `EmailAddress.key` of an SQL expression.
    static func addressKey(_ address: SQL) -> SQL { "replace(folded(\(sql: address)), 'ß', 'ss')" }
}

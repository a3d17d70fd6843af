public import Contracts
public import Postgres

/// All rows of one tenant in a service's own schema: those of every table that has a `tenant_id`.
public enum TenantRows {
    /// The tables cannot be put in an order in which no foreign key stands in the way.
    struct CircularReferences: Error, CustomStringConvertible {
        let tables: [String]
        var description: String { "the tables \(tables.joined(separator: ", ")) refer to each other in a circle" }
    }

    /// Removes them in the current transaction.
    /// - Returns: how many were removed, without those that went with them by a cascade.
    public static func remove(_ tenant: TenantID, from schema: String, on connection: PostgresConnection) async throws
        -> Int
    {
        let rows = try await connection.query(
            """
            select c.relname as name, array(select p.relname::text from pg_constraint f join pg_class p on p.oid = f.confrelid
                -- A deferrable one is checked at the commit, when all are gone.
                where f.conrelid = c.oid and f.contype = 'f' and not f.condeferrable and p.oid <> c.oid) as parents
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
                join pg_attribute a on a.attrelid = c.oid
            where n.nspname = \(schema) and c.relkind in ('r', 'p') and a.attname = 'tenant_id' and not a.attisdropped
            order by c.relname
            """)
        let parents = try Dictionary(
            uniqueKeysWithValues: rows.map {
                (try $0.decode("name", as: String.self), try $0.decode("parents", as: [String].self))
            })
        var removed = 0
        for table in try childrenFirst(parents) {
            removed += try await connection.execute(
                "delete from \(identifier: schema).\(identifier: table) where tenant_id = \(tenant)")
        }
        return removed
    }

    /// - Parameter parents: by table, those it refers to.
    static func childrenFirst(_ parents: [String: [String]]) throws -> [String] {
        var waiting = parents
        var order: [String] = []
        while !waiting.isEmpty {
            let referredTo = Set(waiting.values.joined())
            let next = waiting.keys.filter { !referredTo.contains($0) }.sorted()
            guard !next.isEmpty else { throw CircularReferences(tables: waiting.keys.sorted()) }
            order += next
            for table in next { waiting[table] = nil }
        }
        return order
    }
}

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
            SELECT c.relname AS name, array(SELECT p.relname::text FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
                -- A deferrable one is checked at the commit, when all are gone.
                WHERE f.conrelid = c.oid AND f.contype = 'f' AND NOT f.condeferrable AND p.oid <> c.oid) AS parents
            -- By pg_depend, which is indexed by schema: the catalogue has some hundred objects of every tenant.
            FROM pg_namespace n
                JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
                    AND d.classid = 'pg_class'::regclass
                JOIN pg_class c ON c.oid = d.objid
                JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE n.nspname = \(schema) AND c.relkind IN ('r', 'p') AND a.attname = 'tenant_id' AND NOT a.attisdropped
            ORDER BY c.relname
            """)
        let parents = try Dictionary(
            uniqueKeysWithValues: rows.map {
                (try $0.decode("name", as: String.self), try $0.decode("parents", as: [String].self))
            })
        var removed = 0
        for table in try childrenFirst(parents) {
            removed += try await connection.execute(
                "DELETE FROM \(identifier: schema).\(identifier: table) WHERE tenant_id = \(tenant)")
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

import Postgres

/// Temporary copies of the tables that an import reads again after it has written them: a dry run writes the copies, which are gone with its
/// transaction and leave no dead rows in the tenant's tables.
///
/// A copy has its table's name, and an unqualified name means a temporary table before any other, unless the search path says otherwise. So
/// once the copies stand in, the import's own statements write and read them, and so do the functions that rows of `people` go through.
struct ImportCopies: Sendable {
    /// A table, and which of its rows the file can come to.
    struct Copy: Sendable {
        let table: String
        /// Those that are copied, where others are generated; all when none are named.
        var columns: [String] = []
        /// A condition on `t`.
        var rows: SQL = "true"
    }

    private let copies: [Copy]
    private let home: TenantNames

    /// - Parameter copies: none where nothing is written, or the tables themselves are.
    init(_ copies: [Copy], of home: TenantNames) {
        self.copies = copies
        self.home = home
    }

    var isEmpty: Bool { copies.isEmpty }

    /// Makes them, without rows, as the service: a tenant's role may make no temporary tables, and the service may read the template
    /// alone.
    /// - Throws: 503 while the template is being migrated.
    func make(on connection: PostgresConnection) async throws {
        guard !isEmpty else { return }
        try await TenantSchemas.readTemplate(on: connection)
        try await connection.executeBatch(
            copies.flatMap { copy -> [SQL] in
                [
                    """
                    CREATE TEMP TABLE \(identifier: copy.table)
                        (LIKE \(identifier: TenantNames.template, copy.table) INCLUDING ALL) ON COMMIT DROP
                    """,
                    """
                    GRANT SELECT, INSERT, UPDATE, DELETE ON \(identifier: "pg_temp", copy.table) TO \(identifier: home.role)
                    """,
                ]
            })
    }

    /// As ``TenantDatabase/enter(_:on:)``: names mean the tables themselves.
    func enter(on connection: PostgresConnection) async throws {
        try await connection.setLocal(role: home.role, searchPath: [home.schema] + (isEmpty ? [] : ["pg_temp"]))
    }

    /// Fills the copies; from here on names mean them.
    func standIn(on connection: PostgresConnection) async throws {
        for copy in copies {
            let columns = copy.columns.map { "\(identifier: $0)" as SQL }.joined(separator: ", ")
            let isWhole = copy.columns.isEmpty
            try await connection.execute(
                """
                INSERT INTO \(identifier: "pg_temp", copy.table) \(sql: isWhole ? "" : "(\(sql: columns))")
                SELECT \(sql: isWhole ? "t.*" : columns) FROM \(identifier: copy.table) t WHERE \(sql: copy.rows)
                """)
        }
        try await connection.setLocal(searchPath: ["pg_temp", home.schema])
        // Plans that were made before mean the tables themselves, those of functions too.
        try await connection.execute("DISCARD PLANS")
    }
}

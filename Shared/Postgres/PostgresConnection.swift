import Logging

/// A connection lent by ``PostgresPool`` for the duration of a closure.
///
/// It may be passed to other tasks, but does one thing at a time: a second operation while one runs, or while a stream
/// is open, throws `connectionBusy`; any use after the closure has returned throws `connectionReturned`. If the calling
/// task is cancelled the statement is cancelled at the server and `cancelled` is thrown.
public final class PostgresConnection: Sendable {
    let session: ServerSession
    let lease: UInt64
    let logger: Logger

    init(session: ServerSession, lease: UInt64, logger: Logger) {
        self.session = session
        self.lease = lease
        self.logger = logger
    }

    /// Runs one statement.
    /// - Returns: the number of rows it affected (or returned).
    @discardableResult
    public func execute(_ query: SQL, file: String = #fileID, line: Int = #line) async throws -> Int {
        try await located(file, line) {
            try await session.query(lease: lease, try RenderedSQL(query)).affectedRows
        }
    }

    /// Runs one statement and gives all its rows. For results that do not fit in memory use ``stream(_:)``.
    public func query(_ query: SQL, file: String = #fileID, line: Int = #line) async throws -> [PostgresRow] {
        try await located(file, line) {
            let statement = try RenderedSQL(query)
            return PostgresRow.all(of: try await session.query(lease: lease, statement), statement)
        }
    }

    /// Runs statements in order in one round trip and gives the rows of each.
    /// - Parameter prepared: whether all are prepared, as those of ``query(_:)`` are, each in a round trip when it is new; false for
    ///   statements that this connection will hardly run again.
    /// - Throws: the first failure, its `batchIndex` naming the statement; none of those after it is run.
    public func queries(
        _ queries: [SQL], prepared: Bool = true, file: String = #fileID, line: Int = #line
    ) async throws -> [[PostgresRow]] {
        try await located(file, line) {
            let statements = try queries.map { try RenderedSQL($0) }
            let results = try await session.batch(lease: lease, statements, preparing: prepared ? .all : .none)
            return zip(results, statements).map { PostgresRow.all(of: $0, $1) }
        }
    }

    /// Runs one statement and gives its rows as they arrive, in bounded memory: a slow reader slows the server. Nothing is
    /// sent before the first row is asked for. Until the end, or until the iterator is gone, the connection is busy.
    public func stream(_ query: SQL) -> PostgresRowSequence {
        PostgresRowSequence(connection: self, query: query)
    }

    /// Runs statements in order without waiting for one answer before sending the next. Outside a transaction they are
    /// all or nothing.
    /// - Throws: the first failure, its `batchIndex` naming the statement; none of those after it is run.
    public func executeBatch(_ queries: [SQL], file: String = #fileID, line: Int = #line) async throws {
        _ = try await rowsAffected(byBatch: queries, file: file, line: line)
    }

    /// The same.
    /// - Returns: for each statement the number of rows it affected (or returned).
    public func rowsAffected(byBatch queries: [SQL], file: String = #fileID, line: Int = #line) async throws -> [Int] {
        try await located(file, line) {
            try await session.batch(lease: lease, try queries.map { try RenderedSQL($0) }, preparing: .repeated)
                .map(\.affectedRows)
        }
    }

    /// Runs several statements given as plain text without binds, in one round trip, for migrations and set-up. Outside a
    /// transaction they are all or nothing. Never build the text from data.
    public func executeScript(_ sql: String, file: String = #fileID, line: Int = #line) async throws {
        _ = try await commands(ofScript: sql, file: file, line: line)
    }

    /// As ``executeScript(_:)``.
    /// - Returns: the command tag of each statement, such as `CREATE TABLE`.
    func commands(ofScript sql: String, file: String = #fileID, line: Int = #line) async throws -> [String] {
        guard !sql.utf8.contains(0) else { throw PostgresError(.encoding, "The script contains a NUL character.") }
        return try await located(file, line) { try await session.script(lease: lease, sql) }
    }

    /// Sets role, search path and other settings until the end of the current transaction, in one round trip.
    /// - Parameters:
    ///   - role: the role to act as.
    ///   - searchPath: the schemas unqualified names are looked up in, unquoted.
    ///   - settings: other settings by name, such as the one row-level security reads.
    public func setLocal(
        role: String? = nil, searchPath: [String]? = nil, settings: [String: String] = [:],
        file: String = #fileID, line: Int = #line
    ) async throws {
        try await located(file, line) {
            var all = settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
            if let searchPath {
                all.append(("search_path", try searchPath.map { try Quoting.identifier($0) }.joined(separator: ", ")))
            }
            try await session.setLocal(lease: lease, role: role, settings: all)
        }
    }

    /// Adds the place of the call to errors that name none yet.
    func located<R>(_ file: String, _ line: Int, _ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as PostgresError {
            throw error.at(file: file, line: line)
        }
    }
}

/// Everything that can go wrong in this library.
///
/// `description` names what happened without data, so it is safe to show or log; `debugDescription` adds the server's
/// own words, which may quote values, and the text of the statement. Bound values are never part of either.
public struct PostgresError: Error, Sendable {
    /// What kind of trouble it is. Compare with `==`; more codes may be added.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String {
            case invalidConfiguration, connectionFailed, connectionLost, connectionBusy, connectionReturned
            case poolExhausted, poolClosed, cancelled, timedOut, server, transactionAborted
            case encoding, decoding, protocolViolation, migration, schemaPending
        }

        private let name: Name
        public var description: String { name.rawValue }

        /// The connection URL or another setting is not usable.
        public static let invalidConfiguration = Code(name: .invalidConfiguration)
        /// No connection could be made: refused, unreachable, wrong password, server starting up.
        public static let connectionFailed = Code(name: .connectionFailed)
        /// The connection broke while in use. If it broke during a commit, whether the commit happened is unknown.
        public static let connectionLost = Code(name: .connectionLost)
        /// A second operation was started on a connection while one was still running.
        public static let connectionBusy = Code(name: .connectionBusy)
        /// A connection was used after the closure it was lent to had returned.
        public static let connectionReturned = Code(name: .connectionReturned)
        /// All connections stayed in use for longer than the acquire timeout.
        public static let poolExhausted = Code(name: .poolExhausted)
        /// The pool is closing or closed.
        public static let poolClosed = Code(name: .poolClosed)
        /// The Swift task was cancelled; the statement was cancelled at the server.
        public static let cancelled = Code(name: .cancelled)
        /// The server stopped the statement: its `statement_timeout`, or an operator's `pg_cancel_backend`.
        public static let timedOut = Code(name: .timedOut)
        /// The server refused the statement; see `sqlState`.
        public static let server = Code(name: .server)
        /// A commit was asked for but the transaction had already failed, so it was rolled back.
        public static let transactionAborted = Code(name: .transactionAborted)
        /// A value or identifier cannot be sent to the server.
        public static let encoding = Code(name: .encoding)
        /// A column is missing, is NULL where a value is needed, or does not hold the type asked for.
        public static let decoding = Code(name: .decoding)
        /// The server answered with something this library did not ask for.
        public static let protocolViolation = Code(name: .protocolViolation)
        /// Migrations cannot be loaded or applied; nothing of the failing file remains.
        public static let migration = Code(name: .migration)
        /// A table, column or function is not there yet: the migrations that make it have not been applied.
        public static let schemaPending = Code(name: .schemaPending)
    }

    public var code: Code
    /// One sentence free of data values.
    public var message: String
    /// The five-character SQLSTATE if the server reported one, for example `23505` for a unique violation.
    public var sqlState: String?
    public var schemaName: String?
    public var tableName: String?
    public var columnName: String?
    public var constraintName: String?
    /// The server's own message, detail, hint and context. May quote data values.
    public var serverMessage: String?
    public var detail: String?
    public var hint: String?
    public var context: String?
    /// The statement's text, with `$1`, `$2` … for the bound values.
    public var statement: String?
    /// The position of the failing query in the array given to `executeBatch`.
    public var batchIndex: Int?
    public var underlying: (any Error)?
    /// Where the operation was called.
    public var file: String?
    public var line: Int?
    /// The server function that raised the error: the only language-independent way to tell some errors apart.
    var serverRoutine: String?

    public init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    /// The SQLSTATE of a server whose disk is full.
    public static let diskFull = "53100"

    /// Whether the statement names a schema, table, column, function or type that the server does not have.
    var namesUnknownObject: Bool {
        code == .server && ["3F000", "42P01", "42703", "42704", "42883"].contains(sqlState)
    }

    /// Whether the same transaction, run again from its start, may well succeed.
    public var isRetryable: Bool {
        sqlState == "40001" || sqlState == "40P01" || isStalePlan || isGrantUnheard
    }

    /// A role that was granted a moment ago: its row is there before other backends hear of the grant.
    private var isGrantUnheard: Bool {
        sqlState == "42501" && serverMessage?.hasPrefix("permission denied to set role") == true
    }

    /// A cached plan no longer fits its tables ("cached plan must not change result type").
    var isStalePlan: Bool { sqlState == "0A000" && serverRoutine == "RevalidateCachedQuery" }

    func at(file: String, line: Int) -> PostgresError {
        guard self.file == nil else { return self }
        var copy = self
        copy.file = file
        copy.line = line
        return copy
    }

    func running(_ statement: String) -> PostgresError {
        guard self.statement == nil else { return self }
        var copy = self
        copy.statement = statement
        return copy
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    public var description: String {
        var parts = [message]
        if let sqlState { parts.append("SQLSTATE \(sqlState)") }
        if let constraintName { parts.append("constraint \(constraintName)") }
        if let tableName { parts.append("table \(tableName)") }
        if let columnName { parts.append("column \(columnName)") }
        return parts[0] + (parts.count > 1 ? " (\(parts.dropFirst().joined(separator: ", ")))" : "")
    }

    public var debugDescription: String {
        var text = "PostgresError.\(code): \(description)"
        let facts: [(String, String?)] = [
            ("server", serverMessage), ("detail", detail), ("hint", hint), ("context", context),
            ("statement", statement), ("batch index", batchIndex.map { String($0) }),
            ("underlying", underlying.map { String(reflecting: $0) }),
        ]
        for case (let name, let value?) in facts { text += "; \(name): \(value)" }
        if let file, let line { text += "; at \(file):\(line)" }
        return text
    }
}

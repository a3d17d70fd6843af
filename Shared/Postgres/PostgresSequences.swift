/// The rows of ``PostgresConnection/stream(_:)``. Each iteration runs the statement anew.
public struct PostgresRowSequence: AsyncSequence, Sendable {
    public typealias Element = PostgresRow
    public typealias Failure = any Error

    let connection: PostgresConnection
    let query: SQL

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(connection: connection, query: query)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let connection: PostgresConnection
        private let query: SQL
        private var source: StreamHandle?
        private var columns: PostgresColumns?
        private var statement = ""
        private var rowCount = 0
        private var buffer: ArraySlice<LibpqResult> = []
        private var isFinished = false

        init(connection: PostgresConnection, query: SQL) {
            self.connection = connection
            self.query = query
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> PostgresRow? {
            if buffer.isEmpty {
                guard !isFinished else { return nil }
                // Set until rows have arrived, so that an iterator that threw stays at its end.
                isFinished = true
                let handle: StreamHandle
                if let source {
                    handle = source
                } else {
                    let rendered = try RenderedSQL(query)
                    statement = rendered.text
                    let stream = try await connection.session.openStream(lease: connection.lease, rendered)
                    handle = StreamHandle(stream)
                    source = handle
                }
                buffer = try await connection.session.nextRows(
                    lease: connection.lease, of: handle.stream, atMost: 256)[...]
                isFinished = buffer.isEmpty
            }
            guard let result = buffer.popFirst() else { return nil }
            let columns = self.columns ?? PostgresColumns(names: result.columnNames, statement: statement)
            self.columns = columns
            rowCount += 1
            return PostgresRow(columns: columns, result: result, index: 0, number: rowCount)
        }
    }
}

/// The bytes of ``PostgresConnection/copyOut(_:)``. Each iteration runs the statement anew.
public struct PostgresCopyOutSequence: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = any Error

    let connection: PostgresConnection
    let source: SQL

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(connection: connection, statement: source)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let connection: PostgresConnection
        private let statement: SQL
        private var source: StreamHandle?

        init(connection: PostgresConnection, statement: SQL) {
            self.connection = connection
            self.statement = statement
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let handle: StreamHandle
            if let source {
                handle = source
            } else {
                let stream = try await connection.session.openCopyOut(
                    lease: connection.lease, try RenderedSQL(statement))
                handle = StreamHandle(stream)
                source = handle
            }
            return try await connection.session.nextCopyChunk(lease: connection.lease, of: handle.stream)
        }
    }
}

/// Tells the session when the iterator is gone.
final class StreamHandle: Sendable {
    let stream: ActiveStream

    init(_ stream: ActiveStream) { self.stream = stream }

    deinit { stream.abandon() }
}

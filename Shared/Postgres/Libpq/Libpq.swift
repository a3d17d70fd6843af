// The only file that holds libpq's pointers.
import CLibpq
import Glibc

/// One `PGconn`. Not `Sendable`: the actor that owns it is the only one to call it. Every call here is non-blocking
/// except `connect`, which runs on a thread of its own.
final class LibpqConnection {
    private var pointer: OpaquePointer?
    let canceller: LibpqCanceller

    private init(pointer: OpaquePointer) throws(PostgresError) {
        self.pointer = pointer
        guard let cancel = PQgetCancel(pointer) else {
            throw PostgresError(.connectionFailed, "Out of memory while connecting.")
        }
        canceller = LibpqCanceller(pointer: cancel)
    }

    deinit { finish() }

    /// Closes the socket. Calling it again does nothing.
    func finish() {
        if let pointer { PQfinish(pointer) }
        pointer = nil
    }

    // MARK: Connecting

    static func canParse(conninfo: String) -> Bool {
        guard let options = PQconninfoParse(conninfo, nil) else { return false }
        PQconninfoFree(options)
        return true
    }

    /// Connects, blocking the calling thread in name resolution, TLS and authentication until `deadline` at the latest.
    static func connect(
        parameters: [(keyword: String, value: String)], deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> LibpqConnection {
        let keywords = parameters.map { strdup($0.keyword) } + [nil]
        let values = parameters.map { strdup($0.value) } + [nil]
        defer { (keywords + values).forEach { free($0) } }
        guard
            let pointer = PQconnectStartParams(
                keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        else { throw PostgresError(.connectionFailed, "Out of memory while connecting.") }
        do throws(PostgresError) {
            // The default processor writes the server's notices to stderr.
            PQsetNoticeProcessor(pointer, { _, _ in }, nil)
            try poll(connecting: pointer, until: deadline)
            PQsetnonblocking(pointer, 1)
            return try LibpqConnection(pointer: pointer)
        } catch {
            PQfinish(pointer)
            throw error
        }
    }

    private static func poll(
        connecting pointer: OpaquePointer, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        var state = PGRES_POLLING_WRITING
        guard PQstatus(pointer) != CONNECTION_BAD else { throw connectFailure(pointer) }
        while state != PGRES_POLLING_OK {
            guard state != PGRES_POLLING_FAILED else { throw connectFailure(pointer) }
            let events = Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT)
            // The socket may change from one step to the next: several addresses, TLS refused.
            var descriptor = pollfd(fd: PQsocket(pointer), events: events, revents: 0)
            let remaining = (deadline - .now) / .milliseconds(1)
            guard remaining > 0 else { throw PostgresError(.connectionFailed, "Connecting to the database timed out.") }
            if Glibc.poll(&descriptor, 1, Int32(min(remaining.rounded(.up), 1e9))) > 0 {
                state = PQconnectPoll(pointer)
            }
        }
    }

    private static func connectFailure(_ pointer: OpaquePointer) -> PostgresError {
        var error = PostgresError(.connectionFailed, "Connecting to the database failed.")
        error.serverMessage = String(cString: PQerrorMessage(pointer))
        return error
    }

    // MARK: State

    var descriptor: Int32 { PQsocket(pointer) }
    var isBroken: Bool { PQstatus(pointer) != CONNECTION_OK }
    var errorMessage: String { String(cString: PQerrorMessage(pointer)) }

    enum TransactionStatus { case idle, active, inTransaction, inFailedTransaction, unknown }

    var transactionStatus: TransactionStatus {
        switch PQtransactionStatus(pointer) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .inFailedTransaction
        default: .unknown
        }
    }

    func parameter(_ name: String) -> String? {
        PQparameterStatus(pointer, name).map { String(cString: $0) }
    }

    /// Whether the server has something to say, or has hung up, without being asked.
    var hasInput: Bool {
        var descriptor = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&descriptor, 1, 0) != 0
    }

    // MARK: Sending

    func send(script: String) -> Bool { PQsendQuery(pointer, script) == 1 }

    func send(prepare name: String, text: String) -> Bool { PQsendPrepare(pointer, name, text, 0, nil) == 1 }

    func send(text: String, binds: [String?]) -> Bool {
        withWireValues(of: binds) { PQsendQueryParams(pointer, text, Int32(binds.count), nil, $0, nil, nil, 0) == 1 }
    }

    func send(prepared name: String, binds: [String?]) -> Bool {
        withWireValues(of: binds) { PQsendQueryPrepared(pointer, name, Int32(binds.count), $0, nil, nil, 0) == 1 }
    }

    /// The binds as C strings, valid during `body`: one block of memory, however many there are.
    private func withWireValues<R>(
        of binds: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        var block: [UInt8] = []
        block.reserveCapacity(binds.reduce(1) { $0 + ($1?.utf8.count ?? 0) + 1 })
        var offsets: [Int?] = []
        for bind in binds {
            offsets.append(bind == nil ? nil : block.count)
            if let bind {
                block.append(contentsOf: bind.utf8)
                block.append(0)
            }
        }
        block.append(0)
        return block.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            var pointers = offsets.map { offset in offset.flatMap { start?.advanced(by: $0) } }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { values in values.baseAddress.map(body) }
        }!
    }

    func enterPipeline() -> Bool { PQenterPipelineMode(pointer) == 1 }
    func leavePipeline() -> Bool { PQexitPipelineMode(pointer) == 1 }
    func synchronizePipeline() -> Bool { PQpipelineSync(pointer) == 1 }
    /// Makes the server answer what it has so far; at the end of the pipeline, also ends its implicit transaction.
    func requestFlush(isLast: Bool) -> Bool {
        isLast ? synchronizePipeline() : PQsendFlushRequest(pointer) == 1
    }
    func useSingleRowMode() -> Bool { PQsetSingleRowMode(pointer) == 1 }

    enum Flush { case done, pending, failed }

    func flush() -> Flush {
        switch PQflush(pointer) {
        case 0: .done
        case 1: .pending
        default: .failed
        }
    }

    // MARK: Receiving

    func consumeInput() -> Bool { PQconsumeInput(pointer) == 1 }
    var isBusy: Bool { PQisBusy(pointer) == 1 }

    /// The next result, `nil` at the end of a statement. Does not block while `isBusy` is false.
    func nextResult() -> LibpqResult? { PQgetResult(pointer).map { LibpqResult(pointer: $0) } }

    func nextNotification() -> (channel: String, payload: String)? {
        guard let notification = PQnotifies(pointer) else { return nil }
        defer { PQfreemem(notification) }
        return (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra))
    }

    // MARK: COPY

    func putCopy(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            PQputCopyData(pointer, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count)) == 1
        }
    }

    /// - Parameter failure: why the copy is to be undone; `nil` completes it.
    func endCopy(failure: String?) -> Bool { PQputCopyEnd(pointer, failure) == 1 }

    enum CopyRow { case bytes([UInt8]), wait, end, failed }

    func nextCopyRow() -> CopyRow {
        var buffer: UnsafeMutablePointer<CChar>?
        let count = PQgetCopyData(pointer, &buffer, 1)
        guard let buffer, count > 0 else { return count == 0 ? .wait : count == -1 ? .end : .failed }
        defer { PQfreemem(buffer) }
        return .bytes(Array(UnsafeRawBufferPointer(start: buffer, count: Int(count))))
    }
}

/// Asks the server to cancel whatever its connection is running.
///
/// `@unchecked Sendable`: a `PGcancel` is never changed after `PQgetCancel`, and libpq documents `PQcancel` as safe to
/// call from any thread.
final class LibpqCanceller: @unchecked Sendable {
    private let pointer: OpaquePointer

    fileprivate init(pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQfreeCancel(pointer) }

    /// Blocks the calling thread until the server has acted on the request or cannot be reached.
    func cancelBlocking() {
        var message = [CChar](repeating: 0, count: 256)
        _ = PQcancel(pointer, &message, Int32(message.count))
    }
}

/// One `PGresult`.
///
/// `@unchecked Sendable`: libpq documents a `PGresult` as read-only after creation and free to pass between threads.
final class LibpqResult: @unchecked Sendable {
    enum Status {
        case tuples, singleTuple, command, empty, copyIn, copyOut, pipelineSync, pipelineAborted, failed, other
    }

    private let pointer: OpaquePointer

    fileprivate init(pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    var status: Status {
        switch PQresultStatus(pointer) {
        case PGRES_TUPLES_OK: .tuples
        case PGRES_SINGLE_TUPLE: .singleTuple
        case PGRES_COMMAND_OK: .command
        case PGRES_EMPTY_QUERY: .empty
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        case PGRES_PIPELINE_SYNC: .pipelineSync
        case PGRES_PIPELINE_ABORTED: .pipelineAborted
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: .failed
        default: .other
        }
    }

    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnNames: [String] { (0..<PQnfields(pointer)).map { String(cString: PQfname(pointer, $0)) } }
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    /// The text of a column, `nil` for NULL. The caller checks the bounds.
    func text(row: Int, column: Int) -> String? {
        guard PQgetisnull(pointer, Int32(row), Int32(column)) == 0 else { return nil }
        let start = PQgetvalue(pointer, Int32(row), Int32(column))
        let length = Int(PQgetlength(pointer, Int32(row), Int32(column)))
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }

    enum Field: CaseIterable {
        case sqlState, message, detail, hint, context, schema, table, column, constraint, routine

        fileprivate var code: Character {
            switch self {
            case .sqlState: "C"
            case .message: "M"
            case .detail: "D"
            case .hint: "H"
            case .context: "W"
            case .schema: "s"
            case .table: "t"
            case .column: "c"
            case .constraint: "n"
            case .routine: "R"
            }
        }
    }

    func errorField(_ field: Field) -> String? {
        PQresultErrorField(pointer, Int32(field.code.asciiValue ?? 0)).map { String(cString: $0) }
    }

    /// libpq's whole message, for errors that did not come from the server.
    var errorMessage: String { String(cString: PQresultErrorMessage(pointer)) }
}

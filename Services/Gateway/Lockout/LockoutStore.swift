import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceStorage

/// Counts attempts to log in, for all gateway nodes together and across restarts.
protocol LockoutStore: Sendable {
    /// Whether the attempt may be made. Once begun, exactly one of the others must follow.
    func begin(_ login: LoginAttempt) async throws -> Lockout.Admission
    /// The password was wrong.
    func failed(_ login: LoginAttempt, now: Date) async throws
    /// The password was right: the account starts afresh, the address is only rid of this attempt.
    func succeeded(_ login: LoginAttempt, now: Date) async throws
    /// The password could not be checked: nobody is to blame.
    func abandoned(_ login: LoginAttempt) async throws
    /// Removes what no rule remembers any more.
    func sweep(now: Date) async throws -> Int
}

/// One attempt to log in: which account, from where, and when it began. Only digests are stored, no e-mail addresses.
struct LoginAttempt: Sendable {
    let account: [UInt8]
    let address: [UInt8]
    let begunAt: Date

    init(tenant: TenantID, email: String, address: ClientAddress, begunAt: Date) {
        account = RandomToken.digest("account:\(tenant):\(email.lowercased())")
        self.address = RandomToken.digest("address:\(address.network)")
        self.begunAt = begunAt
    }
}

/// The table `login_attempts`.
struct PostgresLockoutStore: LockoutStore {
    let database: ServiceDatabase

    func begin(_ login: LoginAttempt) async throws -> Lockout.Admission {
        try await database.withTransaction { connection in
            // The account first, then the address, everywhere: two logins never wait for each other crosswise.
            var account = try await locked(login.account, connection)
            var address = try await locked(login.address, connection)
            let admissions = [
                account.begin(.account, now: login.begunAt), address.begin(.address, now: login.begunAt),
            ]
            // Refused by one means that the other has nothing to count either.
            guard admissions == [.begun, .begun] else { return Self.strictest(admissions) }
            try await store(account, login.account, connection)
            try await store(address, login.address, connection)
            return .begun
        }
    }

    func failed(_ login: LoginAttempt, now: Date) async throws {
        try await change(
            login, account: { $0.fail(.account, begunAt: login.begunAt, now: now) },
            address: { $0.fail(.address, begunAt: login.begunAt, now: now) })
    }

    func succeeded(_ login: LoginAttempt, now: Date) async throws {
        try await change(
            login, account: { $0.succeed(begunAt: login.begunAt, now: now) },
            address: { $0.end(begunAt: login.begunAt) })
    }

    func abandoned(_ login: LoginAttempt) async throws {
        try await change(
            login, account: { $0.end(begunAt: login.begunAt) }, address: { $0.end(begunAt: login.begunAt) })
    }

    func sweep(now: Date) async throws -> Int {
        try await database.withConnection { connection in
            try await connection.execute(
                """
                DELETE FROM gateway.login_attempts
                WHERE last_attempt_at < \(now.addingTimeInterval(-Lockout.Rule.account.memory))
                """)
        }
    }

    private func change(
        _ login: LoginAttempt, account changeAccount: @Sendable (inout Lockout) -> Void,
        address changeAddress: @Sendable (inout Lockout) -> Void
    ) async throws {
        try await database.withTransaction { connection in
            var account = try await locked(login.account, connection)
            var address = try await locked(login.address, connection)
            changeAccount(&account)
            changeAddress(&address)
            try await store(account, login.account, connection)
            try await store(address, login.address, connection)
        }
    }

    private static func strictest(_ admissions: [Lockout.Admission]) -> Lockout.Admission {
        let waits = admissions.compactMap { if case .locked(let seconds) = $0 { seconds } else { nil } }
        return waits.max().map { .locked($0) } ?? .crowded
    }

    /// The subject's row, made if need be, and locked until the transaction ends.
    private func locked(_ subject: [UInt8], _ connection: PostgresConnection) async throws -> Lockout {
        let rows = try await connection.query(
            """
            INSERT INTO gateway.login_attempts (subject, failures, last_attempt_at) VALUES (\(subject), 0, now())
            ON CONFLICT (subject) DO UPDATE SET subject = excluded.subject
            RETURNING failures, last_attempt_at, locked_until, under_way
            """)
        guard let row = rows.first else { return Lockout() }
        return Lockout(
            failures: try row.decode("failures"), lastAttemptAt: try row.decode("last_attempt_at"),
            lockedUntil: try row.decode("locked_until"), underWay: try row.decode("under_way"))
    }

    private func store(_ lockout: Lockout, _ subject: [UInt8], _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE gateway.login_attempts
            SET failures = \(lockout.failures), last_attempt_at = \(lockout.lastAttemptAt),
                locked_until = \(lockout.lockedUntil as Date?), under_way = \(lockout.underWay)
            WHERE subject = \(subject)
            """)
    }
}

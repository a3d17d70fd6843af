import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceStorage

/// Counts attempts to log in, for all gateway nodes together and across restarts.
protocol LockoutStore: Sendable {
    /// nil when the attempt may be made (it is counted), else the seconds to wait.
    func attempt(_ login: LoginAttempt, now: Date) async throws -> TimeInterval?
    /// The password was right: the account starts afresh, the address gets this attempt back.
    func succeeded(_ login: LoginAttempt) async throws
    /// The password could not be checked: nobody is to blame.
    func takeBack(_ login: LoginAttempt) async throws
    /// Removes what no rule remembers any more.
    func sweep(now: Date) async throws -> Int
}

/// One attempt to log in: which account, from where. Only digests are stored, no e-mail addresses.
struct LoginAttempt: Sendable {
    let account: [UInt8]
    let address: [UInt8]

    init(tenant: TenantID, email: String, address: String) {
        account = RandomToken.digest("account:\(tenant):\(email.lowercased())")
        self.address = RandomToken.digest("address:\(address)")
    }
}

/// The table `login_attempts`.
struct PostgresLockoutStore: LockoutStore {
    let database: ServiceDatabase

    func attempt(_ login: LoginAttempt, now: Date) async throws -> TimeInterval? {
        try await database.withTransaction { connection in
            // The account first, then the address, everywhere: two logins never wait for each other crosswise.
            var account = try await locked(login.account, connection)
            var address = try await locked(login.address, connection)
            let waits = [account.attempt(.account, now: now), address.attempt(.address, now: now)].compactMap { $0 }
            // Refused by one means that the other has nothing to count either.
            if let longest = waits.max() { return longest }
            try await store(account, login.account, connection)
            try await store(address, login.address, connection)
            return nil
        }
    }

    func succeeded(_ login: LoginAttempt) async throws {
        try await database.withTransaction { connection in
            _ = try await locked(login.account, connection)
            try await connection.execute("DELETE FROM gateway.login_attempts WHERE subject = \(login.account)")
            try await takeBack(login.address, connection)
        }
    }

    func takeBack(_ login: LoginAttempt) async throws {
        try await database.withTransaction { connection in
            try await takeBack(login.account, connection)
            try await takeBack(login.address, connection)
        }
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

    private func takeBack(_ subject: [UInt8], _ connection: PostgresConnection) async throws {
        var lockout = try await locked(subject, connection)
        lockout.takeBack()
        try await store(lockout, subject, connection)
    }

    /// The subject's row, made if need be, and locked until the transaction ends.
    private func locked(_ subject: [UInt8], _ connection: PostgresConnection) async throws -> Lockout {
        let rows = try await connection.query(
            """
            INSERT INTO gateway.login_attempts (subject, failures, last_attempt_at) VALUES (\(subject), 0, now())
            ON CONFLICT (subject) DO UPDATE SET subject = excluded.subject
            RETURNING failures, last_attempt_at, locked_until
            """)
        guard let row = rows.first else { return Lockout() }
        return Lockout(
            failures: try row.decode("failures"), lastAttemptAt: try row.decode("last_attempt_at"),
            lockedUntil: try row.decode("locked_until"))
    }

    private func store(_ lockout: Lockout, _ subject: [UInt8], _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE gateway.login_attempts
            SET failures = \(lockout.failures), last_attempt_at = \(lockout.lastAttemptAt),
                locked_until = \(lockout.lockedUntil as Date?)
            WHERE subject = \(subject)
            """)
    }
}

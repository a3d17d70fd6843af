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
    /// The password was right: the account starts afresh, the address is rid of this attempt and of the account's failures.
    func succeeded(_ login: LoginAttempt, now: Date) async throws
    /// The password could not be checked: the attempt counts as neither failed nor successful.
    func abandoned(_ login: LoginAttempt) async throws
    /// The account's owner has proved by other means who they are.
    func unlock(account: [UInt8]) async throws
    /// Removes what no rule remembers any more.
    func sweep(now: Date) async throws -> Int
}

/// One attempt to log in: which account, from where, and when it began. Only digests are stored, no e-mail addresses.
///
/// From a device that the owner has logged in from only the device's own failures count: what strangers guess cannot keep the
/// owner out, and a stolen device may guess no more than a stranger.
struct LoginAttempt: Sendable {
    let account: [UInt8]
    let address: [UInt8]
    /// nil from a device that is not known.
    let device: [UInt8]?
    let begunAt: Date

    init(tenant: TenantID, email: String, address: ClientAddress, device: DeviceToken? = nil, begunAt: Date) {
        account = Self.account(tenant, email)
        self.address = RandomToken.digest("address:\(address.network)")
        self.device = device.map { RandomToken.digest("device:\($0.id)") }
        self.begunAt = begunAt
    }

    static func account(_ tenant: TenantID, _ email: String) -> [UInt8] {
        RandomToken.digest("account:\(tenant):\(EmailAddress.key(email))")
    }
}

/// The table `login_attempts`.
struct PostgresLockoutStore: LockoutStore {
    let database: ServiceDatabase
    var policy = LockoutPolicy.standard

    func begin(_ login: LoginAttempt) async throws -> Lockout.Admission {
        try await database.withTransaction { connection in
            if let device = login.device {
                var lockout = try await locked(device, connection)
                let admission = lockout.begin(policy.device, now: login.begunAt)
                if admission == .begun { try await store(lockout, device, connection) }
                return admission
            }
            // The account first, then the address, everywhere: two logins never wait for each other crosswise.
            var account = try await locked(login.account, connection)
            var address = try await locked(login.address, connection)
            let admissions = [
                account.begin(policy.account, now: login.begunAt), address.begin(policy.address, now: login.begunAt),
            ]
            // Refused by one means that the other has nothing to count either.
            guard admissions == [.begun, .begun] else { return Self.strictest(admissions) }
            try await store(account, login.account, connection)
            try await store(address, login.address, connection)
            return .begun
        }
    }

    func failed(_ login: LoginAttempt, now: Date) async throws {
        try await change(login, device: { $0.fail(policy.device, begunAt: login.begunAt, now: now) }) {
            account, address in
            account.fail(policy.account, begunAt: login.begunAt, now: now)
            address.fail(policy.address, begunAt: login.begunAt, now: now)
        }
    }

    func succeeded(_ login: LoginAttempt, now: Date) async throws {
        try await change(login, device: { $0.succeed(begunAt: login.begunAt, now: now) }) { account, address in
            let failures = account.failures
            account.succeed(begunAt: login.begunAt, now: now)
            address.end(begunAt: login.begunAt)
            address.forgive(failures - account.failures)
        }
    }

    func abandoned(_ login: LoginAttempt) async throws {
        try await change(login, device: { $0.end(begunAt: login.begunAt) }) { account, address in
            account.end(begunAt: login.begunAt)
            address.end(begunAt: login.begunAt)
        }
    }

    func unlock(account: [UInt8]) async throws {
        try await database.withTransaction { connection in
            var lockout = try await locked(account, connection)
            lockout.unlock()
            try await store(lockout, account, connection)
        }
    }

    func sweep(now: Date) async throws -> Int {
        try await database.withConnection { connection in
            try await connection.execute(
                """
                DELETE FROM gateway.login_attempts
                WHERE last_attempt_at < \(now.addingTimeInterval(-policy.memory))
                    AND coalesce(locked_until < \(now), true)
                """)
        }
    }

    private func change(
        _ login: LoginAttempt, device changeDevice: @Sendable (inout Lockout) -> Void,
        _ changeBoth: @Sendable (_ account: inout Lockout, _ address: inout Lockout) -> Void
    ) async throws {
        try await database.withTransaction { connection in
            if let device = login.device {
                var lockout = try await locked(device, connection)
                changeDevice(&lockout)
                return try await store(lockout, device, connection)
            }
            var account = try await locked(login.account, connection)
            var address = try await locked(login.address, connection)
            changeBoth(&account, &address)
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
            RETURNING failures, last_attempt_at, counted_since, locked_until, under_way
            """)
        guard let row = rows.first else { return Lockout() }
        return Lockout(
            failures: try row.decode("failures"), lastAttemptAt: try row.decode("last_attempt_at"),
            countedSince: try row.decode("counted_since"), lockedUntil: try row.decode("locked_until"),
            underWay: try row.decode("under_way"))
    }

    private func store(_ lockout: Lockout, _ subject: [UInt8], _ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            UPDATE gateway.login_attempts
            SET failures = \(lockout.failures), last_attempt_at = \(lockout.lastAttemptAt),
                counted_since = \(lockout.countedSince), locked_until = \(lockout.lockedUntil as Date?),
                under_way = \(lockout.underWay)
            WHERE subject = \(subject)
            """)
    }
}

import COpenSSL
public import Contracts
import Foundation

/// Passwords as they are stored: scrypt (RFC 7914) with a salt of its own and the parameters beside the hash,
/// `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`.
///
/// Hashing takes some 100 ms and 32 MB on purpose. It runs on two threads of its own, never on Swift's cooperative
/// pool, and no more than a bounded number of callers wait for them, each tenant's in turn: who sets passwords by the hundred keeps no
/// other tenant's people from logging in.
public enum PasswordHash {
    /// - Parameter tenant: whose password it is; nil: the platform's own work.
    /// - Throws: ``PasswordHashError`` `busy` when too many are waiting; `CancellationError`.
    public static func make(_ password: String, of tenant: TenantID?) async throws -> String {
        try await make(password, of: tenant, parameters: .current)
    }

    /// The same at another cost.
    package static func make(
        _ password: String, of tenant: TenantID?, parameters: ScryptParameters
    ) async throws -> String {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return StoredHash(
            parameters: parameters, salt: salt,
            hash: try await derive(password, of: tenant, salt: salt, parameters: parameters, count: 32)
        ).text
    }

    /// - Parameter tenant: as of ``make(_:of:)``.
    /// - Throws: ``PasswordHashError`` `invalidHash` when `stored` was not made by ``make(_:of:)``, `busy` when too many are
    ///   waiting; `CancellationError`.
    public static func verify(
        _ password: String, against stored: String, of tenant: TenantID?
    ) async throws -> Bool {
        let known = try StoredHash(stored)
        let derived = try await derive(
            password, of: tenant, salt: known.salt, parameters: known.parameters, count: known.hash.count)
        return RandomToken.areEqual(derived, known.hash)
    }

    /// Whether a hash was made with other parameters than today's: make it anew at the next successful login.
    public static func needsRehash(_ stored: String) -> Bool {
        (try? StoredHash(stored))?.parameters != .current
    }

    /// A valid hash of no known password. Verify against it when there is no such user, so that the answer takes as long
    /// as for a user whose password is wrong.
    public static let decoy: String = {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<48).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return StoredHash(parameters: .current, salt: Array(bytes[..<16]), hash: Array(bytes[16...])).text
    }()

    private static let workers = WorkerThreads(name: "scrypt", count: 2, maximumWaiting: 64)

    private static func derive(
        _ password: String, of tenant: TenantID?, salt: [UInt8], parameters: ScryptParameters, count: Int
    ) async throws -> [UInt8] {
        // Unicode has several spellings of one text; RFC 8265 §4.2 has them made equal first.
        let bytes = Array(password.precomposedStringWithCanonicalMapping.utf8)
        return try await workers.run(of: tenant) {
            try scrypt(bytes, salt: salt, parameters: parameters, count: count)
        }
    }

    /// RFC 7914's function, on the calling thread.
    static func scrypt(
        _ password: [UInt8], salt: [UInt8], parameters: ScryptParameters, count: Int
    ) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        // The zero at the end gives an empty password an address: OpenSSL takes a null pointer for "check only".
        let done = (password + [0]).withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count,
                parameters.cost, parameters.blockSize, parameters.parallelism, parameters.memoryLimit, &output, count)
        }
        guard done == 1 else {
            ERR_clear_error()
            throw PasswordHashError(.invalidHash, "scrypt refused its parameters.")
        }
        return output
    }
}

/// Why a password could not be hashed or compared. Never says anything about the password.
public struct PasswordHashError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// Too many are waiting already; try again in a moment.
        case busy
        /// What is stored is not a hash of ours.
        case invalidHash
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

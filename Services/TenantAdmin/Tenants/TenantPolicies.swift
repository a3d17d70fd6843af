import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// What an operator demands beyond what the contract does: of new passwords, and of tenants' names.
struct TenantPolicies: Sendable {
    var passwords = PasswordPolicy()
    /// Subdomains that no new tenant gets, beside `Subdomain.reserved`.
    var reservedSubdomains: Set<String> = []

    /// - Throws: ``ProblemError`` 422.
    func requireFree(_ subdomain: Subdomain) throws {
        guard !reservedSubdomains.contains(subdomain.rawValue) else {
            throw ProblemError.validation("subdomain", "is reserved")
        }
    }
}

/// Which new passwords are taken. Those that are in use stay.
struct PasswordPolicy: Sendable {
    /// Characters; the contract's own minimum is the least.
    var minimumLength = 12
    /// Such as are known from leaks (NIST SP 800-63B §5.1.1.2), without regard to case.
    var refused: Set<String> = []
    /// What a hash costs; tests of everything else take less.
    var cost = ScryptParameters.current

    /// The password's hash.
    ///
    /// - Parameter tenant: whose password it is; nil for a tenant that is still to be made.
    /// - Throws: ``ProblemError`` 422 naming the field.
    func hash(_ password: String, _ field: String = "password", of tenant: TenantID?) async throws -> String {
        guard password.count >= minimumLength else {
            throw ProblemError.validation(field, "must be at least \(minimumLength) characters long")
        }
        guard !refused.contains(password.lowercased()) else {
            throw ProblemError.validation(field, "is among those that are tried first; choose another")
        }
        return try await PasswordHash.make(password, of: tenant, parameters: cost)
    }
}

extension TenantPolicies {
    static let keys: [ConfigurationKey] = [
        .init(
            "passwords.minimum-length", .integer(12...128), default: "12",
            help: "Minimum length of a new password, in characters."),
        .init(
            "passwords.refused-file", .path,
            help: "File of refused passwords, one on each line, such as those known from leaks."),
        .init(
            "tenants.reserved-subdomains", .text,
            help: "Subdomains that no new tenant gets, separated by commas, beside those that are always reserved."),
    ]

    /// - Throws: `ConfigurationError` for a file that cannot be read.
    init(_ settings: ServiceSettings) throws {
        passwords.minimumLength = settings.int("passwords.minimum-length")
        if let path = settings.optionalString("passwords.refused-file") {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw ConfigurationError(problems: ["passwords.refused-file: the file \(path) cannot be read"])
            }
            passwords.refused = Set(text.split(whereSeparator: \.isNewline).map { $0.lowercased() })
        }
        let names = settings.optionalString("tenants.reserved-subdomains") ?? ""
        reservedSubdomains = Set(
            names.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).lowercased() })
    }
}

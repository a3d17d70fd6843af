import Basics
public import Contracts
public import Logging
import Postgres
import ServiceKit

extension Sequence where Element: Sendable {
    /// Works for one tenant after the other. Work that fails is logged with its tenant, under a fixed phrase, and does not keep the others
    /// from theirs.
    /// - Parameter tenant: for whom the work is.
    /// - Throws: where the database cannot be reached, which is no single tenant's failure; the others are left for another time.
    public func attemptEach(
        of tenant: (Element) -> TenantID, logging phrase: Logger.Message, at level: Logger.Level = .warning,
        to logger: Logger, isolation: isolated (any Actor)? = #isolation, _ work: (Element) async throws -> Void
    ) async throws {
        for element in self {
            try Task.checkCancellation()
            do {
                try await work(element)
            } catch let error as PostgresError where error.isUnreachable {
                throw error
            } catch {
                // Work that was cancelled has not failed.
                try Task.checkCancellation()
                logger.log(
                    level: level, phrase,
                    metadata: [LogKey.tenantID: "\(tenant(element))", LogKey.error: "\(LogText.of(error))"])
            }
        }
    }
}

extension Sequence<TenantID> {
    /// As ``attemptEach(of:logging:at:to:isolation:_:)``, for the tenants themselves.
    public func attemptEach(
        logging phrase: Logger.Message, at level: Logger.Level = .warning, to logger: Logger,
        isolation: isolated (any Actor)? = #isolation, _ work: (TenantID) async throws -> Void
    ) async throws {
        try await attemptEach(of: { $0 }, logging: phrase, at: level, to: logger, work)
    }
}

extension PostgresError {
    fileprivate var isUnreachable: Bool { [.connectionFailed, .poolExhausted, .poolClosed].contains(code) }
}

import Contracts
import Foundation

/// Where sessions are kept, shared by all gateway nodes.
protocol SessionStore: Sendable {
    /// A new family with its first token.
    func create(_ family: RefreshFamily, tokenDigest: [UInt8], now: Date) async throws
    /// Presents a token to its family and stores what comes of it, all in one transaction.
    ///
    /// - Parameter successorDigests: of the tokens that may follow the presented one; the first is stored when none is yet.
    func rotate(tokenDigest: [UInt8], successorDigests: [[UInt8]], now: Date) async throws -> Rotation
    /// Ends the family of a token, if there is one; gives it back.
    func revoke(tokenDigest: [UInt8], now: Date) async throws -> RefreshFamily?
    /// The family of a token, which is left as it is; nil for an unknown token.
    func family(tokenDigest: [UInt8]) async throws -> RefreshFamily?
    /// nil for a session that never was.
    func family(_ id: SessionID) async throws -> RefreshFamily?
    /// Removes what has been over for a day; gives the number of sessions.
    func sweep(now: Date) async throws -> Int
}

/// What became of a presented refresh token.
enum Rotation: Sendable, Equatable {
    /// The successor is good, whether it was given for the first time or again.
    ///
    /// - Parameter successor: which of those that may follow.
    case rotated(RefreshFamily, successor: Int)
    /// A copied token: the family has been ended.
    case revoked(RefreshFamily)
    case refused
}

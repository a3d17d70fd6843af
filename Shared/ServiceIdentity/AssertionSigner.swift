import Basics
public import Contracts
public import Foundation
import Synchronization

/// Signs this service's requests to the others.
///
/// An assertion is kept and used again until shortly before it expires, so that a busy caller signs a few times a
/// minute, not once per request.
public final class AssertionSigner: Sendable {
    /// The longest life of an assertion, in seconds.
    public static let lifetime = 60
    /// One with less than this many seconds left is not used again: it must outlive its way and the clocks' difference.
    static let reserve = 20
    static let cacheLimit = 4096

    private struct Key: Hashable {
        /// The key that signed it: one that has been replaced signs nothing more.
        let signer: String
        let audience: ServiceName
        let caller: Caller?
    }

    private struct Entry {
        let token: String
        let expires: Int
    }

    public let issuer: ServiceName
    private let keys: KeyRing
    private let now: @Sendable () -> Date
    private let cache = Mutex(RecentEntries<Key, Entry>(maximumCount: cacheLimit))

    public init(issuer: ServiceName, keys: KeyRing, now: @escaping @Sendable () -> Date = { Date() }) {
        self.issuer = issuer
        self.keys = keys
        self.now = now
    }

    /// With one key for all time.
    public convenience init(
        issuer: ServiceName, keyPair: ServiceKeyPair, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.init(issuer: issuer, keys: KeyRing(keyPair), now: now)
    }

    /// A JWT for a request to `audience`.
    ///
    /// - Parameter caller: the caller on whose behalf the request is made; nil for this service itself. The assertion's issuer is
    ///   always this service, even for a caller that another service vouched for.
    public func assertion(for audience: ServiceName, caller: Caller? = nil) throws -> String {
        let time = Int(now().timeIntervalSince1970)
        let pair = keys.signing
        let key = Key(signer: pair.keyID, audience: audience, caller: caller)
        if let entry = cache.withLock({ $0.use(key) }), entry.expires - time > Self.reserve { return entry.token }
        let token = try sign(
            AssertionClaims(
                iss: issuer, aud: audience, exp: time + Self.lifetime, iat: time, tenant: caller?.tenant,
                sub: caller?.subject, permissions: caller.map(\.permissions),
                platform: caller?.isPlatformOperator == true ? true : nil), by: pair)
        cache.withLock { $0.insert(Entry(token: token, expires: time + Self.lifetime), for: key) }
        return token
    }

    var cachedCount: Int { cache.withLock { $0.count } }

    func sign(_ claims: AssertionClaims) throws -> String { try sign(claims, by: keys.signing) }

    private func sign(_ claims: AssertionClaims, by keyPair: ServiceKeyPair) throws -> String {
        try JSONWebToken.signed(claims, type: "JWT", keyID: keyPair.keyID, by: keyPair.privateKey)
    }
}

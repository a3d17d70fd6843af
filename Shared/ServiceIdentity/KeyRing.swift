import Contracts
import Crypto
import Foundation
import Synchronization

/// The keys that a running service signs and verifies with, read again when their files change.
///
/// While a key is replaced a service has several: the first signs, the others are kept until nothing is out any more that they
/// have signed. What cannot be used leaves the present keys in force.
public final class KeyRing: Sendable {
    public struct Contents: Sendable {
        /// The service's own, the one that signs first; at least one.
        public let pairs: [ServiceKeyPair]
        /// The public keys of all services.
        public let keys: JSONWebKeySet

        public init(pairs: [ServiceKeyPair], keys: JSONWebKeySet) {
            precondition(!pairs.isEmpty, "a service has a key")
            self.pairs = pairs
            self.keys = keys
        }
    }

    private struct State {
        var contents: Contents
        var verifying: [String: (key: Curve25519.Signing.PublicKey, issuer: ServiceName)]
        var readAt: ContinuousClock.Instant
    }

    private let state: Mutex<State>
    private let read: (@Sendable () throws -> Contents)?
    /// An unknown key may be a new one: its file is looked at, but not for every forged token.
    static let pause = Duration.seconds(1)

    /// - Parameter read: gives what the files hold now; nil for keys that stay.
    public init(_ contents: Contents, read: (@Sendable () throws -> Contents)? = nil) {
        self.read = read
        state = Mutex(State(contents: contents, verifying: Self.verifying(contents.keys), readAt: .now - Self.pause))
    }

    /// One key for all time.
    public convenience init(_ pair: ServiceKeyPair, keys: JSONWebKeySet = JSONWebKeySet(keys: [])) {
        self.init(Contents(pairs: [pair], keys: keys))
    }

    public var signing: ServiceKeyPair { state.withLock { $0.contents.pairs[0] } }

    public var pairs: [ServiceKeyPair] { state.withLock { $0.contents.pairs } }

    /// Takes over what the files hold now.
    ///
    /// - Returns: whether anything has changed.
    /// - Throws: why they cannot be used; then nothing changes.
    @discardableResult
    public func reload() throws -> Bool {
        guard let read else { return false }
        state.withLock { $0.readAt = .now }
        let contents = try read()
        return state.withLock { state in
            let isNew =
                state.contents.pairs.map(\.keyID) != contents.pairs.map(\.keyID)
                || Set(state.contents.keys.keys) != Set(contents.keys.keys)
            if isNew {
                state.contents = contents
                state.verifying = Self.verifying(contents.keys)
            }
            return isNew
        }
    }

    func verifyingKey(_ id: String) -> (key: Curve25519.Signing.PublicKey, issuer: ServiceName)? {
        let (known, isDue) = state.withLock { ($0.verifying[id], $0.readAt.duration(to: .now) >= Self.pause) }
        if known != nil || !isDue { return known }
        _ = try? reload()
        return state.withLock { $0.verifying[id] }
    }

    private static func verifying(
        _ set: JSONWebKeySet
    ) -> [String: (key: Curve25519.Signing.PublicKey, issuer: ServiceName)] {
        Dictionary(
            set.keys.compactMap { jwk in jwk.publicKey.map { (jwk.kid, ($0, jwk.iss)) } },
            uniquingKeysWith: { first, _ in first })
    }
}

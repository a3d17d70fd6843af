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
        /// Counts how often the keys have become others.
        var generation = 0
        var verifying: [String: (key: Curve25519.Signing.PublicKey, issuer: ServiceName)]
    }

    /// Where the keys come from.
    public struct Source: Sendable {
        /// Differs whenever the files may have changed; cheap, for every forged token causes a call.
        let stamp: @Sendable () -> String
        /// What the files hold now.
        let read: @Sendable () throws -> Contents

        public init(stamp: @escaping @Sendable () -> String, read: @escaping @Sendable () throws -> Contents) {
            self.stamp = stamp
            self.read = read
        }
    }

    private let state: Mutex<State>
    private let source: Source?
    /// The stamp of the files as they were read last; held while they are read, so that a look-up waits for a read under way.
    private let reading: Mutex<String?>

    /// - Parameter source: nil for keys that stay.
    public init(_ contents: Contents, source: Source? = nil) {
        self.source = source
        state = Mutex(State(contents: contents, verifying: Self.verifying(contents.keys)))
        // The files may have changed since they were read.
        reading = Mutex(nil)
    }

    /// One key for all time.
    public convenience init(_ pair: ServiceKeyPair, keys: JSONWebKeySet = JSONWebKeySet(keys: [])) {
        self.init(Contents(pairs: [pair], keys: keys))
    }

    public var signing: ServiceKeyPair { state.withLock { $0.contents.pairs[0] } }

    public var pairs: [ServiceKeyPair] { state.withLock { $0.contents.pairs } }

    /// Another number once the keys are others: what was verified by an earlier generation has to be verified anew.
    var generation: Int { state.withLock { $0.generation } }

    /// Takes over what the files hold now.
    ///
    /// - Returns: whether anything has changed.
    /// - Throws: why they cannot be used; then nothing changes.
    @discardableResult
    public func reload() throws -> Bool {
        guard let source else { return false }
        return try reading.withLock { try takeOver(source, &$0) }
    }

    private func takeOver(_ source: Source, _ stamp: inout String?) throws -> Bool {
        // Before the read: what changes meanwhile is read again.
        stamp = source.stamp()
        let contents = try source.read()
        return state.withLock { state in
            let isNew =
                state.contents.pairs.map(\.keyID) != contents.pairs.map(\.keyID)
                || Set(state.contents.keys.keys) != Set(contents.keys.keys)
            if isNew {
                state.contents = contents
                state.generation += 1
                state.verifying = Self.verifying(contents.keys)
            }
            return isNew
        }
    }

    func verifyingKey(_ id: String) -> (key: Curve25519.Signing.PublicKey, issuer: ServiceName)? {
        if let known = state.withLock({ $0.verifying[id] }) { return known }
        guard let source else { return nil }
        // An unknown key may be a new one: the files are read again, once for each change of theirs.
        reading.withLock { stamp in
            if stamp != source.stamp() { _ = try? takeOver(source, &stamp) }
        }
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

import Contracts
import Crypto
import Foundation
import Synchronization

/// The keys that a running service signs and verifies with, read again when their files change.
///
/// While a key is replaced a service has several. A new one is verified with at once and signs once it has settled
/// (``settling``); the others are kept until nothing is out any more that they have signed. What cannot be used leaves the present
/// keys in force.
public final class KeyRing: Sendable {
    public typealias Instant = ContinuousClock.Instant

    public struct Contents: Sendable {
        /// The service's own, the newest first; at least one.
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
        /// Since when this node knows each of the service's own keys.
        var since: [Instant]
        /// Counts how often the keys have become others.
        var generation = 0
        var verifying: [String: (key: Curve25519.Signing.PublicKey, issuer: ServiceName)]

        /// The one that signs first: the newest that has settled, or the oldest while none has.
        func pairs(_ now: () -> Instant) -> [ServiceKeyPair] {
            guard since.count > 1 else { return contents.pairs }
            let time = now()
            let index = since.firstIndex { time - $0 >= KeyRing.settling } ?? since.count - 1
            guard index > 0 else { return contents.pairs }
            var pairs = contents.pairs
            pairs.insert(pairs.remove(at: index), at: 0)
            return pairs
        }
    }

    private struct Reading {
        /// Of the files as they were read last.
        var stamp: String?
        /// When an unknown key caused a look at the files.
        var lookedAt: Instant?
    }

    /// For how long a new key does not sign, beside one that was there before. By then every node of the service has it: nodes read
    /// their files every few seconds, to which the files may have to be copied.
    public static let settling = Duration.seconds(30)
    /// Strangers, who can send tokens by any key, cause no more looks at the files than one in this time.
    static let pause = Duration.milliseconds(100)

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
    private let now: @Sendable () -> Instant
    /// Held while the files are read, so that a look-up waits for a read under way.
    private let reading: Mutex<Reading>

    /// - Parameters:
    ///   - source: nil for keys that stay.
    ///   - age: for how long the files have held the keys.
    public init(
        _ contents: Contents, source: Source? = nil, age: Duration = settling,
        now: @escaping @Sendable () -> Instant = { .now }
    ) {
        self.source = source
        self.now = now
        let since = contents.pairs.map { _ in now() - age }
        state = Mutex(State(contents: contents, since: since, verifying: Self.verifying(contents.keys)))
        // The files may have changed since they were read.
        reading = Mutex(Reading())
    }

    /// One key for all time.
    public convenience init(_ pair: ServiceKeyPair, keys: JSONWebKeySet = JSONWebKeySet(keys: [])) {
        self.init(Contents(pairs: [pair], keys: keys))
    }

    public var signing: ServiceKeyPair { pairs[0] }

    /// The service's own keys, the one that signs first.
    public var pairs: [ServiceKeyPair] { state.withLock { $0.pairs(now) } }

    /// The public keys of all services.
    public var publicKeys: JSONWebKeySet { state.withLock { $0.contents.keys } }

    /// Another number once the keys are others: what was verified by an earlier generation has to be verified anew.
    var generation: Int { state.withLock { $0.generation } }

    /// Takes over what the files hold now.
    ///
    /// - Returns: whether anything has changed.
    /// - Throws: why they cannot be used; then nothing changes.
    @discardableResult
    public func reload() throws -> Bool {
        guard let source else { return false }
        return try reading.withLock { try takeOver(source, &$0.stamp) }
    }

    /// Takes over what the files hold now if they have changed: what an unknown key has made may have been made by a new one.
    public func look() {
        guard let source else { return }
        let time = now()
        reading.withLock { reading in
            guard reading.lookedAt.map({ time - $0 >= Self.pause }) ?? true else { return }
            reading.lookedAt = time
            takeOverChanges(source, &reading.stamp)
        }
    }

    private func takeOverChanges(_ source: Source, _ stamp: inout String?) {
        if stamp != source.stamp() { _ = try? takeOver(source, &stamp) }
    }

    private func takeOver(_ source: Source, _ stamp: inout String?) throws -> Bool {
        // Before the read: what changes meanwhile is read again.
        stamp = source.stamp()
        let contents = try source.read()
        let time = now()
        return state.withLock { state in
            let isNew =
                state.contents.pairs.map(\.keyID) != contents.pairs.map(\.keyID)
                || Set(state.contents.keys.keys) != Set(contents.keys.keys)
            if isNew {
                let known = zip(state.contents.pairs, state.since)
                state.since = contents.pairs.map { pair in known.first { $0.0.keyID == pair.keyID }?.1 ?? time }
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
        reading.withLock { takeOverChanges(source, &$0.stamp) }
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

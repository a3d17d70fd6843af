import Contracts
import Foundation
import Synchronization
import Testing

@testable import ServiceIdentity

@Suite("Keys that are replaced while a service runs")
struct KeyRingTests {
    /// What the files hold, for the test to change.
    private final class Files: Sendable {
        private let contents: Mutex<Result<KeyRing.Contents, IdentityError>>
        let reads = Mutex(0)
        private let version = Mutex(0)

        init(_ contents: KeyRing.Contents) { self.contents = Mutex(.success(contents)) }

        var stamp: String { "\(version.withLock { $0 })" }

        var source: KeyRing.Source { .init(stamp: { self.stamp }, read: { try self.read() }) }

        func set(_ contents: KeyRing.Contents) { change(.success(contents)) }
        func spoil() { change(.failure(IdentityError(.invalidKey, "spoilt"))) }

        private func change(_ contents: Result<KeyRing.Contents, IdentityError>) {
            self.contents.withLock { $0 = contents }
            version.withLock { $0 += 1 }
        }

        func read() throws -> KeyRing.Contents {
            reads.withLock { $0 += 1 }
            return try contents.withLock { $0 }.get()
        }
    }

    private let old = ServiceKeyPair()
    private let new = ServiceKeyPair()

    private func contents(_ pairs: [ServiceKeyPair]) -> KeyRing.Contents {
        KeyRing.Contents(pairs: pairs, keys: JSONWebKeySet(keys: pairs.map { $0.publicJWK(issuer: .gateway) }))
    }

    @Test("an assertion by a new key is accepted as soon as the key set holds it, one by the old as long as it does")
    func rotation() throws {
        let files = Files(contents([old]))
        let ring = KeyRing(try files.read(), source: files.source)
        let verifier = AssertionVerifier(audience: .tenantAdmin, keys: ring)
        let before = try AssertionSigner(issuer: .gateway, keyPair: old).assertion(for: .tenantAdmin)
        let after = try AssertionSigner(issuer: .gateway, keyPair: new).assertion(for: .tenantAdmin)
        files.set(contents([new, old]))
        #expect(throws: Never.self) { try verifier.verify(after, accepting: [.gateway]) }
        #expect(throws: Never.self) { try verifier.verify(before, accepting: [.gateway]) }
        files.set(contents([new]))
        #expect(try ring.reload())
        #expect(throws: IdentityError.self) { try verifier.verify(before, accepting: [.gateway]) }
    }

    @Test("each of many keys that replace one another at once is accepted by every thread as soon as the set holds it")
    func rotations() async throws {
        let files = Files(contents([old]))
        let ring = KeyRing(try files.read(), source: files.source)
        for _ in 1...50 {
            let next = ServiceKeyPair()
            files.set(contents([next]))
            let refused = await withTaskGroup(of: Bool.self) { group in
                for _ in 1...8 { group.addTask { ring.verifyingKey(next.keyID) == nil } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(refused == 0)
        }
        #expect(files.reads.withLock { $0 } == 51)
    }

    @Test(
        "a signer whose key was replaced signs with the new one, cached assertions included, once every node has the key"
    )
    func signer() throws {
        let files = Files(contents([old]))
        let time = Mutex(ContinuousClock.now)
        let ring = KeyRing(try files.read(), source: files.source, now: { time.withLock { $0 } })
        let signer = AssertionSigner(issuer: .gateway, keys: ring)
        _ = try signer.assertion(for: .tenantAdmin)
        files.set(contents([new, old]))
        try ring.reload()
        func isVerified(by pair: ServiceKeyPair) -> Bool {
            let verifier = AssertionVerifier(
                audience: .tenantAdmin, keys: JSONWebKeySet(keys: [pair.publicJWK(issuer: .gateway)]))
            return (try? verifier.verify(try signer.assertion(for: .tenantAdmin), accepting: [.gateway])) != nil
        }
        #expect(isVerified(by: old) && !isVerified(by: new))
        time.withLock { $0 += KeyRing.settling - .milliseconds(1) }
        #expect(isVerified(by: old))
        time.withLock { $0 += .milliseconds(1) }
        #expect(isVerified(by: new) && !isVerified(by: old))
    }

    @Test("of keys replaced one after the other each signs in its turn, and what remains after a pruning signs at once")
    func severalReplaced() throws {
        let newest = ServiceKeyPair()
        let files = Files(contents([old]))
        let time = Mutex(ContinuousClock.now)
        let ring = KeyRing(try files.read(), source: files.source, now: { time.withLock { $0 } })
        for pairs in [[new, old], [newest, new, old]] {
            files.set(contents(pairs))
            try ring.reload()
            #expect(ring.pairs.map(\.keyID).first == old.keyID && ring.pairs.count == pairs.count)
            time.withLock { $0 += KeyRing.settling / 2 }
        }
        #expect(ring.pairs.map(\.keyID) == [new.keyID, newest.keyID, old.keyID])
        files.set(contents([newest]))
        try ring.reload()
        #expect(ring.signing.keyID == newest.keyID)
    }

    @Test("a service that starts right after a rotation goes on signing with the key that every node has")
    func startedAfterRotation() throws {
        let pairs = contents([new, old])
        #expect(KeyRing(pairs, age: .seconds(1)).signing.keyID == old.keyID)
        #expect(KeyRing(pairs, age: KeyRing.settling).signing.keyID == new.keyID)
        #expect(KeyRing(contents([new]), age: .zero).signing.keyID == new.keyID)
    }

    @Test("files that cannot be used leave the present keys in force")
    func spoilt() throws {
        let files = Files(contents([old]))
        let ring = KeyRing(try files.read(), source: files.source)
        files.spoil()
        #expect(throws: IdentityError.self) { try ring.reload() }
        #expect(ring.signing.keyID == old.keyID)
    }

    @Test("tokens by unknown keys do not cause a read of the files each time")
    func unknown() throws {
        let files = Files(contents([old]))
        let ring = KeyRing(try files.read(), source: files.source)
        for _ in 1...1000 { #expect(ring.verifyingKey("nobody's") == nil) }
        #expect(files.reads.withLock { $0 } == 2)
    }

    @Test("an unknown key causes a look at the files, however many are sent no more than one in a tenth of a second")
    func looks() throws {
        let files = Files(contents([old]))
        let time = Mutex(ContinuousClock.now)
        let looks = Mutex(0)
        let source = KeyRing.Source(
            stamp: {
                looks.withLock { $0 += 1 }
                return files.stamp
            }, read: { try files.read() })
        let ring = KeyRing(try files.read(), source: source, now: { time.withLock { $0 } })
        for _ in 1...1000 { ring.look() }
        // Once to see whether they have changed, once before they are read.
        #expect(looks.withLock { $0 } == 2)
        files.set(contents([new, old]))
        ring.look()
        #expect(ring.pairs.count == 1)
        time.withLock { $0 += .milliseconds(100) }
        ring.look()
        #expect(ring.pairs.count == 2)
    }

    @Test("a file may hold several keys, the one that signs first")
    func several() throws {
        let pairs = try ServiceKeyPair.all(pem: new.pem + "\n" + old.pem)
        #expect(pairs.map(\.keyID) == [new.keyID, old.keyID])
        #expect(throws: IdentityError.self) { try ServiceKeyPair.all(pem: "") }
        #expect(throws: IdentityError.self) {
            try ServiceKeyPair.all(pem: new.pem + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        }
    }
}

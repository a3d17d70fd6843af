import Basics
import Contracts
import Foundation
import Synchronization
import Testing

@testable import ServiceIdentity

@Suite("Password hashes")
struct PasswordHashTests {
    @Test("scrypt gives the figures of RFC 7914 §12")
    func knownAnswers() throws {
        let empty = try PasswordHash.scrypt(
            [], salt: [], parameters: ScryptParameters(logCost: 4, blockSize: 1, parallelism: 1), count: 64)
        let salted = try PasswordHash.scrypt(
            Array("password".utf8), salt: Array("NaCl".utf8),
            parameters: ScryptParameters(logCost: 10, blockSize: 8, parallelism: 16), count: 64)
        let pleaseLetMeIn = try PasswordHash.scrypt(
            Array("pleaseletmein".utf8), salt: Array("SodiumChloride".utf8),
            parameters: ScryptParameters(logCost: 14, blockSize: 8, parallelism: 1), count: 64)

        #expect(empty.hex.hasPrefix("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"))
        #expect(salted.hex.hasPrefix("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"))
        #expect(pleaseLetMeIn.hex.hasPrefix("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
    }

    @Test("a password matches its own hash and no other does")
    func verify() async throws {
        let hash = try await PasswordHash.make("correct horse battery staple", of: nil)
        #expect(try await PasswordHash.verify("correct horse battery staple", against: hash, of: nil))
        #expect(try await !PasswordHash.verify("correct horse battery stapl", against: hash, of: nil))
        #expect(try await !PasswordHash.verify("", against: hash, of: nil))
        #expect(!PasswordHash.needsRehash(hash))
    }

    @Test("the same password is stored differently each time")
    func salted() async throws {
        let first = try await PasswordHash.make("a password", of: nil)
        let second = try await PasswordHash.make("a password", of: nil)
        #expect(first != second)
    }

    @Test("the two Unicode spellings of one password are one password")
    func normalised() async throws {
        let hash = try await PasswordHash.make("caf\u{e9} is closed", of: nil)
        #expect(try await PasswordHash.verify("cafe\u{301} is closed", against: hash, of: nil))
    }

    @Test("the decoy is a valid hash that nothing matches")
    func decoy() async throws {
        #expect(try await !PasswordHash.verify("anything", against: PasswordHash.decoy, of: nil))
        #expect(!PasswordHash.needsRehash(PasswordHash.decoy))
    }

    @Test("a hash with other parameters still verifies and asks for a rehash")
    func oldParameters() async throws {
        let old = ScryptParameters(logCost: 10, blockSize: 8, parallelism: 1)
        let salt = [UInt8](repeating: 7, count: 16)
        let hash = try PasswordHash.scrypt(Array("old".utf8), salt: salt, parameters: old, count: 32)
        let stored = StoredHash(parameters: old, salt: salt, hash: hash).text
        #expect(try await PasswordHash.verify("old", against: stored, of: nil))
        #expect(PasswordHash.needsRehash(stored))
    }

    @Test(
        "what is not a hash of ours, or would take the machine's memory, is refused",
        arguments: [
            "", "$scrypt$", "$argon2id$v=19$m=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=31,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=15,r=8,p=100000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$",
        ])
    func invalid(stored: String) async throws {
        let error = await #expect(throws: PasswordHashError.self) {
            try await PasswordHash.verify("x", against: stored, of: nil)
        }
        #expect(error?.code == .invalidHash)
    }

    @Test("the queue is bounded; a job beyond it fails at once")
    func boundedQueue() async throws {
        let threads = WorkerThreads(name: "test", count: 1, maximumWaiting: 1)
        let gate = DispatchSemaphore(value: 0)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        async let running: Void = threads.run(of: nil) {
            continuation.yield()
            gate.wait()
        }
        _ = await started.first { _ in true }
        let waiting = Task { try await threads.run(of: nil) { 2 } }
        while threads.waitingCount == 0 { await Task.yield() }

        let error = await #expect(throws: PasswordHashError.self) { try await threads.run(of: nil) { 3 } }

        #expect(error?.code == .busy)
        gate.signal()
        #expect(try await waiting.value == 2)
        try await running
    }

    @Test("a tenant that fills the queue neither keeps another tenant out of it nor makes it wait for all of its jobs")
    func sharedQueue() async throws {
        let (many, one) = (TenantID(), TenantID())
        let threads = WorkerThreads(name: "test", count: 1, maximumWaiting: 4)
        let gate = DispatchSemaphore(value: 0)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        async let running: Void = threads.run(of: many) {
            continuation.yield()
            gate.wait()
        }
        _ = await started.first { _ in true }
        let order = Order()
        var flood: [Task<Void, any Error>] = []
        for number in 1...4 {
            flood.append(Task { try await threads.run(of: many) { order.note("many \(number)") } })
            while threads.waitingCount < number { await Task.yield() }
        }

        let login = Task { try await threads.run(of: one) { order.note("one") } }
        // The last of the many is turned away for it, at once.
        let error = await #expect(throws: PasswordHashError.self) { try await flood[3].value }
        gate.signal()
        try await login.value
        for job in flood.dropLast() { try await job.value }
        try await running

        #expect(error?.code == .busy)
        #expect(order.names == ["many 1", "one", "many 2", "many 3"])
    }

    @Test("a full queue makes room for who has less in it, and for nobody else")
    func queueOrder() {
        var queue = WorkQueue<String, Int>(capacity: 3)
        func add(_ job: Int, _ owner: String) -> Int? { queue.add(job, UInt64(job), of: owner) }
        let first = [add(1, "a"), add(2, "a"), add(3, "a")]
        let (own, least) = (add(4, "a"), add(5, "b"))
        // Two of one and one of the other: to take one away would only turn that about.
        let even = add(6, "b")
        let (another, oneEach) = (add(7, "c"), add(8, "d"))
        let (removed, removedAgain) = (queue.remove(5), queue.remove(5))
        let fits = add(9, "a")
        let order = [queue.next(), queue.next(), queue.next(), queue.next()]

        #expect(first == [nil, nil, nil])
        #expect([own, least, even, another, oneEach] == [4, 3, 6, 2, 8])
        #expect(removed == 5 && removedAgain == nil && fits == nil)
        #expect(order == [1, 7, 9, nil])
        #expect(queue.count == 0)
    }

    @Test("a job whose task is cancelled while it waits is never run")
    func cancelledWhileWaiting() async throws {
        let threads = WorkerThreads(name: "test", count: 1, maximumWaiting: 4)
        let gate = DispatchSemaphore(value: 0)
        let (started, continuation) = AsyncStream<Void>.makeStream()
        async let running: Void = threads.run(of: nil) {
            continuation.yield()
            gate.wait()
        }
        _ = await started.first { _ in true }
        let ran = Flag()
        let waiting = Task { try await threads.run(of: nil) { ran.raise() } }
        while threads.waitingCount == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        gate.signal()
        try await running
        #expect(!ran.isRaised)
    }
}

private final class Order: Sendable {
    private let noted = Mutex<[String]>([])
    var names: [String] { noted.withLock { $0 } }
    func note(_ name: String) { noted.withLock { $0.append(name) } }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isRaised: Bool { value.load(ordering: .acquiring) }
    func raise() { value.store(true, ordering: .releasing) }
}

import Basics
import Contracts
import Postgres
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Gateway nodes' limits over one Postgres, by a clock of the test's own. Every twentieth of a second each node is asked as often as its
/// rate says; twice a second the nodes tell each other.
private final class Nodes: Sendable {
    struct Node: Sendable {
        let limit: LimitStage
        let exchange: LimitExchange
    }

    /// A hundred requests a second, and as many at once, of all nodes together.
    static let allowance = GatewayConfiguration.Allowance(perSecond: 100, burst: 100)
    private static let step = Duration.milliseconds(50)

    let database: ServiceDatabase
    let nodes: [Node]
    let tenant = Fixture.tenant(plan: .starter)
    private let clock: SharedTime

    private init(_ count: Int, _ database: ServiceDatabase) {
        let time = SharedTime()
        self.database = database
        clock = time
        let configuration = GatewayConfiguration(
            routes: [], upstreams: [:], plans: [.starter: Self.allowance], address: Self.allowance)
        nodes = (0..<count).map { _ in
            let limit = LimitStage(configuration, now: { time.now })
            return Node(
                limit: limit,
                // The database's clock is real: no row grows old while a test plays, however long that takes.
                exchange: LimitExchange(
                    limit, over: database, memory: .seconds(3600), patience: .seconds(60),
                    logger: PostgresCluster.quietLogger, now: { time.now }))
        }
    }

    private final class SharedTime: Sendable {
        private let offset = Mutex(Duration.zero)
        var now: ContinuousClock.Instant { Fixture.start + offset.withLock { $0 } }
        func advance(_ duration: Duration) { offset.withLock { $0 += duration } }
    }

    static func with(_ count: Int = 3, _ body: (Nodes) async throws -> Void) async throws {
        try await ServiceDatabases.withDatabases("limits", migrated: .gateway) { databases in
            let database = ServiceDatabase(
                configuration: try .patient(url: databases.gateway), schema: "gateway",
                migrationsDirectory: ServiceDatabases.migrations("gateway"), logger: PostgresCluster.quietLogger)
            let nodes = Nodes(count, database)
            let outcome: Result<Void, any Error>
            do {
                // As nodes that have stood for a while, and know each other.
                for _ in 1...2 { for node in nodes.nodes { try await node.exchange.exchange() } }
                outcome = .success(try await body(nodes))
            } catch {
                outcome = .failure(error)
            }
            await database.pool.close()
            try outcome.get()
        }
    }

    /// - Parameters:
    ///   - rates: requests a second to each node; nil: the node is dead.
    ///   - isHeard: whether the nodes can tell each other.
    ///   - ask: what is asked for; nil: a request of the tenant.
    /// - Returns: how many were let through.
    func play(
        _ seconds: Int, _ rates: [Double?], isHeard: Bool = true, ask: ((LimitStage) throws -> Void)? = nil
    ) async throws -> Int {
        let ask = ask ?? { [tenant] in try $0.admit(tenant) }
        var passed = 0
        var owed = rates.map { _ in 0.0 }
        for step in 1...(seconds * 20) {
            clock.advance(Self.step)
            for (index, node) in nodes.enumerated() {
                owed[index] += (rates[index] ?? 0) / 20
                while owed[index] >= 1 {
                    owed[index] -= 1
                    if (try? ask(node.limit)) != nil { passed += 1 }
                }
            }
            guard isHeard else { continue }
            for (index, node) in nodes.enumerated() where rates[index] != nil && (step + index * 3).isMultiple(of: 10) {
                try await node.exchange.exchange()
            }
        }
        return passed
    }

    /// The rows of all nodes grow old at once, as if more than the nodes' memory had passed for the database.
    func age() async throws {
        _ = try await database.withTransaction { connection in
            try await connection.execute("UPDATE limit_nodes SET seen_at = seen_at - interval '2 hours'")
        }
    }
}

@Suite("Limits of several nodes together")
struct LimitExchangeTests {
    /// Within a tenth of what the allowance lets through.
    private func isFair(_ passed: Int, _ seconds: Int, withBurst: Bool = true) -> Bool {
        let whole = Double(seconds * 100 + (withBurst ? 100 : 0))
        return Double(passed) <= whole * 1.02 && Double(passed) >= whole * 0.9
    }

    @Test(
        "a tenant gets what its plan allows, within a tenth, from any node",
        arguments: [
            [300.0, 0, 0], [140, 50, 10], [100, 100, 100], [0, 500, 500], [95, 5, 95], [1000, 1000, 1000],
        ])
    func uneven(rates: [Double]) async throws {
        try await Nodes.with { nodes in
            let passed = try await nodes.play(20, rates)
            #expect(isFair(passed, 20), "\(passed) of 2100")
        }
    }

    @Test(
        "an address may ask for credentials, and guess, as often as is allowed, within a tenth, whichever nodes it asks",
        arguments: [[300.0, 300, 300], [300, 0, 0], [0, 500, 100]])
    func address(rates: [Double]) async throws {
        let client = try #require(ClientAddress("2001:db8::1"))
        try await Nodes.with { nodes in
            let passed = try await nodes.play(20, rates) { try $0.admit(address: client) }
            #expect(isFair(passed, 20), "\(passed) of 2100")
        }
        try await Nodes.with { nodes in
            let guesses = try await nodes.play(20, rates) {
                try $0.requireGuesses(client)
                $0.chargeGuess(client)
            }
            #expect(isFair(guesses, 20), "\(guesses) of 2100")
        }
    }

    @Test("what an address has asked of a node in the course of time takes nothing from what it asks of another now")
    func addressOfLongAgo() async throws {
        let client = try #require(ClientAddress("192.0.2.1"))
        let ask: (LimitStage) throws -> Void = { try $0.admit(address: client) }
        try await Nodes.with { nodes in
            // Never so much that the others would be told.
            let before = try await nodes.play(600, [20, 0, 0], isHeard: false, ask: ask)
            #expect(before == 12_000)
            _ = try await nodes.play(1, [0, 0, 0])
            let passed = try await nodes.play(20, [0, 300, 0], ask: ask)
            #expect(isFair(passed, 20), "\(passed) of 2100")
        }
    }

    @Test("a tenant that asks for less than its plan allows is never refused, wherever it asks")
    func below() async throws {
        try await Nodes.with { nodes in
            let passed = try await nodes.play(20, [80, 0, 10])
            #expect(passed >= 1780, "\(passed) of 1800")
        }
    }

    @Test("when the demand goes from one node to another the allowance goes with it")
    func moving() async throws {
        try await Nodes.with { nodes in
            var passed = try await nodes.play(20, [300, 0, 0])
            passed += try await nodes.play(20, [0, 0, 300])
            passed += try await nodes.play(20, [150, 150, 0])
            #expect(isFair(passed, 60), "\(passed) of 6100")
        }
    }

    @Test("a dead node's share is the others' three seconds later, and nothing is lost or doubled")
    func death() async throws {
        try await Nodes.with { nodes in
            _ = try await nodes.play(10, [300, 10, 10])
            // Until its row is old the node's share is nobody's.
            let meanwhile = try await nodes.play(3, [nil, 150, 150])
            #expect(meanwhile <= 330, "\(meanwhile)")
            try await nodes.age()
            let passed = try await nodes.play(20, [nil, 150, 150])
            #expect(isFair(passed, 20, withBurst: false), "\(passed) of 2000")
        }
    }

    @Test(
        "nodes without an exchange admit an equal part each, together no more than the plan allows"
    )
    func unheard() async throws {
        try await Nodes.with { nodes in
            _ = try await nodes.play(10, [300, 300, 300])
            // What was agreed on is used for two seconds more.
            let passed = try await nodes.play(20, [300, 300, 300], isHeard: false)
            #expect(isFair(passed, 20, withBurst: false), "\(passed) of 2000")
            let one = try await nodes.play(20, [300, 0, 0], isHeard: false)
            #expect((600...800).contains(one), "\(one): a third of 2000")
        }
    }

    @Test("rows of every kind are told and read again, those of an unknown kind are not")
    func names() throws {
        let holders: [LimitHolder] = [
            .tenant(TenantID()), .user(UserID()), .apiKey(APIKeyID()), .routeClass(TenantID(), "reports"),
            .address("10.0.0.1"), .address("2001:db8::/64"),
        ]
        for holder in holders { #expect(LimitHolder(rawValue: holder.rawValue) == holder) }
        for text in ["", "tenant", "tenant:x", "planet:\(TenantID())", "class:\(TenantID())", "address:"] {
            #expect(LimitHolder(rawValue: text) == nil)
        }
    }

    @Test("the shares of all nodes are never more than the whole")
    func whole() {
        var generator = SeededGenerator(seed: 1)
        let holder = LimitHolder.tenant(TenantID())
        for _ in 1...200 {
            var all: [LimitShares.Rows] = [[:], [:], [:], [:]]
            for _ in 1...40 {
                let index = Int.random(in: 0..<4, using: &generator)
                let others = all.indices.filter { $0 != index }.map { all[$0] }
                let before = all[index][holder]?.share ?? 0.25
                let demand = Bool.random(using: &generator) ? 0 : Double.random(in: 0...3, using: &generator)
                let mine = LimitShares.Row(demand: demand, share: before, fill: 0, isWanted: demand > 0.2)
                all[index] = LimitShares.settled([holder: mine], beside: others)
                let sum = all.reduce(0) { $0 + ($1[holder]?.share ?? 0.25) }
                #expect(sum <= 1 + LimitShares.reserve, "\(all)")
            }
        }
    }
}

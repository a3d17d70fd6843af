import Testing

@testable import Gateway

@Suite("Balancer")
struct BalancerTests {
    private let start = Fixture.start
    private func balancer(_ addresses: Int = 3) -> Balancer {
        Balancer(addresses: addresses, health: .init(failuresToOpen: 2, openFor: .seconds(5)))
    }

    @Test("addresses are asked in turn")
    func roundRobin() {
        var balancer = balancer()
        #expect((0..<6).map { _ in balancer.pick(now: start) } == [0, 1, 2, 0, 1, 2])
    }

    @Test("an address that failed this request is not tried again for it")
    func excluded() {
        var balancer = balancer()
        #expect(balancer.pick(excluding: [0, 1], now: start) == 2)
        #expect(balancer.pick(excluding: [0, 1, 2], now: start) == nil)
    }

    @Test("failures in a row open the circuit, a success between them does not let them add up")
    func opens() {
        var balancer = balancer(2)
        balancer.failed(0, now: start)
        balancer.succeeded(0)
        balancer.failed(0, now: start)
        #expect(balancer.healthyCount(now: start) == 2)
        balancer.failed(0, now: start)
        #expect(balancer.healthyCount(now: start) == 1)
        #expect((0..<3).map { _ in balancer.pick(now: start) } == [1, 1, 1])
    }

    @Test("when all circuits are open there is nobody to ask")
    func none() {
        var balancer = balancer(1)
        balancer.failed(0, now: start)
        balancer.failed(0, now: start)
        #expect(balancer.pick(now: start + .seconds(4)) == nil)
    }

    @Test("after a while exactly one request tries an open address")
    func halfOpen() {
        var balancer = balancer(1)
        balancer.failed(0, now: start)
        balancer.failed(0, now: start)
        let later = start + .seconds(5)
        #expect(balancer.pick(now: later) == 0)
        #expect(balancer.pick(now: later) == nil)
        balancer.succeeded(0)
        #expect(balancer.pick(now: later) == 0)
        #expect(balancer.pick(now: later) == 0)
    }

    @Test("one failure of the trial opens it again")
    func opensAgain() {
        var balancer = balancer(1)
        balancer.failed(0, now: start)
        balancer.failed(0, now: start)
        let later = start + .seconds(5)
        _ = balancer.pick(now: later)
        balancer.failed(0, now: later)
        #expect(balancer.pick(now: later + .seconds(4)) == nil)
        #expect(balancer.pick(now: later + .seconds(5)) == 0)
    }

    @Test("a trial that never reports is followed by another")
    func lostTrial() {
        var balancer = balancer(1)
        balancer.failed(0, now: start)
        balancer.failed(0, now: start)
        _ = balancer.pick(now: start + .seconds(5))
        #expect(balancer.pick(now: start + .seconds(10)) == 0)
    }
}

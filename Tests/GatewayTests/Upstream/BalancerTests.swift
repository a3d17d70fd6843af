import Contracts
import ServiceKit
import Testing

@testable import Gateway

@Suite("Balancer")
struct BalancerTests {
    private let start = Fixture.start
    private let nodes = ["a", "b", "c"]

    private func balancer(_ count: Int = 3) -> Balancer {
        Balancer(Array(nodes.prefix(count)), health: .init(failuresToOpen: 2, openFor: .seconds(5)))
    }

    @Test("of two nodes the one with less under way is asked, and no node is left out")
    func leastLoaded() {
        var balancer = balancer()
        for _ in 0..<300 { _ = balancer.pick(now: start) }
        for node in nodes { #expect(abs(balancer.underWay(node) - 100) <= 10) }
        for _ in 0..<50 { balancer.ended("b") }
        for _ in 0..<30 { _ = balancer.pick(now: start) }
        // Two in three pairs have it: some 20 of 30, and hardly ever so few.
        #expect(balancer.underWay("b") > 55)
    }

    @Test("a node that failed this request is not tried again for it")
    func excluded() {
        var balancer = balancer()
        #expect(balancer.pick(excluding: ["a", "b"], now: start) == "c")
        #expect(balancer.pick(excluding: ["a", "b", "c"], now: start) == nil)
    }

    @Test("failures in a row open the circuit, a success between them does not let them add up")
    func opens() {
        var balancer = balancer(2)
        balancer.failed("a", .noAnswer, now: start)
        balancer.succeeded("a", now: start)
        balancer.failed("a", .noAnswer, now: start)
        #expect(balancer.healthyCount(now: start) == 2)
        balancer.failed("a", .noAnswer, now: start)
        #expect(balancer.healthyCount(now: start) == 1)
        #expect((0..<3).map { _ in balancer.pick(now: start) } == ["b", "b", "b"])
    }

    @Test("a node that answers 503 while another is well is left alone; all of them doing so are asked on")
    func refusals() {
        var balancer = balancer(2)
        for _ in 1...2 { balancer.failed("a", .refused, now: start) }
        #expect(balancer.healthyCount(now: start) == 1)
        for _ in 1...10 { balancer.failed("b", .refused, now: start) }
        #expect(balancer.pick(now: start) == "b")
    }

    @Test(
        "a tenant whose requests fail loses the node for itself, and only several tenants' failures take it from all",
        arguments: [Balancer.Failure.tooSlow, .refused])
    func oneTenant(failure: Balancer.Failure) {
        var balancer = balancer(2)
        let (slow, other) = (TenantID(), TenantID())
        for _ in 1...20 { balancer.failed("a", failure, of: slow, now: start) }
        #expect(balancer.healthyCount(now: start) == 2)
        #expect((0..<20).allSatisfy { _ in balancer.pick(of: slow, now: start) == "b" })
        #expect((0..<20).contains { _ in balancer.pick(of: other, now: start) == "a" })
        // Where it has no other, the tenant is served by what there is.
        #expect(balancer.pick(excluding: ["b"], of: slow, now: start) == "a")

        let later = start + .seconds(6)
        #expect((0..<20).contains { _ in balancer.pick(of: slow, now: later) == "a" })
        balancer.failed("a", failure, of: other, now: later)
        #expect(balancer.healthyCount(now: later) == 1)
    }

    @Test("a tenant that one node is left alone for is not sent to one that is down instead", arguments: [true, false])
    func shunnedBesideDown(isOutByChecks: Bool) {
        var balancer = balancer(2)
        let tenant = TenantID()
        for _ in 1...5 { balancer.failed("a", .tooSlow, of: tenant, now: start) }
        for _ in 1...5 {
            if isOutByChecks {
                balancer.checked("b", isWell: false, now: start)
            } else {
                balancer.failed("b", .noAnswer, now: start)
            }
        }
        #expect(balancer.healthyCount(now: start) == 1)
        #expect((0..<20).allSatisfy { _ in balancer.pick(of: tenant, now: start) == "a" })
    }

    @Test("a tenant that the node has answered since begins anew")
    func answeredSince() {
        var balancer = balancer(2)
        let tenant = TenantID()
        for _ in 1...5 {
            balancer.failed("a", .tooSlow, of: tenant, now: start)
            balancer.succeeded("a", of: tenant, now: start)
        }
        #expect(balancer.healthyCount(now: start) == 2)
        #expect((0..<40).contains { _ in balancer.pick(of: tenant, now: start) == "a" })
    }

    @Test("a tenant known to have trouble does not keep a node closed off by trying it")
    func trial() {
        var balancer = balancer(2)
        let tenant = TenantID()
        balancer.failed("a", .refused, of: tenant, now: start)
        for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
        let later = start + .seconds(5)
        #expect(balancer.pick(of: tenant, now: later) == "a")
        balancer.failed("a", .refused, of: tenant, now: later)
        #expect(balancer.pick(now: later) == "a")
    }

    @Test(
        "where every circuit is open the node that failed longest ago is asked, and none that the checks have put out")
    func allOpen() {
        var balancer = balancer()
        for (index, node) in ["b", "a", "c"].enumerated() {
            for _ in 1...2 { balancer.failed(node, .noAnswer, now: start + .milliseconds(index)) }
        }
        let soon = start + .seconds(1)
        #expect(balancer.pick(now: soon) == "b")
        #expect(balancer.pick(excluding: ["b"], now: soon) == "a")
        for _ in 1...2 { balancer.checked("b", isWell: false, now: soon) }
        #expect(balancer.pick(now: soon) == "a")
        balancer.succeeded("a", now: soon)
        #expect(balancer.healthyCount(now: soon) == 1)
        for node in ["a", "c"] { for _ in 1...2 { balancer.checked(node, isWell: false, now: soon) } }
        #expect(balancer.pick(now: soon) == nil)
    }

    @Test("a single node whose circuit is open is not asked")
    func none() {
        var balancer = balancer(1)
        for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
        #expect(balancer.pick(now: start + .seconds(4)) == nil)
    }

    @Test("after a while exactly one request tries an open node, and rather one that can be sent again")
    func halfOpen() {
        var balancer = balancer(2)
        for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
        let later = start + .seconds(5)
        #expect(balancer.pick(isTrial: false, now: later) == "b")
        #expect(balancer.pick(now: later) == "a")
        #expect(balancer.pick(now: later) == "b")
        balancer.failed("a", .noAnswer, now: later)
        #expect(balancer.pick(now: later + .seconds(4)) == "b")
        #expect(balancer.pick(now: later + .seconds(5)) == "a")
    }

    @Test("a trial that never reports is followed by another")
    func lostTrial() {
        var balancer = balancer(1)
        for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
        _ = balancer.pick(now: start + .seconds(5))
        #expect(balancer.pick(now: start + .seconds(10)) == "a")
    }

    @Test("a node that is back gets its full share only after a while")
    func slowStart() {
        func share(after pause: Duration) -> Int {
            var balancer = balancer(2)
            for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
            balancer.succeeded("a", now: start)
            for _ in 0..<100 { _ = balancer.pick(now: start + pause) }
            return balancer.underWay("a")
        }
        #expect(share(after: .zero) < 20)
        #expect((25...40).contains(share(after: .seconds(5))))
        #expect((45...55).contains(share(after: .seconds(10))))
    }

    @Test("a node that is going down gets nothing new while another stays, and is used where there is no other")
    func drains() {
        var balancer = balancer(2)
        balancer.draining("a", now: start)
        #expect((0..<4).map { _ in balancer.pick(now: start) } == ["b", "b", "b", "b"])
        balancer.draining("b", now: start)
        #expect(balancer.pick(now: start) != nil)
        balancer.checked("a", isWell: true, now: start)
        #expect((0..<4).map { _ in balancer.pick(now: start) } == ["a", "a", "a", "a"])
    }

    @Test("checks put out a node that does not answer them, and let in again what they have put out and nothing else")
    func checks() {
        var hanging = balancer(2)
        hanging.checked("a", isWell: false, now: start)
        #expect(hanging.healthyCount(now: start) == 2)
        hanging.checked("a", isWell: false, now: start)
        #expect((0..<3).map { _ in hanging.pick(now: start + .seconds(60)) } == ["b", "b", "b"])
        hanging.checked("a", isWell: true, now: start)
        #expect(hanging.healthyCount(now: start) == 2)

        var failing = balancer(2)
        for _ in 1...2 {
            failing.failed("a", .refused, now: start)
            failing.checked("a", isWell: true, now: start)
        }
        #expect((0..<3).map { _ in failing.pick(now: start) } == ["b", "b", "b"])
    }

    @Test("nodes come and go; what is known of those that stay is kept")
    func update() {
        var balancer = balancer(2)
        for _ in 1...2 { balancer.failed("a", .noAnswer, now: start) }
        balancer.update(["a", "c"], now: start)
        #expect((0..<3).map { _ in balancer.pick(now: start) } == ["c", "c", "c"])
    }

    @Test("second attempts are no more than a share of the first")
    func budget() {
        var budget = RetryBudget()
        #expect((0..<20).count { _ in budget.take() } == 10)
        for _ in 0..<101 { budget.sent() }
        #expect((0..<100).count { _ in budget.take() } == 20)
    }

    @Test("a tenant whose requests fail again and again leaves second attempts to the others")
    func sharedBudget() {
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://a", "http://b"], health: .init(failuresToOpen: 100, openFor: .seconds(5)))
        let (failing, other) = (TenantID(), TenantID())
        for _ in 1...2 { upstream.failed("http://a", .refused, of: failing) }
        #expect((0..<20).count { _ in upstream.mayRetry(of: failing) } == 5)
        #expect((0..<20).count { _ in upstream.mayRetry(of: other) } == 5)
    }

    @Test("a node that ends its connection is going down, unless it refuses what a client has sent")
    func lastAnswers() {
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://a"], health: .init(failuresToOpen: 1, openFor: .seconds(5)))
        let attempts = Attempts(upstream, of: nil, isRepeatable: true, isVouched: false, within: .seconds(5))
        for status in [400, 413, 431] { attempts.noteConnection("close", status, of: "http://a", isSent: true) }
        attempts.noteConnection("close", 200, of: "http://a", isSent: false)
        attempts.noteConnection("keep-alive", 200, of: "http://a", isSent: true)
        #expect(upstream.standings.map(\.isDraining) == [false])
        attempts.noteConnection("close", 200, of: "http://a", isSent: true)
        #expect(upstream.standings.map(\.isDraining) == [true])
    }

    @Test("a node that does not trust the gateway is one that fails, where the caller has been verified")
    func mistrusted() {
        let upstream = Upstream(
            .mlPrediction, baseURLs: ["http://a", "http://b"], health: .init(failuresToOpen: 1, openFor: .seconds(5)))
        for isVouched in [true, false] {
            var attempts = Attempts(
                upstream, of: nil, isRepeatable: true, isVouched: isVouched, within: .seconds(5))
            guard let node = attempts.next(RequestRecord(method: "GET")) else {
                Issue.record("no node")
                return
            }
            #expect(attempts.mistrusts(401) == isVouched && !attempts.mistrusts(403))
            #expect(attempts.answered(401, node) == isVouched)
        }
    }
}

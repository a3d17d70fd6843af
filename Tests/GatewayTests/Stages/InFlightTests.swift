import Contracts
import ServiceKit
import Testing

@testable import Gateway

@Suite("Requests under way")
struct InFlightTests {
    @Test("each holder has its own places, for short requests and streams apart, and gets them back")
    func places() {
        var inFlight = InFlight()
        let (acme, other) = (TenantID(), TenantID())
        func enter(_ kind: InFlight.Kind, _ holder: InFlight.Holder) -> Bool {
            inFlight.enter(kind, holder, .init(tenant: 2, user: 1, address: 1))
        }
        let briefOfAcme = (0..<3).map { _ in enter(.brief, .tenant(acme)) }
        let others = [enter(.brief, .tenant(other)), enter(.stream, .tenant(acme))]
        let ada = (0..<2).map { _ in enter(.brief, .user("ada")) }
        inFlight.leave(.brief, .user("ada"))
        let again = enter(.brief, .user("ada"))
        #expect(briefOfAcme == [true, true, false])
        #expect(others == [true, true])
        #expect(ada == [true, false])
        #expect(again)
    }

    @Test("a full node admits no request")
    func node() {
        var inFlight = InFlight()
        let entered = (0..<2).map { _ in inFlight.enterNode(1, isStranger: false) }
        inFlight.leaveNode(isStranger: false)
        #expect(entered == [true, false])
        #expect(inFlight.isEmpty)
    }

    @Test("a quarter of a node's places is kept from requests whose senders nobody verifies")
    func strangers() {
        var inFlight = InFlight()
        let strangers = (0..<8).count { _ in inFlight.enterNode(8, isStranger: true) }
        let others = (0..<8).count { _ in inFlight.enterNode(8, isStranger: false) }
        #expect((strangers, others) == (6, 2))
        inFlight.leaveNode(isStranger: false)
        let stranger = inFlight.enterNode(8, isStranger: true)
        let other = inFlight.enterNode(8, isStranger: false)
        #expect((stranger, other) == (false, true))
    }
}

@Suite("The pace of a body")
struct BodyPaceTests {
    private let start = Fixture.start
    private let rate = BodyRate(bytesPerSecond: 100, grace: .seconds(10))

    @Test("a silence longer than the grace is too slow, whatever came before")
    func silence() {
        var pace = BodyPace(rate)
        pace.waits(since: start)
        pace.received(1_000_000, now: start)
        pace.waits(since: start)
        #expect(!pace.isTooSlow(now: start + .seconds(10)))
        #expect(pace.isTooSlow(now: start + .seconds(11)))
    }

    @Test("a drop now and then is too slow once the grace is over")
    func drops() {
        var pace = BodyPace(rate)
        for second in 0..<12 {
            pace.waits(since: start + .seconds(second))
            #expect(!pace.isTooSlow(now: start + .seconds(second)) == (second <= 10))
            pace.received(1, now: start + .seconds(second + 1))
        }
    }

    @Test("the time that the upstream takes is not the client's")
    func upstream() {
        var pace = BodyPace(rate)
        pace.waits(since: start)
        pace.received(10, now: start + .seconds(1))
        #expect(!pace.isTooSlow(now: start + .seconds(3600)))
        pace.waits(since: start + .seconds(3600))
        #expect(!pace.isTooSlow(now: start + .seconds(3601)))
    }
}

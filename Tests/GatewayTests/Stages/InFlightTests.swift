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
        let entered = [inFlight.enterNode(1), inFlight.enterNode(1)]
        inFlight.leaveNode()
        #expect(entered == [true, false])
        #expect(inFlight.isEmpty)
    }
}

@Suite("The pace of an upload")
struct UploadPaceTests {
    private let start = Fixture.start
    private let rate = GatewayConfiguration.UploadRate(bytesPerSecond: 100, grace: .seconds(10))

    @Test("a silence longer than the grace is too slow, whatever came before")
    func silence() {
        var pace = UploadPace(rate)
        pace.waits(since: start)
        pace.received(1_000_000, now: start)
        pace.waits(since: start)
        #expect(!pace.isTooSlow(now: start + .seconds(10)))
        #expect(pace.isTooSlow(now: start + .seconds(11)))
    }

    @Test("a drop now and then is too slow once the grace is over")
    func drops() {
        var pace = UploadPace(rate)
        for second in 0..<12 {
            pace.waits(since: start + .seconds(second))
            #expect(!pace.isTooSlow(now: start + .seconds(second)) == (second <= 10))
            pace.received(1, now: start + .seconds(second + 1))
        }
    }

    @Test("the time that the upstream takes is not the client's")
    func upstream() {
        var pace = UploadPace(rate)
        pace.waits(since: start)
        pace.received(10, now: start + .seconds(1))
        #expect(!pace.isTooSlow(now: start + .seconds(3600)))
        pace.waits(since: start + .seconds(3600))
        #expect(!pace.isTooSlow(now: start + .seconds(3601)))
    }
}

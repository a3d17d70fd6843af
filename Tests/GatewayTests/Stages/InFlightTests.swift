import Contracts
import ServiceKit
import Testing

@testable import Gateway

@Suite("Requests under way")
struct InFlightTests {
    @Test("each holder has its own places, for short requests and streams apart, and gets them back")
    func places() {
        var inFlight = InFlight()
        let limits = InFlight.Limits(tenant: 2, user: 1, address: 1)
        let (acme, other) = (TenantID(), TenantID())
        #expect(inFlight.enter(.brief, .tenant(acme), limits))
        #expect(inFlight.enter(.brief, .tenant(acme), limits))
        #expect(!inFlight.enter(.brief, .tenant(acme), limits))
        #expect(inFlight.enter(.brief, .tenant(other), limits))
        #expect(inFlight.enter(.stream, .tenant(acme), limits))
        #expect(inFlight.enter(.brief, .user("ada"), limits))
        #expect(!inFlight.enter(.brief, .user("ada"), limits))
        inFlight.leave(.brief, .user("ada"))
        #expect(inFlight.enter(.brief, .user("ada"), limits))
    }

    @Test("a node that is full takes nobody")
    func node() {
        var inFlight = InFlight()
        #expect(inFlight.enterNode(1))
        #expect(!inFlight.enterNode(1))
        inFlight.leaveNode()
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

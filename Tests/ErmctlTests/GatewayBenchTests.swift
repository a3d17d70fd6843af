import Foundation
import Testing

@testable import Ermctl

@Suite("The benchmark of the gateway")
struct GatewayBenchTests {
    @Test("says which of the programs that it starts are missing")
    func missing() {
        let failure = #expect(throws: CommandFailure.self) {
            try GatewayBench.require(["sh", "no-such-nginx", "/bin/sh", "/no/such/envoy"], in: "/nowhere:/bin")
        }
        #expect(failure?.description == "Not found or not executable: no-such-nginx, /no/such/envoy.")
        #expect(throws: Never.self) { try GatewayBench.require(["sh"], in: "/bin") }
    }
}

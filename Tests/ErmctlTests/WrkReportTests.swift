import Testing

@testable import Ermctl

@Suite("Reports of wrk")
struct WrkReportTests {
    private func text(_ more: String = "") -> String {
        """
        Running 5s test @ http://127.0.0.1:18101/
          1 threads and 64 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
            Latency     2.40ms    1.02ms  20.11ms   91.00%
          Latency Distribution
             50%    2.10ms
             99%    1.20s
          68500 requests in 5.00s, 30.11MB read
        \(more)Requests/sec:  13700.51
        Transfer/sec:      6.02MB
        """
    }

    @Test("requests, rate, the median and the 99th percentile are read, and how many were refused")
    func report() throws {
        let report = try #require(WrkReport(text("  Non-2xx or 3xx responses: 7\n")))
        #expect(report.requests == 68_500 && report.rate == 13_700.51 && report.failed == 7)
        #expect(report.median == 2.1 && report.p99 == 1200)
        #expect(WrkReport(text())?.failed == 0)
    }

    @Test("an invalid report is refused")
    func none() { #expect(WrkReport("unable to connect to 127.0.0.1:18101 Connection refused") == nil) }
}

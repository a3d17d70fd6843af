import Contracts
import Foundation
import Logging
import Synchronization
import Testing

@testable import ServiceKit

@Suite("Logs, metrics and traces")
struct ObservabilityTests {
    @Test("a log line is one JSON object whatever is in it")
    func jsonLines() throws {
        let lines = Lines()
        var logger = Logger(label: "gateway") { label in
            ServiceLogHandler(service: "gateway", label: label, level: .info, format: .json, write: lines.append)
        }
        logger[metadataKey: "request.id"] = "abc"
        logger.info(
            "a \"quoted\"\nmessage \u{1}", metadata: ["n": .stringConvertible(3), "list": ["x", "y"], "level": "mine"])
        logger.debug("not shown")

        #expect(lines.all.count == 1)
        #expect(lines.all[0].hasSuffix("}\n"))
        let object: JSONValue = try WireJSON.decode(from: Array(lines.all[0].utf8))
        #expect(object["level"] == .string("info"))
        #expect(object["service"] == .string("gateway"))
        #expect(object["message"] == .string("a \"quoted\"\nmessage \u{1}"))
        #expect(object["request.id"] == .string("abc"))
        #expect(object["n"] == .integer(3))
        #expect(object["list"] == .array([.string("x"), .string("y")]))
        #expect(object["level_"] == .string("mine"))
        #expect(object["time"]?.stringValue.flatMap { WireJSON.date($0) } != nil)
    }

    @Test("a text line stays one line")
    func textLines() {
        let lines = Lines()
        let logger = Logger(label: "x") { label in
            ServiceLogHandler(service: "x", label: label, level: .info, format: .text, write: lines.append)
        }
        logger.info("two\nlines", metadata: ["k": "v"])
        #expect(lines.all.first?.hasSuffix(" info x: two\\nlines k=v\n") == true)
    }

    @Test("metrics are written as Prometheus reads them")
    func prometheus() {
        let metrics = MetricsRegistry()
        metrics.counter("hits_total", [("route", "/a\"\\\n")], help: "Hits.").increment()
        metrics.counter("hits_total", [("route", "/a\"\\\n")]).increment(by: 2)
        metrics.gauge("depth").set(1.5)
        let histogram = metrics.histogram("seconds", buckets: [0.1, 1])
        for value in [0.1, 0.5, 7] { histogram.record(value) }
        #expect(
            metrics.text() == """
                # TYPE depth gauge
                depth 1.5
                # HELP hits_total Hits.
                # TYPE hits_total counter
                hits_total{route="/a\\"\\\\\\n"} 3
                # TYPE seconds histogram
                seconds_bucket{le="0.1"} 1
                seconds_bucket{le="1"} 2
                seconds_bucket{le="+Inf"} 3
                seconds_sum 7.6
                seconds_count 3

                """)
    }

    @Test("a metric with ever new labels stops growing")
    func boundedSeries() {
        let metrics = MetricsRegistry()
        for number in 0..<(MetricsRegistry.seriesLimit + 100) {
            metrics.counter("c", [("id", "\(number)")]).increment()
        }
        #expect(metrics.text().split(separator: "\n").count == MetricsRegistry.seriesLimit + 1)
    }

    @Test("one name is of one kind; another kind under it does not break the page")
    func oneKind() {
        let metrics = MetricsRegistry()
        metrics.counter("x").increment()
        metrics.histogram("x").record(1.0)
        #expect(metrics.text() == "# TYPE x counter\nx 1\n")
    }

    @Test("a sane request id is kept, any other replaced")
    func requestIDs() {
        #expect(TraceContext(requestID: "a-B.9_", traceparent: nil).requestID == "a-B.9_")
        for bad in ["", "a b", "é", "a\r\nSet-Cookie: x", String(repeating: "x", count: 129)] {
            let made = TraceContext(requestID: bad, traceparent: nil).requestID
            #expect(made != bad)
            #expect(made.count == 32)
        }
    }

    @Test("a trace goes on under the same id with a span of ours; what is not one is made anew")
    func traces() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let trace = TraceContext(requestID: nil, traceparent: parent)
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID != "00f067aa0ba902b7")
        #expect(trace.traceparent == "00-\(trace.traceID)-\(trace.spanID)-01")
        #expect(
            TraceContext(requestID: nil, traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-x")
                .traceID == trace.traceID)
        for bad in [
            "", "00-x", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", parent.uppercased(), parent + "-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        ] {
            #expect(TraceContext(requestID: nil, traceparent: bad).traceID != trace.traceID, "\(bad)")
        }
    }
}

final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    @Sendable func append(_ line: String) { lines.withLock { $0.append(line) } }
}

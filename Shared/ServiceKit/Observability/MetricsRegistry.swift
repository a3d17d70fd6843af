import CoreMetrics
import Synchronization

/// All of a process's metrics, as Prometheus text; also the factory behind swift-metrics.
///
/// Labels must come from small fixed sets (route templates, methods, statuses), never from ids, paths or tenants. Past
/// ``seriesLimit`` a metric takes no further series, so that a mistake cannot fill the memory.
public final class MetricsRegistry: Sendable {
    public static let seriesLimit = 2_000
    /// Upper bounds of a histogram's buckets, in seconds.
    public static let secondsBuckets: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    enum Kind: String { case counter, gauge, histogram }

    struct Family {
        let kind: Kind
        var help: String
        var series: [String: Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    /// A count that only grows. Its name should end in `_total`.
    public func counter(_ name: String, _ labels: [(String, String)] = [], help: String = "") -> MetricSeries {
        series(.counter, name, labels, help: help, buckets: [])
    }

    /// A figure that goes up and down.
    public func gauge(_ name: String, _ labels: [(String, String)] = [], help: String = "") -> MetricSeries {
        series(.gauge, name, labels, help: help, buckets: [])
    }

    /// A distribution. - Parameter buckets: ascending upper bounds; the infinite one is added.
    public func histogram(
        _ name: String, _ labels: [(String, String)] = [], help: String = "",
        buckets: [Double] = MetricsRegistry.secondsBuckets
    ) -> MetricSeries {
        series(.histogram, name, labels, help: help, buckets: buckets)
    }

    private func series(
        _ kind: Kind, _ name: String, _ labels: [(String, String)], help: String, buckets: [Double]
    ) -> MetricSeries {
        let name = PrometheusText.name(name)
        let key = PrometheusText.labels(labels)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind, help: help)
            defer { families[name] = family }
            if family.help.isEmpty { family.help = help }
            // One name is of one kind; a second kind under it is not shown rather than breaking the whole page.
            guard family.kind == kind, family.series[key] != nil || family.series.count < Self.seriesLimit else {
                return MetricSeries(Series(labels: labels, buckets: buckets))
            }
            let series = family.series[key] ?? Series(labels: labels, buckets: buckets)
            family.series[key] = series
            return MetricSeries(series)
        }
    }

    /// Prometheus' text format, version 0.0.4.
    public func text() -> String {
        PrometheusText.text(families.withLock { $0 })
    }
}

/// One metric with one set of labels.
public struct MetricSeries: Sendable {
    let series: Series

    init(_ series: Series) { self.series = series }

    /// Adds to a counter or a gauge.
    public func increment(by amount: Double = 1) { series.add(amount) }

    public func decrement(by amount: Double = 1) { series.add(-amount) }

    /// Sets a gauge.
    public func set(_ value: Double) { series.set(value) }

    /// Adds one value to a histogram.
    public func record(_ value: Double) { series.record(value) }

    /// Adds one duration, in seconds, to a histogram.
    public func record(_ duration: Duration) { series.record(duration / .seconds(1)) }
}

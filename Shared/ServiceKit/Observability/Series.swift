public import CoreMetrics
import Synchronization

/// The figures of one series. It is whichever of swift-metrics' handlers it was made as.
final class Series: Sendable {
    struct State {
        var value = 0.0
        var sum = 0.0
        var counts: [Int]
    }

    let labels: [(String, String)]
    let buckets: [Double]
    private let state: Mutex<State>

    init(labels: [(String, String)], buckets: [Double]) {
        self.labels = labels
        self.buckets = buckets
        state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    var snapshot: State { state.withLock { $0 } }

    func add(_ amount: Double) { state.withLock { $0.value += amount } }
    func set(_ value: Double) { state.withLock { $0.value = value } }

    func record(_ value: Double) {
        let bucket = buckets.firstIndex { value <= $0 } ?? buckets.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }
}

/// swift-metrics wants one class per kind.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
    let series: Series
    init(_ metric: MetricSeries) { series = metric.series }
    func increment(by amount: Int64) { series.add(Double(amount)) }
    func increment(by amount: Double) { series.add(amount) }
    func reset() { series.set(0) }
}

final class GaugeSeries: MeterHandler, RecorderHandler {
    let series: Series
    init(_ metric: MetricSeries) { series = metric.series }
    func set(_ value: Int64) { series.set(Double(value)) }
    func set(_ value: Double) { series.set(value) }
    func increment(by amount: Double) { series.add(amount) }
    func decrement(by amount: Double) { series.add(-amount) }
    func record(_ value: Int64) { series.set(Double(value)) }
    func record(_ value: Double) { series.set(value) }
}

final class HistogramSeries: RecorderHandler, TimerHandler {
    let series: Series
    init(_ metric: MetricSeries) { series = metric.series }
    func record(_ value: Int64) { series.record(Double(value)) }
    func record(_ value: Double) { series.record(value) }
    func recordNanoseconds(_ duration: Int64) { series.record(Double(duration) / 1e9) }
}

extension MetricsRegistry: MetricsFactory {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        CounterSeries(counter(label, dimensions))
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        CounterSeries(counter(label, dimensions))
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        GaugeSeries(gauge(label, dimensions))
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? HistogramSeries(histogram(label, dimensions)) : GaugeSeries(gauge(label, dimensions))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        HistogramSeries(histogram(label, dimensions))
    }

    // Series stay for the life of the process: a counter that comes and goes would read as a restart.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

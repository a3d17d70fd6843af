import HTTPTypes
import Synchronization

/// The figures of a server's requests. Each series is found by its labels' text once, and by its handle from then on.
final class RequestMeasures: Sendable {
    private struct Labels: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Handles {
        let count: MetricSeries
        let duration: MetricSeries
    }

    /// Requests whose answer has not begun.
    let inFlight: MetricSeries
    private let metrics: MetricsRegistry
    private let handles = Mutex<[Labels: Handles]>([:])

    init(_ metrics: MetricsRegistry) {
        self.metrics = metrics
        inFlight = metrics.gauge("http_server_requests_in_flight", help: "Requests being served.")
    }

    /// - Parameters:
    ///   - route: the template.
    ///   - duration: until the answer's head.
    func answered(_ method: String, _ route: String, _ status: Int, after duration: Duration) {
        let labels = Labels(method: method, route: route, status: status)
        let found =
            handles.withLock { $0[labels] }
            ?? {
                let made = make(labels)
                handles.withLock { $0[labels] = made }
                return made
            }()
        found.count.increment()
        found.duration.record(duration)
    }

    private func make(_ labels: Labels) -> Handles {
        let names = [("method", labels.method), ("route", labels.route)]
        return Handles(
            count: metrics.counter(
                "http_server_requests_total", names + [("status", "\(labels.status)")], help: "Requests answered."),
            duration: metrics.histogram(
                "http_server_request_duration_seconds", names, help: "Time until the answer's head."))
    }

    /// A method as a label; others than the known ones would let a client make any number of series.
    static func label(_ method: HTTPRequest.Method) -> String {
        knownMethods.contains(method) ? method.rawValue : "other"
    }

    private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
}

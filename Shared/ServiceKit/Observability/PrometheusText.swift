/// Prometheus' text exposition format.
enum PrometheusText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    static func text(_ families: [String: MetricsRegistry.Family]) -> String {
        var lines: [String] = []
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if !family.help.isEmpty { lines.append("# HELP \(name) \(escaped(family.help, quotes: false))") }
            lines.append("# TYPE \(name) \(family.kind.rawValue)")
            for (_, series) in family.series.sorted(by: { $0.key < $1.key }) {
                switch family.kind {
                case .counter, .gauge:
                    lines.append("\(name)\(labels(series.labels)) \(number(series.snapshot.value))")
                case .histogram: lines += histogram(name, series)
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func histogram(_ name: String, _ series: Series) -> [String] {
        let state = series.snapshot
        var lines: [String] = []
        var total = 0
        for (bound, count) in zip(series.buckets + [.infinity], state.counts) {
            total += count
            lines.append("\(name)_bucket\(labels(series.labels + [("le", number(bound))])) \(total)")
        }
        lines.append("\(name)_sum\(labels(series.labels)) \(number(state.sum))")
        lines.append("\(name)_count\(labels(series.labels)) \(total)")
        return lines
    }

    static func labels(_ labels: [(String, String)]) -> String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\(name($0))=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    /// Letters, digits and `_`, no digit first.
    static func name(_ text: String) -> String {
        var result = String(
            text.unicodeScalars.map { scalar -> Character in
                let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                return isFine ? Character(scalar) : "_"
            })
        if result.first.map({ $0.isNumber }) ?? true { result = "_" + result }
        return result
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let text = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? text.replacing("\"", with: "\\\"") : text
    }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}

import Contracts
import Foundation

/// Rows whose hours are so unusual that a person should check them.
struct DatasetOutliers {
    /// In the order of the rows.
    let found: [(row: Int, reason: String)]
    /// Beyond 20 times the plan, or below a twentieth of it.
    let offPlan: Int
    /// More than five robust deviations of log hours from the median, and at least a factor of 3.5.
    let unusual: Int

    /// - Parameter plans: per row; 0 without a plan to compare with.
    init(hours: [Double], plans: [Double]) {
        let logs = hours.map { log(max($0, 1.0 / 60)) }
        let middle = Self.median(logs)
        // 1.4826 × the median absolute deviation estimates a normal distribution's standard deviation.
        let spread = max(1.4826 * Self.median(logs.map { abs($0 - middle) }), 0.25)
        var found: [(row: Int, reason: String)] = []
        var (offPlan, unusual) = (0, 0)
        for row in hours.indices {
            if plans[row] > 0, abs(logs[row] - log(max(plans[row], 1.0 / 60))) > 3 {
                offPlan += 1
                found.append((row, "took \(Self.words(hours[row])) hours against a plan of \(Self.words(plans[row]))"))
            } else if abs(logs[row] - middle) > 5 * spread {
                unusual += 1
                found.append(
                    (row, "took \(Self.words(hours[row])) hours, where \(Self.words(exp(middle))) are usual"))
            }
        }
        (self.found, self.offPlan, self.unusual) = (found, offPlan, unusual)
    }

    private static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    }

    private static func words(_ hours: Double) -> String {
        let rounded = (hours * 100).rounded() / 100
        return rounded == rounded.rounded() && rounded < 1e15 ? String(Int(rounded)) : String(rounded)
    }
}

extension DatasetReportBuilder {
    static func sorted(_ tally: Tally) -> [DatasetReport.Count] {
        tally.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            .map { DatasetReport.Count(key: $0.key, rows: $0.value) }
    }

    static func group(_ tally: Tally) -> DatasetReport.Group {
        DatasetReport.Group(
            distinct: tally.count, counts: Array(sorted(tally).prefix(DatasetReport.Group.limit)))
    }

    static func widen(_ range: ClosedRange<Double>?, _ date: Date) -> ClosedRange<Double> {
        let moment = date.timeIntervalSince1970
        guard let range else { return moment...moment }
        return min(range.lowerBound, moment)...max(range.upperBound, moment)
    }

    static func date(_ moment: Double?) -> Date? { moment.map { Date(timeIntervalSince1970: $0) } }

    static func day(_ moment: Double) -> Int { Int((moment / 86_400).rounded(.down)) }

    /// Of everything but the id; 64 bits, so that a million rows meet by chance once in tens of millions of datasets.
    static func fingerprint(_ row: DatasetRow) -> Int {
        var hasher = Hasher()
        hasher.combine(row.employeeId)
        hasher.combine(row.projectId)
        hasher.combine(row.requiredSkills)
        hasher.combine(row.labels)
        hasher.combine(row.allocationPercentage)
        hasher.combine(row.hoursPerDay)
        hasher.combine(row.plannedHours)
        hasher.combine(row.actualHours)
        hasher.combine(row.title)
        hasher.combine(row.start)
        hasher.combine(row.plannedEnd)
        hasher.combine(row.completedAt)
        return hasher.finalize()
    }

    /// "have no planned hours" of one allocation: "has no planned hours".
    static func singular(_ words: String) -> String {
        let verbs = [
            "have": "has", "are": "is", "were": "was", "repeat": "repeats", "belong": "belongs", "they": "it",
            "their": "its", "count": "counts",
        ]
        return words.split(separator: " ").map { verbs[String($0)] ?? String($0) }.joined(separator: " ")
    }
}

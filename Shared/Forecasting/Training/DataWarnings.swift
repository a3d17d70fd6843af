/// What is odd in the rows, in plain words.
enum DataWarnings {
    static func warnings(_ rows: [LearningRow]) -> [String] {
        var warnings: [String] = []
        func warn(_ count: Int, _ words: String) {
            if count > 0 { warnings.append("\(count) completed allocation\(count == 1 ? "" : "s") \(words).") }
        }
        warn(rows.filter { ($0.decision.start ?? -.infinity) > $0.completedAt }.count, "completed before they started")
        warn(rows.filter { $0.planned <= 0 }.count, "without planned hours")
        warn(
            rows.filter { $0.planned > 0 && abs($0.logRatio) > HoursScale.ratioLimit }.count,
            "took more than 20 times the plan, or less than a twentieth of it")
        warn(
            rows.count { !$0.isRecorded },
            "whose hours are not recorded but follow from utilisation: whether they kept their plans is not known")
        warn(
            rows.count - Set(rows.map(Twin.init)).count,
            "with a twin, the same in everything but the id and the decision's moment: figures count both")
        warn(rows.filter { $0.evidence == .stated }.count, DecisionEvidence.statedInWords)
        warn(rows.filter { $0.evidence == .unknown }.count, DecisionEvidence.unknownInWords)
        let ends = rows.filter { $0.decision.end != nil }
        let same = ends.filter { row in
            row.decision.end.map { History.dayNumber($0) == History.dayNumber(row.completedAt) } ?? false
        }
        if ends.count >= 20, Double(same.count) >= 0.6 * Double(ends.count) {
            warnings.append(
                "Planned ends mostly equal the days of completion, as if written down afterwards: they are not used.")
        }
        return warnings
    }

    /// What files that were imported twice have twice.
    private struct Twin: Hashable {
        let decision: Decision
        let completedAt: Double
        let hours: Double

        init(_ row: LearningRow) {
            var decision = row.decision
            decision.skills.sort()
            decision.at = 0
            (self.decision, completedAt, hours) = (decision, row.completedAt, row.hours)
        }
    }
}

import Contracts
import Forecasting
import Foundation

/// Adds up what a dataset's report says, allocation by allocation. Keeps a few numbers per row.
struct DatasetReportBuilder {
    let dataset: TrainingDataset

    private var (unfinished, overdue, cancelled, withoutHours) = (0, 0, 0, 0)
    private var (tentative, closed) = (0, 0)
    private var ids: [AllocationID] = []
    private var hours: [Double] = []
    /// 0 without a plan to compare with.
    private var plans: [Double] = []
    private var seen: Set<Int> = []
    private var duplicates: [AllocationID] = []
    private var (startedLate, recordedLate, endsOnCompletion, withEnd, withoutProject) = (0, 0, 0, 0, 0)
    private var (stated, unknown) = (0, 0)
    private var missing: [String: Int] = [:]
    private var (sources, people, projects, skills): (Tally, Tally, Tally, Tally) = ([:], [:], [:], [:])
    private var decisions: ClosedRange<Double>?
    private var completions: ClosedRange<Double>?

    typealias Tally = [String: Int]

    /// What a row may lack, by its name on the wire.
    private enum Field: String {
        case plannedHours, actualHours, allocationPercentage, requiredSkills, labels, start, completionRate
    }

    init(dataset: TrainingDataset) { self.dataset = dataset }

    mutating func add(_ entry: DatasetScan.Entry) throws {
        let allocation = entry.allocation
        guard let row = try DatasetRow(entry) else {
            guard allocation.completedAt == nil else {
                withoutHours += 1
                return
            }
            guard allocation.cancelledAt == nil else {
                cancelled += 1
                return
            }
            addOpen(allocation, entry.project)
            return
        }
        addQuality(row, allocation, entry.project)
        ids.append(row.allocationId)
        hours.append(row.actualHours)
        plans.append(row.hoursSource == TrainingPoint.HoursSource.recorded.rawValue ? row.plannedHours ?? 0 : 0)
        if !seen.insert(Self.fingerprint(row)).inserted { duplicates.append(row.allocationId) }
        sources[row.hoursSource, default: 0] += 1
        people[row.employeeId.description, default: 0] += 1
        projects[row.projectId.description, default: 0] += 1
        for skill in Set(row.requiredSkills) { skills[skill, default: 0] += 1 }
        decisions = Self.widen(decisions, row.timestamp)
        completions = Self.widen(completions, row.completedAt)
    }

    private mutating func addOpen(_ allocation: Forecasting.Allocation, _ project: ProjectFacts?) {
        let asOf = dataset.asOf.timeIntervalSince1970
        if allocation.softSince != nil {
            tentative += 1
        } else if project?.isClosed(before: asOf) ?? false {
            closed += 1
        } else {
            unfinished += 1
            if let end = allocation.plannedEnd, end + 86_400 <= asOf { overdue += 1 }
        }
    }

    private mutating func addQuality(_ row: DatasetRow, _ allocation: Forecasting.Allocation, _ project: ProjectFacts?)
    {
        func lacks(_ field: Field, _ isMissing: Bool) { if isMissing { missing[field.rawValue, default: 0] += 1 } }
        lacks(.plannedHours, row.plannedHours == nil)
        lacks(.actualHours, row.hoursSource != TrainingPoint.HoursSource.recorded.rawValue)
        // Hours per day state the same in another way.
        lacks(.allocationPercentage, row.allocationPercentage == nil && row.hoursPerDay == nil)
        lacks(.requiredSkills, row.requiredSkills.isEmpty)
        lacks(.labels, row.labels.isEmpty)
        lacks(.start, row.start == nil)
        lacks(.completionRate, row.completionRate == nil)
        if project == nil { withoutProject += 1 }
        switch allocation.evidence {
        case .stated: stated += 1
        case .unknown: unknown += 1
        case .observed, nil: break
        }
        let completed = row.completedAt.timeIntervalSince1970
        if let start = allocation.start, start > completed { startedLate += 1 }
        if allocation.decidedAt > completed { recordedLate += 1 }
        if let end = allocation.plannedEnd {
            withEnd += 1
            if Self.day(end) == Self.day(completed) { endsOnCompletion += 1 }
        }
    }

    func report() -> DatasetReport {
        let outliers = DatasetOutliers(hours: hours, plans: plans)
        return DatasetReport(
            datasetId: dataset.id, rows: ids.count, unfinishedWork: unfinished, withoutHours: withoutHours,
            span: DatasetReport.Span(
                firstDecision: Self.date(decisions?.lowerBound), lastDecision: Self.date(decisions?.upperBound),
                firstCompletion: Self.date(completions?.lowerBound), lastCompletion: Self.date(completions?.upperBound)),
            hoursSources: Self.sorted(sources),
            missing: Self.sorted(missing).map {
                DatasetReport.MissingValues(field: $0.key, rows: $0.rows, share: Double($0.rows) / Double(ids.count))
            },
            outliers: DatasetReport.Examples(
                count: outliers.found.count,
                examples: outliers.found.prefix(DatasetReport.Examples.limit).map {
                    DatasetReport.Example(allocationId: ids[$0.row], reason: $0.reason)
                }),
            duplicates: DatasetReport.Examples(
                count: duplicates.count,
                examples: duplicates.prefix(DatasetReport.Examples.limit).map {
                    DatasetReport.Example(allocationId: $0, reason: "repeats an earlier row in everything but its id")
                }),
            people: Self.group(people), projects: Self.group(projects), skills: Self.group(skills),
            warnings: warnings(outliers))
    }

    private func lacking(_ field: Field) -> Int { missing[field.rawValue, default: 0] }

    private func hours(from source: TrainingPoint.HoursSource) -> Int { sources[source.rawValue, default: 0] }

    private func warnings(_ outliers: DatasetOutliers) -> [String] {
        let findings: [(Int, String)] = [
            (startedLate, "completed before they started"),
            (recordedLate, "were written down only after their completion, and count as decided at their start"),
            (stated, DecisionEvidence.statedInWords),
            (unknown, DecisionEvidence.unknownInWords),
            (withoutHours, "completed without any hours, planned or recorded, and are not learned from"),
            (cancelled, "were cancelled and are not learned from"),
            (tentative, "are tentative and are not waited for"),
            (closed, "are open on a project that is closed, and are not waited for"),
            (lacking(.plannedHours), "have no planned hours"),
            (hours(from: .utilisation), "have no recorded hours: utilisation says how many"),
            (hours(from: .planned), "have no recorded hours and are not learned from"),
            (outliers.offPlan, "took more than 20 times the plan, or less than a twentieth of it"),
            (outliers.unusual, "have hours far from all others"),
            (duplicates.count, "repeat an earlier one in everything but their id"),
            (withoutProject, "belong to a project that is not in the history"),
            (overdue, "are unfinished although their planned end has passed"),
        ]
        var words = findings.filter { $0.0 > 0 }
            .map { "\($0.0) allocation\($0.0 == 1 ? "" : "s") \($0.0 == 1 ? Self.singular($0.1) : $0.1)." }
        if withEnd >= 20, Double(endsOnCompletion) >= 0.6 * Double(withEnd) {
            words.append("Planned ends mostly equal the days of completion, as if written down afterwards.")
        }
        if ids.count < 30 {
            words.append(
                "Only \(ids.count) completed allocation\(ids.count == 1 ? "" : "s"); training needs at least 30.")
        }
        return words
    }
}

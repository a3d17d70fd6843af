import Basics
import Contracts
import Foundation

extension DriftWatch {
    /// With fewer plans before it a plan's rank says nothing.
    private static let leastBefore = 30

    /// The one that the plans of questions give: each figure of a plan beside the same figure of all before it.
    /// - Parameter plans: in the order in which they were asked about; those from before the month are what the month is compared with.
    func alarm(_ plans: [WatchedPlan]) -> DriftAlarm? {
        let (figures, span) = (PlanFigure.allCases, month.span)
        var bets = MonthlyBets(figures.map { _ in BettingTest.order }, limit: Self.limit)
        var sorted = figures.map { _ in [Double]() }
        var asked: Set<Question> = []
        // The same question asked again is not another plan.
        for plan in plans where asked.insert(Question(plan)).inserted {
            // Ties are broken by the prediction's own random id: the same history gives the same alarms.
            var random = SeededGenerator(seed: plan.id.rawValue.seed)
            for (place, figure) in figures.enumerated() {
                guard let value = figure.value(plan), value > 0 else { continue }
                let (first, end) = (sorted[place].place(of: value), sorted[place].place(of: value.nextUp))
                let count = sorted[place].count
                let rank = (Double(first) + random.uniform() * Double(end - first + 1)) / Double(count + 1)
                if count >= Self.leastBefore, span.contains(plan.askedAt) {
                    bets.take(place, at: plan.askedAt, said: sorted[place][count / 2], came: value) {
                        $0.observe(rank: rank)
                    }
                }
                sorted[place].insert(value, at: end)
            }
        }
        return bets.finding.map { DriftAlarm($0, .plans, of: model, message: figures[$0.test].message($0)) }
    }

    private struct Question: Hashable {
        let employee: EmployeeID
        let project: ProjectID
        let figures: [Double?]
        let day: CivilDate

        init(_ plan: WatchedPlan) {
            (employee, project) = (plan.employee, plan.project)
            figures = PlanFigure.allCases.map { $0.value(plan) }
            day = CivilDate(plan.askedAt)
        }
    }
}

/// What a question may say of its plan; questions without planned hours often name the days, the percentage or the hours
/// per day.
private enum PlanFigure: CaseIterable {
    case hours
    case days
    case percentage
    case hoursPerDay

    func value(_ plan: WatchedPlan) -> Double? {
        switch self {
        case .hours: plan.hours
        case .days: plan.days
        case .percentage: plan.allocationPercentage
        case .hoursPerDay: plan.hoursPerDay
        }
    }

    /// For a planner: what was asked this month and before.
    func message(_ finding: MonthlyBets.Finding) -> String {
        let (name, unit) =
            switch self {
            case .hours: ("planned hours", "h")
            case .days: ("days", "days")
            case .percentage: ("percentages", "%")
            case .hoursPerDay: ("hours per day", "h a day")
            }
        func middle(_ values: [Double]) -> String {
            String(format: "%.1f", values.sorted()[values.count / 2]) + " " + unit
        }
        return
            "The \(name) of \(finding.came.count) questions are unlike those before (\(middle(finding.came)) in the middle, "
            + "before \(middle(finding.said))): the model has seen little of the kind."
    }
}

extension [Double] {
    /// The first place in ascending values that is not below a value.
    fileprivate func place(of value: Double) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension UUID {
    /// Of a generator that gives the same numbers for the same id.
    fileprivate var seed: UInt64 {
        withUnsafeBytes(of: uuid) { bytes in
            bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        }
    }
}

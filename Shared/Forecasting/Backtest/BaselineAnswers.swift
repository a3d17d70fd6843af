/// What the baseline said of rows that were decided before enough was known to fit a model to.
struct BaselineAnswers {
    let withPlan: Bool
    /// Ids of the rows whose outcome is known.
    let judged: Set<String>
    private(set) var rows: [Backtest.Row] = []
    private(set) var judgedRows: [LearningRow] = []
    /// Hours, of the judged rows.
    private var forecasts: [Double] = []

    init(withPlan: Bool, judged: Set<String>) {
        self.withPlan = withPlan
        self.judged = judged
    }

    mutating func answer(_ asked: [LearningRow], _ history: History) {
        for row in asked {
            let decision = withPlan ? row.decision : row.decision.withoutPlan
            let hours = ForecastModel.baseline.forecast(decision, history: history, explaining: false).hours
            let isJudged = judged.contains(row.id)
            rows.append(
                Backtest.Row(
                    id: row.id, hours: hours, low80: nil, high80: nil, successProbability: nil,
                    actualHours: isJudged ? row.hours : nil))
            if isJudged {
                judgedRows.append(row)
                forecasts.append(hours)
            }
        }
    }

    /// Of the judged rows; nil without any.
    /// - Parameter weights: of these, with a mean of 1; empty when all count alike.
    func metrics(weights: [Double]) -> HoursMetrics? {
        Statistics.hours(actual: judgedRows.map(\.hours), forecast: forecasts, weights: weights)
    }
}

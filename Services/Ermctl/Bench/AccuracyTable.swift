import Forecasting
import Foundation

/// The candidates beside the published peers, for people; and `name=value` lines, for machines.
struct AccuracyTable {
    let result: Backtest.Result
    let peers: [PublishedPeers.Row]

    /// Test rows whose outcome is known; the others are answered only.
    private var judgedRows: Int { result.rows.count { $0.actualHours != nil } }

    static func figure(_ value: Double) -> String { String(format: "%.3f", value) }

    var text: String {
        var lines = [
            "candidate                  MAE h  median AE  PRED25  log-RMSE      SA     AUC   Brier  cover80  width80  Winkler80  cover90  Winkler90"
        ]
        for report in result.reports { lines.append(line(report)) }
        if !peers.isEmpty {
            lines.append("")
            lines.append("published on the same rows")
            for peer in peers { lines.append(row(peer.name, peer.figures)) }
        }
        lines.append("")
        lines.append("answered by: \(Set(result.winners).sorted().joined(separator: ", "))")
        if result.beatsBaseline.contains(false) {
            lines.append(
                "In \(result.beatsBaseline.filter { !$0 }.count) of \(result.beatsBaseline.count) fits no model beat the simple baseline beyond noise."
            )
        }
        if let served = result.reports.first, let difference = served.versusBaseline {
            lines.append(
                "against the best baseline: \(Self.figure(difference.meanDifference)) h of absolute error a row "
                    + "(95 % interval \(Self.figure(difference.low)) to \(Self.figure(difference.high)); "
                    + (difference.isBetter ? "better" : difference.isWorse ? "worse" : "within noise") + ")")
            for slice in served.slices.dropFirst() {
                if let hours = slice.hours {
                    lines.append(
                        "\(slice.slice): \(hours.count) rows, MAE \(Self.figure(hours.mae)) h, log-RMSE \(Self.figure(hours.logRMSE))"
                    )
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    /// `served.mae=…`, one line per candidate and figure.
    var values: [String] {
        var lines: [String] = []
        for report in result.reports {
            func add(_ name: String, _ value: Double?) {
                if let value { lines.append("\(report.name).\(name)=\(String(format: "%.4f", value))") }
            }
            let overall = report.overall
            add("mae", overall.hours?.mae)
            add("median_ae", overall.hours?.medianAbsoluteError)
            add("pred25", overall.hours?.pred25)
            add("log_rmse", overall.hours?.logRMSE)
            add("sa", overall.hours?.standardisedAccuracy)
            add("auc", overall.success?.auc)
            add("brier", overall.success?.brier)
            add("log_loss", overall.success?.logLoss)
            add("ece", overall.success?.calibrationError)
            for interval in overall.intervals {
                add("coverage\(interval.level)", interval.coverage)
                add("width\(interval.level)", interval.meanWidth)
                add("winkler\(interval.level)", interval.winkler)
            }
            for figure in overall.bootstrap {
                add("\(figure.figure).low", figure.low)
                add("\(figure.figure).high", figure.high)
            }
        }
        lines.append("winners=\(result.winners.joined(separator: ","))")
        lines.append("test_rows=\(result.rows.count)")
        lines.append("judged_rows=\(judgedRows)")
        guard judgedRows > 0 else { return lines }
        lines.append("confidence.mean=\(Self.figure(result.meanConfidence))")
        lines.append("confidence.observed=\(Self.figure(result.withinQuarter))")
        return lines
    }

    private func line(_ report: CandidateReport) -> String {
        let (hours, success) = (report.overall.hours, report.overall.success)
        func interval(_ level: Int) -> IntervalMetrics? { report.overall.intervals.first { $0.level == level } }
        return row(
            report.name,
            [
                hours?.mae, hours?.medianAbsoluteError, hours?.pred25, hours?.logRMSE, hours?.standardisedAccuracy,
                success?.auc, success?.brier, interval(80)?.coverage, interval(80)?.meanWidth, interval(80)?.winkler,
                interval(90)?.coverage, interval(90)?.winkler,
            ])
    }

    private func row(_ name: String, _ figures: [Double?]) -> String {
        let widths = [7, 11, 8, 10, 8, 8, 8, 9, 9, 11, 9, 11]
        var line = name.padding(toLength: max(25, name.count), withPad: " ", startingAt: 0)
        for (figure, width) in zip(figures, widths) {
            let text = figure.map(Self.figure) ?? "–"
            line += String(repeating: " ", count: max(1, width - text.count)) + text
        }
        return line
    }
}

/// What others reach on the published data set that comes with the design; nothing is known of other folders.
enum PublishedPeers {
    struct Row {
        let name: String
        /// MAE, median AE, PRED(25), log-RMSE, SA, AUC, Brier, coverage and width at 80 %, Winkler at 80 %, coverage and Winkler at 90 %.
        let figures: [Double?]
    }

    static func rows(for folder: String, withPlan: Bool, online: Bool) -> [Row] {
        guard URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent == "sip" else { return [] }
        switch (withPlan, online) {
        case (true, false): return planned
        case (true, true): return plannedOnline
        case (false, false): return unplanned
        case (false, true): return unplannedOnline
        }
    }

    private static let planned = [
        Row(name: "plan × shrunk median", figures: [3.139, 0.250, 0.589, 0.672, 0.630]),
        Row(name: "linear on log ratio", figures: [2.938, 0.382, 0.556, 0.628, 0.653, 0.619, 0.187]),
        Row(
            name: "LightGBM",
            figures: [2.895, 0.330, 0.577, 0.617, 0.658, 0.658, 0.184, 0.810, 1.290, 2.166, 0.908, 2.737]),
        Row(name: "CatBoost", figures: [2.911, 0.349, 0.575, 0.625, 0.657, 0.638, 0.183]),
        Row(name: "random forest", figures: [3.003, 0.381, 0.574, 0.623, 0.646, 0.648, 0.182]),
        Row(name: "trees + linear + network", figures: [2.880, 0.343, 0.577, 0.621, 0.660, 0.644, 0.184]),
    ]
    private static let plannedOnline = [
        Row(name: "LightGBM, ten refits", figures: [2.845, 0.286, 0.582, 0.604, 0.664, 0.648, 0.183]),
        Row(name: "with labels and title", figures: [2.853, 0.288, 0.574, 0.601, 0.663, 0.655, 0.182]),
    ]
    private static let unplanned = [
        Row(name: "shrunk median", figures: [4.774, 1.069, 0.232, 1.212, 0.437, 0.569, 0.193]),
        Row(name: "linear on log hours", figures: [4.664, 1.182, 0.240, 1.083, 0.450, 0.574, 0.191]),
        Row(name: "linear, recent history", figures: [4.665, 1.176, 0.236, 1.081, 0.450, 0.579, 0.190]),
        Row(name: "LightGBM", figures: [4.765, 1.228, 0.236, 1.120, 0.438, 0.609, 0.189]),
        Row(name: "XGBoost", figures: [4.761, 1.252, 0.236, 1.122, 0.438, 0.627, 0.187]),
    ]
    private static let unplannedOnline = [
        Row(name: "LightGBM, ten refits", figures: [4.638, 1.242, 0.243, 1.088, 0.453, 0.608, 0.187]),
        Row(name: "with labels and title", figures: [4.473, 1.169, 0.267, 1.055, 0.472, 0.595, 0.189]),
    ]
}

import Basics
import Foundation

/// Figures as a planner says them, the same on every machine whatever its language.
enum PlainFigures {
    /// At most so many digits after the point, and no zeros at the end.
    static func number(_ value: Double, digits: Int) -> String {
        let scale = [1, 10, 100][digits]
        // Nothing is said of hours beyond what an Int holds.
        let whole = Int((min(abs(value), 1e12) * Double(scale)).rounded())
        var fraction = String(whole % scale + scale).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return (value < 0 && whole > 0 ? "-" : "") + "\(whole / scale)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }

    /// - Parameter digits: after the point; nil for one below ten hours and none above.
    static func hours(_ hours: Double, digits: Int? = nil) -> String {
        let digits = digits ?? (hours < 9.95 ? 1 : 0)
        let text = number(hours, digits: digits)
        if text == "0" { return digits == 1 ? "less than 0.1 hours" : "less than 0.01 hours" }
        return text == "1" ? "1 hour" : "\(text) hours"
    }

    static let asPlanned = "as planned"

    /// Of log(hours ÷ plan).
    static func againstPlan(_ logRatio: Double) -> String {
        against(logRatio, equal: asPlanned, of: "plan", times: "the plan")
    }

    /// Of log(hours ÷ estimate).
    static func againstEstimate(_ logRatio: Double) -> String {
        against(logRatio, equal: "as estimated", of: "the estimate", times: "the estimate")
    }

    private static func against(_ logRatio: Double, equal: String, of goal: String, times: String) -> String {
        // A plan may be next to nothing: no number of times is beyond what an Int holds.
        let ratio = min(exp(logRatio), 1e9)
        let percent = Int((abs(ratio - 1) * 100).rounded())
        if percent == 0 { return equal }
        // Nothing takes no time at all.
        if ratio < 1 { return "\(min(percent, 99)) % under \(goal)" }
        return percent < 100 ? "\(percent) % over \(goal)" : "\(number(ratio, digits: 1)) times \(times)"
    }

    static func count(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }

    /// In the largest unit of which there are at least two.
    static func duration(days: Int) -> String {
        // 60 days are less than two months, and 730 than two years.
        if days < 61 { return count(days, "day", "days") }
        if days < 731 { return "\(Int(Double(days) / 30.44)) months" }
        return "\(Int(Double(days) / 365.25)) years"
    }

    static func ago(_ seconds: Double) -> String {
        let days = Int(max(0, seconds) / 86_400)
        return days == 0 ? "less than a day ago" : "\(duration(days: days)) ago"
    }

    /// Rounded down: a chance below one half must not read as one half.
    static func percent(_ chance: Double) -> String {
        let percent = Int(chance * 100 + 1e-9)
        return percent == 0 ? "less than 1 %" : "\(percent) %"
    }

    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    static func list(_ parts: [String]) -> String {
        guard let last = parts.last, parts.count > 1 else { return parts.first ?? "" }
        return parts.dropLast().joined(separator: ", ") + " and " + last
    }
}

import Foundation

/// One line that is redrawn in place on a terminal, and stays silent where standard error is not one.
struct ProgressBar: Sendable {
    let title: String
    let isInteractive: Bool

    init(_ title: String, isInteractive: Bool = isatty(STDERR_FILENO) == 1) {
        self.title = title
        self.isInteractive = isInteractive
    }

    /// `title  [██████░░░░]  60 %  note`; `fraction` 0…1.
    static func line(_ title: String, _ fraction: Double, _ note: String, width: Int = 30) -> String {
        let share = min(max(fraction.isFinite ? fraction : 0, 0), 1)
        let filled = Int((share * Double(width)).rounded())
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let percent = String(Int((share * 100).rounded()))
        return "\(title)  [\(bar)] \(String(repeating: " ", count: 3 - percent.count))\(percent) %  \(note)"
    }

    func show(_ fraction: Double, _ note: String = "") {
        guard isInteractive else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(Self.line(title, fraction, note))".utf8))
    }

    func finish() {
        guard isInteractive else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
}

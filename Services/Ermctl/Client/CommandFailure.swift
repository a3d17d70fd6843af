import Contracts

/// A failure with its message for the terminal. Exit status 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    /// The server's own words, where it answered with a problem.
    let problem: Problem?

    init(_ description: String) {
        self.description = description
        self.problem = nil
    }

    init(problem: Problem) {
        self.problem = problem
        let shown = problem.errors.prefix(20).map { "\n  \($0.field.isEmpty ? "body" : $0.field): \($0.message)" }
        let more = problem.errors.count > 20 ? "\n  … and \(problem.errors.count - 20) more" : ""
        self.description = "\(problem.error) [\(problem.code), request \(problem.requestId)]\(shown.joined())\(more)"
    }
}

import Dispatch

/// Who does a computation that is made of parts.
public enum Cores: Sendable {
    /// All cores, by threads of Dispatch's pool, which stand back for nobody.
    case all
    /// The calling thread alone, as readily as it stands back for others.
    case own

    /// Calls `body` with each number below `count`.
    func perform(_ count: Int, _ body: @Sendable (Int) -> Void) {
        switch self {
        case .all: DispatchQueue.concurrentPerform(iterations: count, execute: body)
        case .own: for number in 0..<count { body(number) }
        }
    }
}

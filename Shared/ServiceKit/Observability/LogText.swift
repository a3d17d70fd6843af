/// An error whose debug description may quote data: people's names and addresses have no place in a log.
public protocol LogDescribable: Error {
    /// All that helps to find the fault, and nothing that a client or a table has supplied.
    var logDescription: String { get }
}

/// How errors are written to the log.
public enum LogText {
    public static func of(_ error: any Error) -> String {
        (error as? any LogDescribable)?.logDescription ?? String(reflecting: error)
    }
}

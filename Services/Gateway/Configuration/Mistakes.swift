import Yams

/// What is wrong with a configuration file, and where.
struct RouteFileError: Error, CustomStringConvertible, Equatable {
    /// 1-based, as is the column.
    let line: Int
    var column = 1
    let reason: String
    var description: String { "line \(line), column \(column): \(reason)" }
}

/// Collects the mistakes in a configuration file, so that all of them are reported at once.
struct Mistakes: Sendable {
    private(set) var all: [RouteFileError] = []

    /// What `body` gives; nil when it has found a mistake, which is kept.
    mutating func attempt<Value>(_ body: () throws(RouteFileError) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            all.append(error)
            return nil
        }
    }

    mutating func add(_ error: RouteFileError) { all.append(error) }

    /// What `read` makes of a mapping; keys that it does not ask for are mistakes. nil for what is no mapping.
    ///
    /// - Parameter what: its name in sentences.
    mutating func mapping<Value>(
        _ node: Node, _ what: String, _ read: (inout YAMLMapping, inout Mistakes) -> Value?
    ) -> Value? {
        guard var mapping = attempt({ () throws(RouteFileError) in try YAMLMapping(node, what) }) else { return nil }
        let value = read(&mapping, &self)
        for error in mapping.unread { add(error) }
        return value
    }

    /// The entries of a mapping whose keys are names.
    mutating func entries(_ node: Node, _ what: String) -> [(key: String, mark: Mark?, value: Node)]? {
        attempt { () throws(RouteFileError) in try YAMLMapping(node, what) }?.all
    }

    /// From the top of the file to its end.
    var sorted: [RouteFileError] { all.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }
}

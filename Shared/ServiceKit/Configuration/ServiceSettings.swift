/// The settings of a service, read and checked once at its start.
///
/// Asking for a key that was not declared, or as another kind than declared, is a mistake in the program and stops it.
public struct ServiceSettings: Sendable {
    enum Value: Sendable {
        case integer(Int)
        case text(String)
        case texts([String])
        case duration(Duration)
        case bool(Bool)
    }

    let keys: [String: ConfigurationKey]
    let values: [String: Value]

    public func int(_ name: String) -> Int {
        guard case .integer(let value)? = value(name) else { return fail(name, "integer") }
        return value
    }

    public func string(_ name: String) -> String {
        guard let text = optionalString(name) else { return fail(name, "text") }
        return text
    }

    /// nil when the key has neither a value nor a default.
    public func optionalString(_ name: String) -> String? {
        switch value(name) {
        case nil: return nil
        case .text(let text): return text
        default: return fail(name, "text")
        }
    }

    public func duration(_ name: String) -> Duration {
        guard case .duration(let value)? = value(name) else { return fail(name, "duration") }
        return value
    }

    public func bool(_ name: String) -> Bool {
        guard case .bool(let value)? = value(name) else { return fail(name, "bool") }
        return value
    }

    public func secret(_ name: String) -> String { string(name) }

    public func optionalSecret(_ name: String) -> String? { optionalString(name) }

    /// The URLs of a key of kind `urls` or `url`, without a slash at the end.
    public func urls(_ name: String) -> [String] {
        switch value(name) {
        case .texts(let values): return values
        case .text(let value): return [value]
        default: return fail(name, "URLs")
        }
    }

    private func value(_ name: String) -> Value? {
        precondition(keys[name] != nil, "the setting \(name) is not declared")
        return values[name]
    }

    private func fail<T>(_ name: String, _ kind: String) -> T {
        preconditionFailure(
            "the setting \(name) has no value of kind \(kind): declare it so, and required or with a default")
    }
}

/// Settings that a service cannot start with; every problem at once.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// Each names its key; secrets are never repeated.
    public let problems: [String]

    public init(problems: [String]) { self.problems = problems }

    public var description: String { problems.joined(separator: "\n") }
}

import Basics

/// One setting of a service: `http.port` is the flag `--http-port` and the environment variable `HTTP_PORT`.
///
/// A flag wins over the environment, the environment over the default. A secret may also come from a file:
/// `database.url` from the file that `database.url-file` names.
public struct ConfigurationKey: Sendable {
    public enum Kind: Sendable, Equatable {
        case integer(ClosedRange<Int>)
        case text
        case choice([String])
        /// One absolute `http` or `https` URL without path, query and credentials.
        case url
        /// One or more of those, separated by commas.
        case urls
        /// `250ms`, `10s`, `5m`, `1h`.
        case duration(ClosedRange<Duration>)
        case bool
        /// A path; whether it must exist is for its user to say.
        case path
        /// Never shown and never logged.
        case secret
    }

    public let name: String
    public let kind: Kind
    /// As it would be written on the command line; nil for none.
    public let defaultValue: String?
    /// The service does not start without a value.
    public let isRequired: Bool
    public let help: String

    public init(_ name: String, _ kind: Kind, default defaultValue: String? = nil, required: Bool = false, help: String)
    {
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.isRequired = required
        self.help = help
    }

    public var flag: String { "--" + name.replacing(".", with: "-") }

    public var environmentVariable: String {
        name.uppercased().replacing(".", with: "_").replacing("-", with: "_")
    }

    /// The key of the file a secret may come from.
    var fileVariant: ConfigurationKey? {
        guard kind == .secret else { return nil }
        return ConfigurationKey(name + "-file", .path, help: "File that holds \(name).")
    }
}

extension ConfigurationKey.Kind {
    /// What a value looks like, for `--help` and for refusals.
    var hint: String {
        switch self {
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .text: "text"
        case .choice(let values): "one of \(values.joined(separator: ", "))"
        case .url: "a URL like http://127.0.0.1:8080"
        case .urls: "URLs like http://127.0.0.1:8080, separated by commas"
        case .duration(let range):
            "a duration from \(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"
        case .bool: "true or false"
        case .path: "a path"
        case .secret: "a secret"
        }
    }
}

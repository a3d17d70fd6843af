import Basics
import Configuration
import Foundation

extension ServiceSettings {
    /// Reads and checks all settings.
    ///
    /// - Parameters:
    ///   - keys: every key there is; a flag of no key is refused.
    ///   - arguments: without the program's name: `--flag value` or `--flag=value`.
    ///   - environment: an empty variable counts as absent.
    /// - Throws: ``ConfigurationError`` with everything that is wrong.
    public init(
        keys: [ConfigurationKey], arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        let all = keys + keys.compactMap(\.fileVariant)
        precondition(Set(all.map(\.flag)).count == all.count, "one configuration key is declared twice")
        var (flags, problems) = Self.flags(arguments, keys: all)
        let reader = Self.reader(flags: flags, environment: environment, keys: all)
        var values: [String: Value] = [:]
        for key in keys {
            do {
                if let text = try Self.text(of: key, reader, flags) { values[key.name] = try Self.value(text, of: key) }
                if key.isRequired, values[key.name] == nil { throw Refusal("is missing") }
            } catch let refusal as Refusal {
                problems.append("\(key.name) (\(key.flag), \(key.environmentVariable)) \(refusal.reason)")
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        flags.removeAll()
        self.init(keys: Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0) }), values: values)
    }

    private struct Refusal: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Flags are taken apart here and not by `CommandLineArgumentsProvider`: that splits values at commas, which a
    /// connection string with several hosts does not survive, and it cannot tell an unknown flag.
    private static func flags(
        _ arguments: [String], keys: [ConfigurationKey]
    ) -> (flags: [String: String], problems: [String]) {
        let known = Dictionary(uniqueKeysWithValues: keys.map { ($0.flag, $0) })
        var flags: [String: String] = [:]
        var problems: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard argument.hasPrefix("--"), let key = known[String(parts[0])] else {
                // What follows "=" may be a secret behind a misspelt flag.
                let shown = holdsCredentials(argument) ? "a URL with credentials" : String(parts[0])
                problems.append("\(shown) is not a flag of this service; --help lists them")
                if argument.hasPrefix("--"), parts.count == 1, rest.first?.hasPrefix("--") == false {
                    rest.removeFirst()
                }
                continue
            }
            if flags[key.name] != nil { problems.append("\(key.flag) is given twice") }
            if parts.count == 2 {
                flags[key.name] = String(parts[1])
            } else if let value = rest.first, !value.hasPrefix("--") {
                flags[key.name] = rest.removeFirst()
            } else if key.kind == .bool {
                flags[key.name] = "true"
            } else {
                problems.append("\(key.flag) needs a value")
            }
        }
        return (flags, problems)
    }

    private static func reader(
        flags: [String: String], environment: [String: String], keys: [ConfigurationKey]
    ) -> ConfigReader {
        func provider(_ name: String, _ values: [(String, String)]) -> InMemoryProvider {
            let secrets = Set(keys.filter { $0.kind == .secret }.map(\.name))
            return InMemoryProvider(
                name: name,
                values: Dictionary(
                    uniqueKeysWithValues: values.map { key, value in
                        (
                            AbsoluteConfigKey(ConfigKey(key)),
                            ConfigValue(.string(value), isSecret: secrets.contains(key))
                        )
                    }))
        }
        let variables = environment.filter { !$0.value.isEmpty }
        return ConfigReader(providers: [
            provider("command line", flags.map { ($0.key, $0.value) }),
            EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .all),
            provider("defaults", keys.compactMap { key in key.defaultValue.map { (key.name, $0) } }),
        ])
    }

    private static func text(of key: ConfigurationKey, _ reader: ConfigReader, _ flags: [String: String]) throws
        -> String?
    {
        let file = key.fileVariant
        // A flag that names a file wins over a variable that holds the secret itself.
        let isFileMeant = file.map { flags[$0.name] != nil } ?? false && flags[key.name] == nil
        if !isFileMeant, let text = reader.string(forKey: ConfigKey(key.name), isSecret: key.kind == .secret) {
            return text
        }
        guard let file = file.flatMap({ reader.string(forKey: ConfigKey($0.name)) }) else { return nil }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Refusal("cannot be read from the file \(file)")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func value(_ text: String, of key: ConfigurationKey) throws -> Value {
        let value: Value? =
            switch key.kind {
            case .integer(let range): Int(text).flatMap { range.contains($0) ? .integer($0) : nil }
            case .choice(let values): values.contains(text) ? .text(text) : nil
            case .duration(let range): DurationText.duration(text).flatMap { range.contains($0) ? .duration($0) : nil }
            case .bool:
                ["true", "yes", "1"].contains(text)
                    ? .bool(true) : ["false", "no", "0"].contains(text) ? .bool(false) : nil
            case .url: baseURL(text).map { .text($0) }
            case .urls: urls(text)
            case .text, .path, .secret: text.isEmpty || text.contains("\0") ? nil : .text(text)
            }
        guard let value else {
            let isSecret = key.kind == .secret || holdsCredentials(text)
            throw Refusal("must be \(key.kind.hint)" + (isSecret ? "" : ", not \"\(text)\""))
        }
        return value
    }

    /// Whether a value of any key, or a stray argument, is a URL that has to be kept out of logs.
    private static func holdsCredentials(_ text: String) -> Bool { text.contains("://") && text.contains("@") }

    private static func urls(_ text: String) -> Value? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let urls = parts.compactMap { baseURL($0.trimmingCharacters(in: .whitespaces)) }
        return urls.count == parts.count ? .texts(urls) : nil
    }

    /// Scheme, host and port only: paths are the caller's, and credentials have no place here.
    private static func baseURL(_ text: String) -> String? {
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let url = URLComponents(string: trimmed), let host = url.host, !host.isEmpty,
            url.scheme == "http" || url.scheme == "https", url.path.isEmpty, url.query == nil, url.fragment == nil,
            url.user == nil, url.password == nil, url.port.map({ (1...65_535).contains($0) }) ?? true
        else { return nil }
        return trimmed
    }
}

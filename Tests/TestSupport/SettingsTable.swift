public import Contracts
import Foundation
public import ServiceKit

/// The table of settings in docs/operations.md ("Configure"), as a service's tests compare it with the service's own keys.
public struct SettingsTable {
    fileprivate struct Row {
        let variables: [String]
        let defaults: [String]
        /// The services that have these settings.
        let services: Set<ServiceName>
    }

    /// Variables of the system, which no service declares.
    private static let ofTheSystem: Set<String> = ["TMPDIR"]

    private let rows: [Row]

    public init(_ text: String) {
        let section =
            text.components(separatedBy: "\n## Configure\n").last?.components(separatedBy: "\n## ").first ?? ""
        rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { Row(String($0)) }
    }

    /// Where the table in the repository and the service's keys disagree; empty where they agree.
    public static func disagreements(of service: ServiceName, _ keys: [ConfigurationKey]) throws -> [String] {
        let page = ServiceDatabases.repository.appendingPathComponent("docs/operations.md")
        return SettingsTable(try String(contentsOf: page, encoding: .utf8)).disagreements(of: service, keys)
    }

    public func disagreements(of service: ServiceName, _ keys: [ConfigurationKey]) -> [String] {
        let known = Dictionary(uniqueKeysWithValues: keys.map { ($0.environmentVariable, $0) })
        return rows.filter { $0.services.contains(service) }.flatMap { row in
            row.variables.enumerated().compactMap { index, variable -> String? in
                if Self.ofTheSystem.contains(variable) { return nil }
                guard let key = known[variable] else { return "\(service.rawValue) has no setting \(variable)" }
                let stated = row.defaults.count == row.variables.count ? row.defaults[index] : row.defaults[0]
                return StatedDefault(stated, for: service).fits(key)
                    ? nil : "\(variable): the default is \(key.defaultValue ?? "none"), not \(stated)"
            }
        }
    }
}

extension SettingsTable.Row {
    fileprivate init(_ line: String) {
        let cells = line.components(separatedBy: " | ").map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: "| "))
        }
        // `LOCKOUT_…` stands for several, and `…_FILE` for the file that holds a secret.
        variables = cells[0].split(separator: "`").map(String.init).filter { name in
            name.wholeMatch(of: /[A-Z][A-Z0-9_]+/) != nil && !cells[0].contains("or `\(name)`")
        }
        defaults =
            cells[1].hasPrefix("gateway ") ? [cells[1]] : cells[1].components(separatedBy: ", ")
        let named = (cells.count > 2 ? cells[2] : "").prefix { $0 != ":" }.components(separatedBy: " and ")
        let services = named.compactMap { ServiceName(rawValue: $0) }
        self.services = services.count == named.count ? Set(services) : Set(ServiceName.allCases)
    }
}

/// A default as the table states it.
private struct StatedDefault {
    private let text: String

    /// - Parameter service: `gateway 256, others none` says two.
    init(_ text: String, for service: ServiceName) {
        var text = text.replacing("`", with: "")
        if let both = text.wholeMatch(of: /gateway (.+), others (.+)/) {
            text = String(service == .gateway ? both.1 : both.2)
        }
        self.text = text
    }

    func fits(_ key: ConfigurationKey) -> Bool {
        if key.isRequired { return text == "required" }
        guard let value = key.defaultValue else { return number == nil && text != "required" }
        if let ports = text.wholeMatch(of: /(\d+)…(\d+)/), let first = Int(ports.1), let last = Int(ports.2) {
            return Int(value).map { (first...last).contains($0) } ?? false
        }
        switch text {
        case "none": return value == "0"
        case "loopback": return value.contains("//127.0.0.1:")
        case "cores − 1": return Int(value) == max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
        default: return value == text || (number != nil && Int(value) == number)
        }
    }

    /// `4096`, `2,000`, `1 MiB`, `5 million`.
    private var number: Int? {
        let words = text.replacing(",", with: "").split(separator: " ")
        guard let first = words.first.flatMap({ Int($0) }) else { return nil }
        let units = ["MiB": 1 << 20, "GiB": 1 << 30, "million": 1_000_000]
        return words.count == 1 ? first : units[String(words[1])].map { first * $0 }
    }
}

import Contracts
import ServiceKit

/// `gateway check-config [FILE]`: is the route table one, and what does it say?
enum CheckConfig {
    /// - Returns: what to print, and the exit code: 0, or 2 for a table that cannot be used.
    static func run(file: String?) -> (output: String, code: Int32) {
        do {
            let path = try file ?? RouteFile.find()
            let configuration = try RouteFile.load(path)
            return ("\(path) is valid\n\n" + table(configuration), 0)
        } catch {
            return ("\(error)\n", 2)
        }
    }

    private static func table(_ configuration: GatewayConfiguration) -> String {
        var rows: [[String]] = [["METHOD", "PATH", "SCOPE", "PERMISSION", "UPSTREAM", "BODY", "TIMEOUT"]]
        for route in configuration.routes {
            for (method, requirement) in route.methods.sorted(by: { $0.key < $1.key }) {
                rows.append([
                    method, route.template, route.scope.rawValue,
                    requirement.map { "\($0.resource.rawValue):\($0.action.rawValue)" } ?? "-", route.target.name,
                    "\(route.bodyLimitBytes >> 10)KiB",
                    "\(route.timeout.components.seconds)s" + (route.isStreaming ? " of silence" : ""),
                ])
            }
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            zip(row, widths).map { $0.padding(to: $1) }.joined(separator: "  ").trimmingSuffix(" ")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}

import Foundation

/// Memory of programs on this machine, in megabytes, without what processes share.
enum ProcessMemory {
    /// Of all processes of a program together; nil where none runs on this machine.
    static func megabytes(of program: String) -> Double? {
        let found = megabytes { command in
            command.prefix { $0 != "\0" }.split(separator: "/").last.map(String.init) == program
        }
        return found.isEmpty ? nil : found.reduce(0, +)
    }

    /// Of each of Postgres' server processes that serves the role.
    static func backendMegabytes(of role: String) -> [Double] {
        megabytes { $0.hasPrefix("postgres: ") && $0.contains(" \(role) ") }
    }

    /// Of each process whose command line is meant; its arguments end with NUL.
    private static func megabytes(where isMeant: (String) -> Bool) -> [Double] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { Int($0) != nil }.compactMap { process in
            guard let command = text("/proc/\(process)/cmdline"), isMeant(command),
                let status = text("/proc/\(process)/status"),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
                let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
            else { return nil }
            return kilobytes / 1024
        }
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

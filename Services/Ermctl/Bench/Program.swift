import Foundation

/// Another program of this machine, which a benchmark runs to its end.
enum Program {
    /// - Returns: what the program has printed. What it complains of is printed with ermctl's own complaints.
    /// - Throws: `CommandFailure` where it fails, as where it is not installed.
    static func output(of command: [String], environment: [String: String] = [:]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure("\(command[0]) ended with \(process.terminationStatus); its own words are above.")
        }
        return text
    }
}

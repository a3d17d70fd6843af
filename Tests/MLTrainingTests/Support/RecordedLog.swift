import Logging
import ServiceKit
import Synchronization

/// A service's log lines, kept.
final class RecordedLog: Sendable {
    private let recorded = Mutex<[String]>([])

    var lines: [String] { recorded.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { label in
            ServiceLogHandler(service: "test", label: label, level: .info, format: .json) { line in
                self.recorded.withLock { $0.append(line) }
            }
        }
    }
}

import Basics
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Reloads the configuration file when it changes, and on request, without losing requests. An unusable file leaves the present
/// configuration in force.
final class ConfigurationWatch: Service {
    private let path: String
    private let pause: Duration
    private let replace: @Sendable (GatewayConfiguration) throws -> Void
    private let logger: Logger
    private let inForce: Mutex<String?>

    /// - Parameter replace: puts a configuration in force, or throws and leaves all as it was.
    init(
        path: String, pause: Duration = .seconds(2), logger: Logger,
        replace: @escaping @Sendable (GatewayConfiguration) throws -> Void
    ) {
        self.path = path
        self.pause = pause
        self.logger = logger
        self.replace = replace
        inForce = Mutex(try? String(contentsOfFile: path, encoding: .utf8))
    }

    func run() async throws {
        await PeriodicWork(every: pause, firstAfter: pause).run { self.look() }
    }

    /// Takes over what the file says, if it says something new.
    func look() {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        let isNew = inForce.withLock { inForce in
            defer { inForce = text ?? inForce }
            return text != nil && text != inForce
        }
        guard isNew, let text else { return }
        do {
            var mistakes = Mistakes()
            guard let configuration = GatewayConfiguration.read(text, &mistakes) else {
                throw ConfigurationError(problems: mistakes.sorted.map(\.description))
            }
            try replace(configuration)
            logger.notice("Configuration replaced", metadata: [LogKey.file: "\(path)"])
        } catch {
            logger.error(
                "Configuration cannot be used; the present one stays",
                metadata: [LogKey.file: "\(path)", LogKey.error: "\(LogText.of(error))"])
        }
    }
}

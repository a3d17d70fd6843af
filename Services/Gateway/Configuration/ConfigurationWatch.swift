import Basics
import Foundation
import Logging
import ServiceKit
import ServiceLifecycle
import Synchronization

/// Reloads the configuration file when it changes, and on request, without losing requests. An unusable file leaves the present
/// configuration in force.
///
/// A changed file must be found twice before it is looked at: the beginning of one that is still being written may be a valid
/// configuration with fewer routes.
final class ConfigurationWatch: Service {
    private struct State {
        /// What the file held when it was looked at last, whether that was taken over or not; nil: it could not be read.
        var known: String?
        /// What it held when it was found last.
        var found: String?
    }

    private let path: String
    private let pause: Duration
    private let declared: [DeclaredRoute]?
    private let replace: @Sendable (GatewayConfiguration) throws -> Void
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - declared: what the gateway answers itself, with which the table must agree; nil: that is not asked.
    ///   - replace: puts a configuration in force, or throws and leaves all as it was.
    init(
        path: String, pause: Duration = .seconds(2), answering declared: [DeclaredRoute]? = nil, logger: Logger,
        replace: @escaping @Sendable (GatewayConfiguration) throws -> Void
    ) {
        self.path = path
        self.pause = pause
        self.declared = declared
        self.logger = logger
        self.replace = replace
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        state = Mutex(State(known: text, found: text))
    }

    func run() async throws {
        await PeriodicWork(every: pause, firstAfter: pause).run { self.look() }
    }

    /// Takes over what the file says, if it says something new.
    ///
    /// - Parameter isAsked: a reload on request, made after the file was written.
    func look(isAsked: Bool = false) {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        let isNew = state.withLock { state in
            defer { state.found = text }
            guard text != state.known, isAsked || text == state.found else { return false }
            state.known = text
            return true
        }
        guard isNew else { return }
        do {
            try replace(try configuration(text))
            logger.notice("Configuration replaced", metadata: [LogKey.file: "\(path)"])
        } catch {
            logger.error(
                "Configuration cannot be used; the present one stays",
                metadata: [LogKey.file: "\(path)", LogKey.error: "\(LogText.of(error))"])
        }
    }

    private func configuration(_ text: String?) throws -> GatewayConfiguration {
        guard let text else { throw ConfigurationError(problems: ["the file cannot be read"]) }
        var mistakes = Mistakes()
        guard let configuration = GatewayConfiguration.read(text, answering: declared, &mistakes) else {
            throw ConfigurationError(problems: mistakes.sorted.map(\.description))
        }
        return configuration
    }
}

import Logging
import ServiceLifecycle
import UnixSignals

/// On SIGHUP a service reloads what may change while it runs: its keys, and what its `reload()` adds.
struct Reloading: Service {
    let watch: KeyWatch?
    let application: ServiceApplication
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                logger.notice("Reloading configuration")
                watch?.reload()
                await application.reload()
            }
        }
    }
}

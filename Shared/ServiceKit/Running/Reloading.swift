import Logging
import ServiceLifecycle
import UnixSignals

/// On SIGHUP a service reads again what may change while it runs: its keys, and what else it says.
struct Reloading: Service {
    let watch: KeyWatch?
    let application: ServiceApplication
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                logger.notice("Reading the configuration again")
                watch?.reload()
                await application.reload()
            }
        }
    }
}

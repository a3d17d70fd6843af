import Basics
import Crypto
import Foundation
import Logging
import NIOSSL
import ServiceKit
import ServiceLifecycle
import Synchronization

/// The certificate of new connections. It is reloaded when its files change, and on request; open connections keep theirs.
/// Unusable files leave the present certificate in force.
final class Certificates: Service {
    private struct State {
        var pair: CertificatePair
        /// What the files held last that could not be used.
        var refused: SHA256Digest?
        /// The same, seen once: of two files one may have been written and the other not yet.
        var suspected: SHA256Digest?
    }

    private let settings: TLSSettings
    private let pause: Duration
    private let logger: Logger
    private let notAfter: MetricSeries
    private let isRefused: MetricSeries
    private let state: Mutex<State>

    /// - Throws: ``ConfigurationError`` for files that cannot be used.
    init(
        _ settings: TLSSettings, metrics: MetricsRegistry, pause: Duration = .seconds(2), logger: Logger
    ) throws {
        self.settings = settings
        self.pause = pause
        self.logger = logger
        notAfter = metrics.gauge(
            "tls_certificate_not_after_seconds", help: "When the certificate in force expires, in seconds since 1970.")
        isRefused = metrics.gauge(
            "tls_certificate_refused", help: "1 while the files hold a certificate and a key that cannot be used.")
        do {
            let pair = try CertificatePair(try .init(settings))
            state = Mutex(State(pair: pair))
            notAfter.set(pair.notAfter.timeIntervalSince1970)
        } catch let error as CertificatePair.Unusable {
            throw ConfigurationError(problems: [error.description])
        }
        isRefused.set(0)
    }

    /// For a new connection.
    var context: NIOSSLContext { state.withLock { $0.pair.context } }

    func run() async throws {
        await PeriodicWork(every: pause, firstAfter: pause).run { self.look() }
    }

    /// Loads the files if they have changed.
    ///
    /// - Parameter isAsked: a reload on request, made after both files were written.
    func look(isAsked: Bool = false) {
        let (inForce, refused) = state.withLock { ($0.pair.digest, $0.refused) }
        do {
            let contents = try CertificatePair.Contents(settings)
            let digest = contents.digest
            guard digest != inForce else { return accept(nil) }
            guard digest != refused else { return }
            do {
                accept(try CertificatePair(contents))
            } catch {
                refuse(digest, error, isAsked)
            }
        } catch {
            // Files that are missing differ from all that was ever refused.
            refuse(SHA256.hash(data: Data("\(error)".utf8)), error, isAsked)
        }
    }

    private func accept(_ pair: CertificatePair?) {
        state.withLock { state in
            (state.refused, state.suspected) = (nil, nil)
            if let pair { state.pair = pair }
        }
        isRefused.set(0)
        guard let pair else { return }
        notAfter.set(pair.notAfter.timeIntervalSince1970)
        logger.notice("Certificate replaced", metadata: [LogKey.file: "\(settings.certificateFile)"])
    }

    private func refuse(_ digest: SHA256Digest, _ error: any Error, _ isAsked: Bool) {
        let isNew = state.withLock { state in
            guard isAsked || state.suspected == digest else {
                state.suspected = digest
                return false
            }
            defer { state.refused = digest }
            return state.refused != digest
        }
        guard isNew else { return }
        isRefused.set(1)
        logger.error(
            "Certificate cannot be used; the present one stays",
            metadata: [LogKey.file: "\(settings.certificateFile)", LogKey.error: "\(LogText.of(error))"])
    }
}
